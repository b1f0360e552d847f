"""The solver's passes over its vectors, written as LLVM's intermediate language.

Everything that is computed from the same vectors is computed in one pass. Passes over stored vectors work in chunks
that stay in the first caches; numbers are read once and converted in registers.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator

from llvmlite import ir

from nerd_gui.compiled.vector_code import Array, Value, VectorCode

#: Elements processed at a time; the number of elements must be a multiple of it.
STEP = 64
_CHUNK = 8192  # elements
_LINE = 32  # float16 numbers in a cache line


def written(lanes: int) -> dict[str, tuple[str, int]]:
    """The code and number of array arguments of every pass. Up to a space, its name is that of the function."""
    return {
        "products 1": (products(1, lanes), 3),
        "products 2": (products(2, lanes), 4),
        "combination": (combination(lanes), 4),
        "compare": (compare(lanes), 7),
        "advance": (advance(False, lanes), 6),
        "advance keep": (advance(True, lanes), 6),
    }


def products(others: int, lanes: int) -> str:
    """Return the code of `products(kept, x…, sums, count, used, stride)`, for 1 or 2 vectors x.

    It adds to sums (used, others, lanes) the products of `count` elements of each stored vector and of each x. Stored
    vectors are float16 and `stride` elements apart.
    """
    module = ir.Module()
    code = VectorCode(module, "products", 2 + others, 3, lanes)
    kept, *xs, sums, count, used, stride = code.arguments
    with code.loop(0, count, _CHUNK) as begin:
        end = code.min(code.plus(begin, _CHUNK), count)
        with code.loop(0, used) as index:
            row, totals = (
                code.halves_at(kept, code.times(index, stride)),
                code.at(sums, code.times(index, others * lanes)),
            )
            with _sums(code, totals, others, STEP // lanes) as add, code.loop(begin, end, STEP) as at:
                _prefetch(code, code.at(row, stride), at)
                for part, place in enumerate(_places(code, at)):
                    own = code.load_half(row, place)
                    for other, x in enumerate(xs):
                        add(other, own, code.load_unaligned(x, place), part)
    code.end()
    return str(module)


def combination(lanes: int) -> str:
    """Return the code of `combination(kept, x, out, factors, count, used, stride)`.

    It computes x times the first of the factors (1 + used), plus each stored vector times its factor.
    """
    module = ir.Module()
    code = VectorCode(module, "combination", 4, 3, lanes)
    kept, x, out, factors, count, used, stride = code.arguments
    own = code.broadcast(code.load(factors))
    with code.loop(0, count, _CHUNK) as begin:
        end = code.min(code.plus(begin, _CHUNK), count)
        with code.loop(begin, end, STEP) as at:
            for place in _places(code, at):
                code.store_unaligned(code.multiply(code.load_unaligned(x, place), own), out, place)
        _add_kept(code, kept, out, factors, (begin, end), used, stride)
    code.end()
    return str(module)


def compare(lanes: int) -> str:
    """Return the code of `compare(kept, newest, z, f_z, g_before, g, sums, count, used, stride)`.

    It computes g = f_z - z. It adds to sums (4 + 2 used, lanes) the squares of z, f_z, g, and g - g_before, then the
    products of each stored vector with `newest`, which is one of them, and with g.
    """
    module = ir.Module()
    code = VectorCode(module, "compare", 7, 3, lanes)
    kept, newest, z, f_z, before, g, sums, count, used, stride = code.arguments
    newest, buffer = code.halves_at(newest, 0), code.floats(_CHUNK)
    with code.loop(0, count, _CHUNK) as begin:
        end, again = code.min(code.plus(begin, _CHUNK), count), code.at(buffer, code.minus(0, begin))
        with _sums(code, sums, 4) as add, code.loop(begin, end, STEP) as at:
            for place in _places(code, at):
                here, there = code.load_unaligned(z, place), code.load_unaligned(f_z, place)
                difference = code.subtract(there, here)
                code.store_unaligned(difference, again, place)
                code.stream(difference, g, place)
                change = code.subtract(difference, code.load_unaligned(before, place))
                for index, x in enumerate((here, there, difference, change)):
                    add(index, x, x)
        with code.loop(0, used) as index:
            row = code.halves_at(kept, code.times(index, stride))
            totals = code.at(sums, code.plus(code.times(index, 2 * lanes), 4 * lanes))
            with _sums(code, totals, 2, STEP // lanes) as add, code.loop(begin, end, STEP) as at:
                _prefetch(code, code.at(row, stride), at)
                for part, place in enumerate(_places(code, at)):
                    x = code.load_half(row, place)
                    add(0, x, code.load_half(newest, place), part)
                    add(1, x, code.load_unaligned(again, place), part)
    code.end()
    return str(module)


def advance(keep: bool, lanes: int) -> str:
    """Return the code of `advance(kept, z, g, z_next, factors, sums, count, used, stride)`.

    It computes z_next = z + step, where the step is g times the first factor plus the stored vectors times the next
    ones. The squares of z_next - z, the step after rounding, are added to sums (1, lanes). If `keep`, this step times
    the last factor is stored as one more vector.
    """
    module = ir.Module()
    code = VectorCode(module, "advance", 6, 3, lanes)
    kept, z, g, z_next, factors, sums, count, used, stride = code.arguments
    buffer = code.floats(_CHUNK)
    own = code.broadcast(code.load(factors))
    unit = code.broadcast(code.load(factors, code.plus(used, 1)))
    newest = code.halves_at(kept, code.times(used, stride))
    with code.loop(0, count, _CHUNK) as begin:
        end, step = code.min(code.plus(begin, _CHUNK), count), code.at(buffer, code.minus(0, begin))
        with code.loop(begin, end, STEP) as at:
            for place in _places(code, at):
                code.store_unaligned(code.multiply(code.load_unaligned(g, place), own), step, place)
        _add_kept(code, kept, step, factors, (begin, end), used, stride)
        with _sums(code, sums, 1) as add, code.loop(begin, end, STEP) as at:
            for place in _places(code, at):
                here = code.load_unaligned(z, place)
                there = code.add(here, code.load_unaligned(step, place))
                code.stream(there, z_next, place)
                taken = code.subtract(there, here)
                add(0, taken, taken)
                if keep:
                    code.stream(code.multiply(taken, unit), newest, place)
    code.end()
    return str(module)


def _add_kept(
    code: VectorCode, kept: Array, out: Array, factors: Array, chunk: tuple[Value, Value], used: Value, stride: Value
) -> None:
    """Add the stored vectors times their factors, which start at the second one, to a chunk of `out`."""
    with code.loop(0, used) as index:
        row = code.halves_at(kept, code.times(index, stride))
        factor = code.broadcast(code.load(factors, code.plus(index, 1)))
        with code.loop(*chunk, STEP) as at:
            _prefetch(code, code.at(row, stride), at)
            for place in _places(code, at):
                total = code.fma(code.load_half(row, place), factor, code.load_unaligned(out, place))
                code.store_unaligned(total, out, place)


@contextlib.contextmanager
def _sums(code: VectorCode, sums: Array, count: int, parts: int = 1) -> Iterator[Callable[..., None]]:
    """Yield a function that adds a product to a sum, in `parts` independent partial sums; then add them to `sums`."""
    totals = [[code.variable() for _ in range(parts)] for _ in range(count)]
    for variable in itertools.chain(*totals):
        code.store(code.constant(0.0), variable)

    def add(index: int, left: Value, right: Value, part: int = 0) -> None:
        variable = totals[index][part]
        code.store(code.fma(left, right, code.load(variable)), variable)

    yield add
    for index, variables in enumerate(totals):
        sum_ = code.load_unaligned(sums, index * code.lanes)
        for variable in variables:
            sum_ = code.add(sum_, code.load(variable))
        code.store_unaligned(sum_, sums, index * code.lanes)


def _places(code: VectorCode, at: Value) -> list[Value]:
    return [code.plus(at, offset) for offset in range(0, STEP, code.lanes)]


def _prefetch(code: VectorCode, row: Array, at: Value) -> None:
    """Prefetch the next stored vector, because the CPU does not predict the jump from one vector to another."""
    for offset in range(0, STEP, _LINE):
        code.prefetch(row, code.plus(at, offset))

"""The solver's passes over its vectors, written as LLVM's intermediate language.

Whatever is made of the same vectors is made in one pass. Where kept vectors take part, it goes by chunks that stay in
the first caches; their numbers are read once and converted in the registers.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator

from llvmlite import ir

from nerd_gui.compiled.vector_code import Array, Value, VectorCode

#: Elements that the code does at once; it takes multiples of them.
STEP = 64
_CHUNK = 8192  # elements
_LINE = 32  # float16 of a cache line


def written(lanes: int) -> dict[str, tuple[str, int]]:
    """The code of every pass by its name, which is that of its function up to the first space, and its arrays."""
    return {
        "products 1": (products(1, lanes), 3),
        "products 2": (products(2, lanes), 4),
        "combination": (combination(lanes), 4),
        "compare": (compare(lanes), 7),
        "advance": (advance(False, lanes), 6),
        "advance keep": (advance(True, lanes), 6),
    }


def products(others: int, lanes: int) -> str:
    """Code of `products(kept, x…, sums, count, used, stride)`, for 1 or 2 vectors x.

    Adds to sums (used, others, lanes) the products of `count` elements of the kept vectors, float16 and `stride`
    elements apart, and of those of each x.
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
    """Code of `combination(kept, x, out, factors, count, used, stride)`: x times the first factor, plus the kept.

    The factors (1 + used) of x and of each kept vector.
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
    """Code of `compare(kept, newest, z, f_z, g_before, g, sums, count, used, stride)`: g = f_z - z.

    Adds to sums (4 + 2 used, lanes) the squares of z, f_z, g, and g - g_before, then the products of each kept vector
    with `newest`, one of them, and with g.
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
    """Code of `advance(kept, z, g, z_next, factors, sums, count, used, stride)`: z_next = z + step.

    The step is g times the first factor plus the kept vectors times the next ones. The squares of z_next - z, which is
    the step but for rounding, are added to sums (1, lanes). If it is to `keep`, it becomes one more kept vector, times
    the last factor.
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
    """Add the kept vectors times their factors, which begin at the second, to a chunk of `out`."""
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
    """Yields what adds a product to the sum of that index, in `parts` beside each other, in the end added to `sums`."""
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
    """What the next kept vector has here: the processor does not foresee the jump from one to the other."""
    for offset in range(0, STEP, _LINE):
        code.prefetch(row, code.plus(at, offset))

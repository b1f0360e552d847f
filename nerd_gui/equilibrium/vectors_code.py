"""The solver's passes over its vectors, written as LLVM's intermediate language.

Whatever is made of the same vectors is made in one pass. Where kept vectors take part, it goes by blocks that stay in
the first caches; their numbers are read once and converted in the registers.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator

from llvmlite import ir

from nerd_gui.compiled.vector_code import Value, VectorCode

#: Elements that the code does at once; it takes multiples of them.
STEP = 64
PF = 1
_BLOCK = 4096  # elements
_LINE = 32  # float16 of a cache line


def products(others: int, lanes: int) -> str:
    """Code of `products(kept, x…, sums, count, used, stride)`, for 1 or 2 vectors x.

    Adds to sums (used, others, lanes) the products of `count` elements of the kept vectors, float16 and `stride`
    elements apart, and of those of each x.
    """
    module = ir.Module()
    code = VectorCode(module, "products", 2 + others, 3, lanes)
    kept, *xs, sums, count, used, stride = code.arguments
    with code.loop(0, count, _BLOCK) as begin:
        end = code.least(code.plus(begin, _BLOCK), count)
        with code.loop(0, used) as index:
            totals = [[code.variable() for _ in range(STEP // lanes)] for _ in xs]
            for variable in itertools.chain(*totals):
                code.store(code.constant(0.0), variable)
            row = code.half_at(kept, code.times(index, stride))
            with code.loop(begin, end, STEP) as at:
                _prefetch(code, code.at(row, stride), at)
                for part, place in enumerate(_places(code, at)):
                    own = code.load_half(row, place)
                    for x, total in zip(xs, totals, strict=True):
                        product = code.multiply_add(own, code.load_any(x, place), code.load(total[part]))
                        code.store(product, total[part])
            for other, total in enumerate(totals):
                place = code.times(code.plus(code.times(index, others), other), lanes)
                sum_ = code.load_any(sums, place)
                for variable in total:
                    sum_ = code.add(sum_, code.load(variable))
                code.store_any(sum_, sums, place)
    code.end()
    return str(module)


def combination(lanes: int) -> str:
    """Code of `combination(kept, x, out, factors, count, used, stride)`: x times the first factor, plus the kept.

    The factors (1 + used) of x and of each kept vector.
    """
    module = ir.Module()
    code = VectorCode(module, "combination", 4, 3, lanes)
    kept, x, out, factors, count, used, stride = code.arguments
    own = code.everywhere(code.load(factors))
    with code.loop(0, count, _BLOCK) as begin:
        end = code.least(code.plus(begin, _BLOCK), count)
        with code.loop(begin, end, STEP) as at:
            for place in _places(code, at):
                code.store_any(code.multiply(code.load_any(x, place), own), out, place)
        with code.loop(0, used) as index:
            row = code.half_at(kept, code.times(index, stride))
            factor = code.everywhere(code.load(factors, code.plus(index, 1)))
            with code.loop(begin, end, STEP) as at:
                _prefetch(code, code.at(row, stride), at)
                for place in _places(code, at):
                    total = code.multiply_add(code.load_half(row, place), factor, code.load_any(out, place))
                    code.store_any(total, out, place)
    code.end()
    return str(module)


def comparison(lanes: int) -> str:
    """Code of `comparison(z, f_z, g_before, g, sums, count)`: g = f_z - z.

    Adds to sums (4, lanes) the squares of z, f_z, g, and g - g_before.
    """
    module = ir.Module()
    code = VectorCode(module, "comparison", 5, 1, lanes)
    z, f_z, before, g, sums, count = code.arguments
    with _squares(code, sums, 4) as add, code.loop(0, count, STEP) as at:
        for place in _places(code, at):
            here, there = code.load_any(z, place), code.load_any(f_z, place)
            difference = code.subtract(there, here)
            code.store_any(difference, g, place)
            add(here, there, difference, code.subtract(difference, code.load_any(before, place)))
    code.end()
    return str(module)


def move(lanes: int) -> str:
    """Code of `move(z, step, sums, count)`: adds z to the step, and the squares of the step to sums (1, lanes)."""
    module = ir.Module()
    code = VectorCode(module, "move", 3, 1, lanes)
    z, step, sums, count = code.arguments
    with _squares(code, sums, 1) as add, code.loop(0, count, STEP) as at:
        for place in _places(code, at):
            own = code.load_any(step, place)
            add(own)
            code.store_any(code.add(own, code.load_any(z, place)), step, place)
    code.end()
    return str(module)


@contextlib.contextmanager
def _squares(code: VectorCode, sums: Value, count: int) -> Iterator[Callable[..., None]]:
    """Yields what squares so many vectors and adds them up, in the end to `sums`."""
    totals = [code.variable() for _ in range(count)]
    for index, total in enumerate(totals):
        code.store(code.load_any(sums, index * code.lanes), total)

    def add(*values: Value) -> None:
        for value, total in zip(values, totals, strict=True):
            code.store(code.multiply_add(value, value, code.load(total)), total)

    yield add
    for index, total in enumerate(totals):
        code.store_any(code.load(total), sums, index * code.lanes)


def _places(code: VectorCode, at: Value) -> list[Value]:
    return [code.plus(at, offset) for offset in range(0, STEP, code.lanes)]


def _prefetch(code: VectorCode, row: Value, at: Value) -> None:
    """What the next kept vector has here: the processor does not foresee the jump from one to the other."""
    for offset in range(0, STEP, _LINE):
        code.prefetch(row, code.plus(at, offset))

"""Feature decoding (Eq. 4), norm, ReLU and a 3x3 convolution in one pass, written as LLVM's intermediate language."""

import itertools
from dataclasses import dataclass

from llvmlite import ir

from nerd_gui.compiled.vector_code import Array, Value, VectorCode

#: Largest number of rows and columns of a part of the picture; its features stay in the second cache.
PART_ROWS, PART_COLS = 16, 64
#: Neighbouring pixels that are decoded together. A part must have at least as many columns.
PIXELS = 4


@dataclass(frozen=True)
class DecodingShape:
    """The sizes for which the code is written: channels C, features d, and the floats in a vector register."""

    channels: int
    features: int
    lanes: int

    @property
    def vectors(self) -> int:
        """Number of vectors that hold the features of a pixel."""
        return self.features // self.lanes

    @property
    def scratch(self) -> int:
        """Number of floats that a part needs: its features after the ReLU, with one more pixel on every side."""
        return (PART_ROWS + 2) * (PART_COLS + 2) * self.features


def decode(shape: DecodingShape) -> str:
    """Return the code of `decode(scratch, z, affine, weight, bias, out, rows, cols, top, bottom, left, right)`.

    It decodes the rows `top` ... `bottom` - 1 and columns `left` ... `right` - 1 of z (rows, cols, d) to out (C, rows,
    cols). The norm multiplies by the first row of `affine` (2, d) and adds the second. `weight` is (3, 3, C, d).
    """
    module = ir.Module()
    code = VectorCode(module, "decode", 6, 6, shape.lanes)
    _write_features(code, shape)
    *_, top, bottom, left, right = code.arguments
    with code.loop(top, bottom) as row, code.loop(left, right, PIXELS) as col:
        # The last pixels of a row overlap with those before them.
        _decode_pixels(code, shape, row, code.min(col, code.minus(right, PIXELS)))
    code.end()
    return str(module)


def _write_features(code: VectorCode, shape: DecodingShape) -> None:
    """Write the features of a part after norm and ReLU to `scratch`; beyond the picture's borders they are 0."""
    _, z, affine, _, _, _, rows, cols, top, bottom, left, right = code.arguments
    above, below, before, behind = code.minus(top, 1), code.plus(bottom, 1), code.minus(left, 1), code.plus(right, 1)
    zero = code.constant(0.0)  # the first argument of `vector_max`, which then returns NaN if the other is NaN
    factors = [code.load_unaligned(affine, part * shape.lanes) for part in range(2 * shape.vectors)]
    rows_inside, cols_inside = (
        (code.max(above, 0), code.min(below, rows)),
        (code.max(before, 0), code.min(behind, cols)),
    )
    with code.loop(*rows_inside) as row, code.loop(*cols_inside) as col:
        pixel = code.at(z, code.times(code.plus(code.times(row, cols), col), shape.features))
        there = _in_scratch(code, shape, row, col)
        for part in range(shape.vectors):
            own = code.load_unaligned(pixel, part * shape.lanes)
            normed = code.fma(own, factors[part], factors[part + shape.vectors])
            code.store_unaligned(code.vector_max(zero, normed), there, part * shape.lanes)
    # Each of these loops runs once if the part touches that border, else not at all.
    for first, last in ((above, 0), (rows, below)):
        with code.loop(first, last) as row, code.loop(before, behind) as col:
            _write_zeros(code, shape, row, col)
    for first, last in ((before, 0), (cols, behind)):
        with code.loop(first, last) as col, code.loop(above, below) as row:
            _write_zeros(code, shape, row, col)


def _write_zeros(code: VectorCode, shape: DecodingShape, row: Value, col: Value) -> None:
    there = _in_scratch(code, shape, row, col)
    for part in range(shape.vectors):
        code.store_unaligned(code.constant(0.0), there, part * shape.lanes)


def _in_scratch(code: VectorCode, shape: DecodingShape, row: Value, col: Value) -> Array:
    """Return the address in `scratch` of a pixel of the picture."""
    scratch, *_, top, _, left, _ = code.arguments
    down, across = code.plus(code.minus(row, top), 1), code.plus(code.minus(col, left), 1)
    pixel = code.plus(code.times(down, PART_COLS + 2), across)
    return code.at(scratch, code.times(pixel, shape.features))


def _decode_pixels(code: VectorCode, shape: DecodingShape, row: Value, col: Value) -> None:
    """Decode `PIXELS` pixels of a row, from `col` on; lanes hold features, whose products are added at the end."""
    _, _, _, weight, bias, out, rows, cols, *_ = code.arguments
    sums = [[code.variable() for _ in range(shape.channels)] for _ in range(PIXELS)]
    for variable in itertools.chain(*sums):
        code.store(code.constant(0.0), variable)
    with code.loop(0, 3) as down:
        here = _in_scratch(code, shape, code.plus(row, down, -1), code.minus(col, 1))
        kernel = code.at(weight, code.times(down, 3 * shape.channels * shape.features))
        for part in range(shape.vectors):
            offset = part * shape.lanes
            seen = [code.load_unaligned(here, pixel * shape.features + offset) for pixel in range(PIXELS + 2)]
            for across, channel in itertools.product(range(3), range(shape.channels)):
                own = code.load_unaligned(kernel, (across * shape.channels + channel) * shape.features + offset)
                for pixel in range(PIXELS):
                    sum_ = sums[pixel][channel]
                    code.store(code.fma(seen[pixel + across], own, code.load(sum_)), sum_)
    first = code.plus(code.times(row, cols), col)
    for channel in range(shape.channels):
        plane = code.at(out, code.plus(code.times(code.times(rows, cols), channel), first))
        for pixel in range(PIXELS):
            total = code.total(code.load(sums[pixel][channel]))
            code.store(code.add(total, code.load(bias, channel)), plane, pixel)

"""Neighbourhood attention and its gradient (Eq. 7-8), written as LLVM's intermediate language.

The pixels of a small tile stand in the lanes of vectors; all pixels of their common neighbourhood pass by, each as a
few numbers that are multiplied into every lane. So nothing is copied, the weights of one row of the neighbourhood
stay in the first cache, and each number that is loaded serves `vectors` x `lanes` products.

    forward         lanes: queries, passing: keys      out = softmax(q k) v, and each row's `top` and `total`
    query_gradient  lanes: queries, passing: keys      d_q
    key_gradient    lanes: keys, passing: queries      d_k, d_v

Scores are in units of log 2. A row's softmax is 2^(score - top) / total; `top` follows its greatest score only when
that runs away by more than 2^12, which changes nothing in exact arithmetic and seldom happens (as in FlashAttention-4).
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llvmlite import ir

from nerd_gui.compiled.vector_code import Number, Value, VectorCode

TILE_ROWS = 4
#: Rows of weights that the code writes down while it works.
ROW_BUFFERS = 3
_MASKED, _START = -1e38, -1e30  # a score that nobody sees; a greatest score before any was seen
_MAY_EXCEED = 12.0  # powers of 2


@dataclass(frozen=True)
class Shape:
    """What the code is written for.

    Attributes
    ----------
    d_k, d_v : int
        Depth of queries and keys, and of values.
    lanes : int
        Floats of a vector: 16 where the processor has 32 registers of that size, else 8.
    vectors : int
        Vectors of a tile.
    passing : int
        Pixels that pass at once: `passing` x `vectors` sums must fit into the registers.
    """

    d_k: int
    d_v: int
    lanes: int = 16
    vectors: int = 2
    passing: int = 8

    @property
    def tile_cols(self) -> int:
        """Columns of pixels in a vector, `TILE_ROWS` rows each."""
        return self.lanes // TILE_ROWS

    def block(self, depth: int) -> int:
        """How many numbers of a pixel are summed at once."""
        return next(size for size in (self.passing, 4, 2, 1) if depth % size == 0)


def forward(shape: Shape) -> str:
    """Code of `forward(scratch, q, k, v, out, top, total, rows, cols, row, first, last, row_vectors)`.

    It does the queries of TILE_ROWS rows from `row` of one plane: one head of one picture, (rows, cols, depth) each,
    with room to read `passing` pixels behind their ends.
    """
    module = ir.Module()
    code = VectorCode(module, "forward", 7, 6, shape.lanes)
    _, query, key, value, out, top_out, total_out, *numbers = code.arguments
    scale = math.log2(math.e) / math.sqrt(shape.d_k)

    def tile(work: _Tile) -> None:
        queries = work.read(query, shape.d_k, scale)
        sums = work.zeros(shape.d_v)
        tops, totals = work.variables(_START), work.variables(0.0)
        highest = work.variables(_MASKED)
        for bias in work.neighbourhood():
            for variable in highest:
                code.store(code.constant(_MASKED), variable)

            def scored(at: Number, scores: list[list[Value]]) -> None:
                work.keep(at, scores, work.weights)
                for vector, variable in enumerate(highest):
                    most = code.load(variable)
                    for passing in scores:
                        most = code.maximum(most, passing[vector])
                    code.store(most, variable)

            work.products(queries, key, shape.d_k, scored, bias)
            for vector in range(shape.vectors):
                old, seen = code.load(tops[vector]), code.load(highest[vector])
                with code.where_any_above(seen, code.add(old, code.constant(_MAY_EXCEED))):
                    new = code.maximum(old, seen)
                    factor = code.exp2(code.subtract(old, new))
                    code.store(new, tops[vector])
                    code.store(code.multiply(code.load(totals[vector]), factor), totals[vector])
                    with code.loop(0, shape.d_v) as number:
                        at = work.place(number, vector)
                        code.store(code.multiply(code.load(sums, at), factor), sums, at)
            work.exponentiate([code.load(variable) for variable in tops], totals)
            work.accumulate(work.weights, value, shape.d_v, sums)
        final = [code.load(variable) for variable in totals]
        work.write(out, shape.d_v, sums, [code.divide(code.constant(1.0), total) for total in final])
        work.write_each(top_out, [code.load(variable) for variable in tops])
        work.write_each(total_out, final)

    _tiles(code, shape, numbers, tile)
    return str(module)


def query_gradient(shape: Shape) -> str:
    """Code of `query_gradient(scratch, q, k, v, d_out, level, delta, d_q, …)`.

    `level` is top + log2(total), `delta` the product of d_out and out, one number for each query.
    """
    module = ir.Module()
    code = VectorCode(module, "query_gradient", 8, 6, shape.lanes)
    _, query, key, value, d_out, level, delta, d_query, *numbers = code.arguments
    scale = 1 / math.sqrt(shape.d_k)

    def tile(work: _Tile) -> None:
        queries = work.read(query, shape.d_k, scale * math.log2(math.e))
        d_outs = work.read(d_out, shape.d_v, 1.0)
        levels, deltas = work.read_each(level), work.read_each(delta)
        sums = work.zeros(shape.d_k)
        for bias in work.neighbourhood():

            def scored(at: Number, scores: list[list[Value]]) -> None:
                weights = [
                    [code.exp2(code.subtract(score, level)) for score, level in zip(each, levels, strict=True)]
                    for each in scores
                ]
                work.keep(at, weights, work.weights)

            def graded(at: Number, d_weights: list[list[Value]]) -> None:
                for index, each in enumerate(d_weights):
                    for vector, d_weight in enumerate(each):
                        place = work.place(code.plus(at, index), vector)
                        d_score = code.multiply(code.load(work.weights, place), code.subtract(d_weight, deltas[vector]))
                        code.store(d_score, work.weights, place)

            work.products(queries, key, shape.d_k, scored, bias)
            work.products(d_outs, value, shape.d_v, graded)
            work.accumulate(work.weights, key, shape.d_k, sums)
        work.write(d_query, shape.d_k, sums, [code.constant(scale)] * shape.vectors)

    _tiles(code, shape, numbers, tile)
    return str(module)


def key_gradient(shape: Shape) -> str:
    """Code of `key_gradient(scratch, q, k, v, d_out, level, delta, d_k, d_v, …)`.

    A tile of keys, whom the queries from -last to -first see: these bounds are what is given.
    """
    module = ir.Module()
    code = VectorCode(module, "key_gradient", 9, 6, shape.lanes)
    _, query, key, value, d_out, level, delta, d_key, d_value, *numbers = code.arguments
    scale = 1 / math.sqrt(shape.d_k)

    def tile(work: _Tile) -> None:
        keys = work.read(key, shape.d_k, scale * math.log2(math.e))
        values = work.read(value, shape.d_v, 1.0)
        key_sums, value_sums = work.zeros(shape.d_k), work.zeros(shape.d_v)
        for bias in work.neighbourhood():

            def scored(at: Number, scores: list[list[Value]]) -> None:
                for index, each in enumerate(scores):
                    one = code.everywhere(work.of_passing(level, code.plus(at, index)))
                    weights = [code.exp2(code.subtract(score, one)) for score in each]
                    work.keep(code.plus(at, index), [weights], work.weights)

            def graded(at: Number, d_weights: list[list[Value]]) -> None:
                for index, each in enumerate(d_weights):
                    one = code.everywhere(work.of_passing(delta, code.plus(at, index)))
                    for vector, d_weight in enumerate(each):
                        place = work.place(code.plus(at, index), vector)
                        d_score = code.multiply(code.load(work.weights, place), code.subtract(d_weight, one))
                        code.store(d_score, work.gradients, place)

            work.products(keys, query, shape.d_k, scored, bias)
            work.products(values, d_out, shape.d_v, graded)
            work.accumulate(work.gradients, query, shape.d_k, key_sums)
            work.accumulate(work.weights, d_out, shape.d_v, value_sums)
        work.write(d_key, shape.d_k, key_sums, [code.constant(scale)] * shape.vectors)
        work.write(d_value, shape.d_v, value_sums, [code.constant(1.0)] * shape.vectors)

    _tiles(code, shape, numbers, tile)
    return str(module)


def row_vectors(shape: Shape, window: int) -> int:
    """Vectors of one row of weights at most."""
    return (window + shape.vectors * shape.tile_cols + shape.passing) * shape.vectors


def _tiles(code: VectorCode, shape: Shape, numbers: list[Value], tile: Callable[["_Tile"], None]) -> None:
    """Write `tile` for each tile of the TILE_ROWS rows from `row`."""
    rows, cols, row, first, last, scratch_vectors = numbers
    work = _Tile(code, shape, (rows, cols), row, (first, last), scratch_vectors)
    with code.loop(0, cols, work.cols_at_once) as col:
        work.move_to(col)
        tile(work)
    code.end()


class _Tile:
    """The pixels in the lanes, where they are, and the neighbourhood that passes by them."""

    def __init__(
        self,
        code: VectorCode,
        shape: Shape,
        size: tuple[Value, Value],
        row: Value,
        window: tuple[Value, Value],
        row_length: Value,
    ) -> None:
        self._code, self._shape = code, shape
        self._height, self._width = size
        self._first, self._last = window
        self.cols_at_once = shape.vectors * shape.tile_cols
        # Past the border a lane does once more what the last true one does.
        self._rows = [code.least(code.plus(row, index), code.minus(self._height, 1)) for index in range(TILE_ROWS)]
        self._top = code.most(code.plus(row, self._first), 0)
        self._bottom = code.plus(code.least(code.plus(self._rows[-1], self._last), code.minus(self._height, 1)), 1)
        self._lane_rows = code.gathered([self._rows[lane // shape.tile_cols] for lane in range(shape.lanes)])
        scratch = code.arguments[0]
        self._biases, self.weights, self.gradients = (
            code.vectors_at(scratch, code.times(row_length, index)) for index in range(ROW_BUFFERS)
        )

    def move_to(self, col: Value) -> None:
        """Take the tile whose first column this is, and say which columns of the neighbourhood each lane sees."""
        code, shape = self._code, self._shape
        last_col = code.minus(self._width, 1)
        cols = [code.least(code.plus(col, index), last_col) for index in range(self.cols_at_once)]
        self._cols = [
            [cols[vector * shape.tile_cols + lane % shape.tile_cols] for lane in range(shape.lanes)]
            for vector in range(shape.vectors)
        ]
        self._left = code.most(code.plus(col, self._first), 0)
        right = code.plus(code.least(code.plus(cols[-1], self._last), last_col), 1)
        self.padded = code.rounded_up(code.minus(right, self._left), shape.passing)
        lane_cols = [code.gathered(each) for each in self._cols]
        with code.loop(0, self.padded) as at:
            passing = code.below(code.plus(self._left, at), right, otherwise=1 << 30)
            for vector, cols_of_lanes in enumerate(lane_cols):
                bias = code.within(code.offsets(passing, cols_of_lanes), self._first, self._last, _MASKED)
                code.store(bias, self._biases, self.place(at, vector))

    def neighbourhood(self) -> Iterator[Value]:
        """Walk over the rows of the neighbourhood; yields what to add to the scores of pixels in each."""
        code = self._code
        with code.loop(self._top, self._bottom) as row:
            self._pixel = code.plus(code.times(row, self._width), self._left)
            yield code.within(code.offsets(row, self._lane_rows), self._first, self._last, _MASKED)

    # Numbers of the lanes' pixels.

    def place(self, index: Number, vector: int) -> Value:
        """Where in a buffer a vector of a pixel, or of a number of the lanes' pixels, stands."""
        return self._code.plus(self._code.times(index, self._shape.vectors), vector)

    def variables(self, value: float) -> list[Value]:
        """A variable for each vector, with this value in each lane."""
        code = self._code
        made = [code.variable() for _ in range(self._shape.vectors)]
        for variable in made:
            code.store(code.constant(value), variable)
        return made

    def _pixels(self, vector: int, depth: int) -> list[Value]:
        """Where each lane's pixel begins."""
        code, shape = self._code, self._shape
        return [
            code.times(code.plus(code.times(self._rows[lane // shape.tile_cols], self._width), col), depth)
            for lane, col in enumerate(self._cols[vector])
        ]

    def read(self, plane: Value, depth: int, scale: float) -> Value:
        """A buffer of the lanes' pixels, `depth` numbers each, times `scale`."""
        code, vectors = self._code, range(self._shape.vectors)
        buffer, pixels = code.buffer(depth * len(vectors)), [self._pixels(vector, depth) for vector in vectors]
        with code.loop(0, depth) as number:
            for vector in vectors:
                values = [code.load(plane, code.plus(pixel, number)) for pixel in pixels[vector]]
                code.store(
                    code.multiply(code.gathered(values), code.constant(scale)), buffer, self.place(number, vector)
                )
        return buffer

    def read_each(self, plane: Value) -> list[Value]:
        """One number of each lane's pixel."""
        code = self._code
        return [
            code.gathered([code.load(plane, pixel) for pixel in self._pixels(vector, 1)])
            for vector in range(self._shape.vectors)
        ]

    def zeros(self, depth: int) -> Value:
        """A buffer of `depth` sums for each lane."""
        code = self._code
        buffer = code.buffer(depth * self._shape.vectors)
        with code.loop(0, depth * self._shape.vectors) as index:
            code.store(code.constant(0.0), buffer, index)
        return buffer

    def write(self, plane: Value, depth: int, sums: Value, factors: list[Value]) -> None:
        """Write the lanes' sums, times these factors, to their pixels."""
        code, vectors = self._code, range(self._shape.vectors)
        pixels = [self._pixels(vector, depth) for vector in vectors]
        with code.loop(0, depth) as number:
            for vector in vectors:
                values = code.multiply(code.load(sums, self.place(number, vector)), factors[vector])
                for lane, pixel in enumerate(pixels[vector]):
                    code.store(code.lane(values, lane), plane, code.plus(pixel, number))

    def write_each(self, plane: Value, vectors: list[Value]) -> None:
        """Write one number to each lane's pixel."""
        code = self._code
        for index, values in enumerate(vectors):
            for lane, pixel in enumerate(self._pixels(index, 1)):
                code.store(code.lane(values, lane), plane, pixel)

    # What passes by.

    def of_passing(self, plane: Value, at: Number) -> Value:
        """One number of a passing pixel."""
        return self._code.load(plane, self._code.plus(self._pixel, at))

    def products(
        self,
        lanes: Value,
        plane: Value,
        depth: int,
        then: Callable[[Number, list[list[Value]]], None],
        bias: Value | None = None,
    ) -> None:
        """Multiply every pixel of the row by every lane's, over their `depth` numbers.

        `then` is told the first pixel and given the products of `passing` of them, a list of vectors each. With a
        `bias` for the row, the columns' are added too: unseen pixels get a score of next to nothing.
        """
        code, shape = self._code, self._shape
        unroll = next(size for size in (4, 2, 1) if depth % size == 0)
        vectors, passing = range(shape.vectors), range(shape.passing)
        with code.loop(0, self.padded, shape.passing) as at:
            sums = [self.variables(0.0) for _ in passing]
            if bias is not None:
                for index, vector in itertools.product(passing, vectors):
                    column = code.load(self._biases, self.place(code.plus(at, index), vector))
                    code.store(code.add(column, bias), sums[index][vector])
            pixel = code.at(plane, code.times(code.plus(self._pixel, at), depth))
            with code.loop(0, depth, unroll) as start:
                for number in (code.plus(start, offset) for offset in range(unroll)):
                    own = [code.load(lanes, self.place(number, vector)) for vector in vectors]
                    for index in passing:
                        other = code.everywhere(code.load(pixel, code.plus(number, index * depth)))
                        self._add(sums[index], own, other)
            then(at, [[code.load(variable) for variable in each] for each in sums])

    def keep(self, at: Number, vectors: list[list[Value]], buffer: Value) -> None:
        """Keep vectors of the row's pixels from the one at `at` on."""
        for index, each in enumerate(vectors):
            for vector, value in enumerate(each):
                self._code.store(value, buffer, self.place(self._code.plus(at, index), vector))

    def exponentiate(self, tops: list[Value], totals: list[Value]) -> None:
        """Make weights of the row's scores, and add them to the totals."""
        code = self._code
        with code.loop(0, self.padded, 2) as start:
            for offset, (vector, top) in itertools.product(range(2), enumerate(tops)):
                place = self.place(code.plus(start, offset), vector)
                weight = code.exp2(code.subtract(code.load(self.weights, place), top))
                code.store(weight, self.weights, place)
                code.store(code.add(code.load(totals[vector]), weight), totals[vector])

    def accumulate(self, weights: Value, plane: Value, depth: int, sums: Value) -> None:
        """Add to the lanes' sums the row's pixels, `depth` numbers each, by their weights."""
        code, vectors = self._code, range(self._shape.vectors)
        block, unroll = self._shape.block(depth), 2
        with code.loop(0, depth, block) as first:
            held = [self.variables(0.0) for _ in range(block)]
            for index, vector in itertools.product(range(block), vectors):
                code.store(code.load(sums, self.place(code.plus(first, index), vector)), held[index][vector])
            with code.loop(0, self.padded, unroll) as start:
                for at in (code.plus(start, offset) for offset in range(unroll)):
                    own = [code.load(weights, self.place(at, vector)) for vector in vectors]
                    pixel = code.at(plane, code.plus(code.times(code.plus(self._pixel, at), depth), first))
                    for index in range(block):
                        self._add(held[index], own, code.everywhere(code.load(pixel, index)))
            for index, vector in itertools.product(range(block), vectors):
                code.store(code.load(held[index][vector]), sums, self.place(code.plus(first, index), vector))

    def _add(self, sums: list[Value], own: list[Value], other: Value) -> None:
        for variable, value in zip(sums, own, strict=True):
            self._code.store(self._code.multiply_add(value, other, self._code.load(variable)), variable)

"""Building blocks of attention's code: each vector lane holds one pixel of a block, and its window is traversed."""

import itertools
from collections.abc import Callable, Iterator

from nerd_gui.compiled.attention_shape import BLOCK_ROWS, MASKED, ROW_BUFFERS, Shape
from nerd_gui.compiled.vector_code import Array, Number, Value, VectorCode

_PAIRS_DEGREE = 3  # degree of the polynomial for 2^x; its error is 1e-4, that of bfloat16 is 4e-3


def blocks(code: VectorCode, shape: Shape, numbers: list[Value], write: Callable[["Block"], None]) -> None:
    """Write a loop that calls `write` for each block in the BLOCK_ROWS rows from `row`."""
    rows, cols, row, first, last, scratch_vectors = numbers
    work = Block(code, shape, (rows, cols), row, (first, last), scratch_vectors)
    with code.loop(0, cols, work.cols_at_once) as col:
        work.move_to(col)
        write(work)
    code.end()


class Block:
    """Writes code for one block: the pixels in the lanes, and the loop over the passing pixels of its window."""

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
        self.cols_at_once = shape.vectors * shape.block_cols
        # Lanes beyond the picture's border repeat the last pixel.
        self._rows = [code.min(code.plus(row, index), code.minus(self._height, 1)) for index in range(BLOCK_ROWS)]
        self._top = code.max(code.plus(row, self._first), 0)
        self._bottom = code.plus(code.min(code.plus(self._rows[-1], self._last), code.minus(self._height, 1)), 1)
        self._lane_rows = code.build_vector([self._rows[lane // shape.block_cols] for lane in range(shape.lanes)])
        scratch = code.arguments[0]
        self._biases, self.weights, self.gradients = (
            code.vectors_at(scratch, code.times(row_length, index)) for index in range(ROW_BUFFERS)
        )

    def move_to(self, col: Value) -> None:
        """Set the block's first column, and compute which columns of the window each lane sees."""
        code, shape = self._code, self._shape
        last_col = code.minus(self._width, 1)
        cols = [code.min(code.plus(col, index), last_col) for index in range(self.cols_at_once)]
        self._cols = [
            [cols[vector * shape.block_cols + lane % shape.block_cols] for lane in range(shape.lanes)]
            for vector in range(shape.vectors)
        ]
        # Pairs of pixels begin at even columns.
        self._left = code.round_down(code.max(code.plus(col, self._first), 0), shape.together)
        right = code.plus(code.min(code.plus(cols[-1], self._last), last_col), 1)
        self.padded = code.round_up(code.minus(right, self._left), shape.passing)
        lane_cols = [code.build_vector(each) for each in self._cols]
        with code.loop(0, self.padded) as at:
            passing = code.select_below(code.plus(self._left, at), right, otherwise=1 << 30)
            for vector, cols_of_lanes in enumerate(lane_cols):
                bias = code.select_within(code.offsets(passing, cols_of_lanes), self._first, self._last, MASKED)
                code.store(bias, self._biases, self.place(at, vector))

    def neighbourhood(self) -> Iterator[Value]:
        """Write a loop over the rows of the window; yield the bias to add to the scores of each row's pixels."""
        code = self._code
        with code.loop(self._top, self._bottom) as row:
            self._pixel = code.plus(code.times(row, self._width), self._left)
            pairs_across = code.ceil_div(self._width, self._shape.together)
            self._pair = code.plus(code.times(row, pairs_across), code.ceil_div(self._left, self._shape.together))
            yield code.select_within(code.offsets(row, self._lane_rows), self._first, self._last, MASKED)

    # Numbers of the lanes' pixels.

    def place(self, index: Number, vector: int) -> Value:
        """The index in a buffer of a vector, for a passing pixel or for a number of the lanes' pixels."""
        return self._code.plus(self._code.times(index, self._shape.vectors), vector)

    def variables(self, value: float) -> list[Array]:
        """Make a variable for each vector, with this value in each lane."""
        code = self._code
        made = [code.variable() for _ in range(self._shape.vectors)]
        for variable in made:
            code.store(code.constant(value), variable)
        return made

    def _pixels(self, vector: int, depth: int) -> list[Value]:
        """The index of the first number of each lane's pixel."""
        code, shape = self._code, self._shape
        return [
            code.times(code.plus(code.times(self._rows[lane // shape.block_cols], self._width), col), depth)
            for lane, col in enumerate(self._cols[vector])
        ]

    def read_pairs(self, plane: Array, depth: int, scale: float) -> Array:
        """Read the lanes' pixels like `read`, and pack them in pairs of bfloat16 if `shape.pairs`."""
        values, code = self.read(plane, depth, scale), self._code
        if self._shape.pairs:
            with code.loop(0, depth // 2) as pair:
                for vector in range(self._shape.vectors):
                    first, second = (
                        code.load(values, self.place(code.plus(code.times(pair, 2), at), vector)) for at in range(2)
                    )
                    code.store(
                        code.pack_pairs(code.round_to_bfloat16(first), code.round_to_bfloat16(second)),
                        values,
                        self.place(pair, vector),
                    )
        return values

    def read(self, plane: Array, depth: int, scale: float) -> Array:
        """Read the lanes' pixels, `depth` numbers each, times `scale`, into a buffer."""
        code, vectors = self._code, range(self._shape.vectors)
        buffer, pixels = code.buffer(depth * len(vectors)), [self._pixels(vector, depth) for vector in vectors]
        with code.loop(0, depth) as number:
            for vector in vectors:
                values = [code.load(plane, code.plus(pixel, number)) for pixel in pixels[vector]]
                code.store(
                    code.multiply(code.build_vector(values), code.constant(scale)), buffer, self.place(number, vector)
                )
        return buffer

    def read_each(self, plane: Array) -> list[Value]:
        """Read one number for each lane's pixel."""
        code = self._code
        return [
            code.build_vector([code.load(plane, pixel) for pixel in self._pixels(vector, 1)])
            for vector in range(self._shape.vectors)
        ]

    def zeros(self, depth: int) -> Array:
        """Make a buffer with `depth` sums for each lane, initially 0."""
        code = self._code
        buffer = code.buffer(depth * self._shape.vectors)
        with code.loop(0, depth * self._shape.vectors) as index:
            code.store(code.constant(0.0), buffer, index)
        return buffer

    def write(self, plane: Array, depth: int, sums: Array, factors: list[Value]) -> None:
        """Write the lanes' sums, times these factors, to their pixels."""
        code, vectors = self._code, range(self._shape.vectors)
        pixels = [self._pixels(vector, depth) for vector in vectors]
        with code.loop(0, depth) as number:
            for vector in vectors:
                values = code.multiply(code.load(sums, self.place(number, vector)), factors[vector])
                for lane, pixel in enumerate(pixels[vector]):
                    code.store(code.extract(values, lane), plane, code.plus(pixel, number))

    def write_each(self, plane: Array, vectors: list[Value]) -> None:
        """Write one number to each lane's pixel."""
        code = self._code
        for index, values in enumerate(vectors):
            for lane, pixel in enumerate(self._pixels(index, 1)):
                code.store(code.extract(values, lane), plane, pixel)

    # Passing pixels.

    def of_passing(self, plane: Array, at: Number) -> Value:
        """Read one number of a passing pixel."""
        return self._code.load(plane, self._code.plus(self._pixel, at))

    def products(
        self,
        lanes: Array,
        plane: Array,
        depth: int,
        then: Callable[[Number, list[list[Value]]], None],
        bias: Value | None = None,
    ) -> None:
        """Compute the inner products of every passing pixel of the row with every lane's pixel, over `depth` numbers.

        `then` is called with the index of the first of `passing` pixels, and a list of vectors with the products of
        each. If there is a `bias` for the row, it and that of the columns are added, which masks pixels outside the
        window.
        """
        code, shape = self._code, self._shape
        depth //= shape.together
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
                        other = code.broadcast(code.load(pixel, code.plus(number, index * depth)))
                        self._add(sums[index], own, other)
            then(at, [[code.load(variable) for variable in each] for each in sums])

    def keep(self, at: Number, vectors: list[list[Value]], buffer: Array) -> None:
        """Store the vectors of the row's passing pixels, starting with pixel `at`."""
        for index, each in enumerate(vectors):
            for vector, value in enumerate(each):
                self._code.store(value, buffer, self.place(self._code.plus(at, index), vector))

    def exponentiate(self, tops: list[Value], totals: list[Array]) -> None:
        """Replace the row's scores by weights, and add these to the totals."""
        code, pairs = self._code, self._shape.pairs
        of_row = self.variables(0.0)  # summing each row separately reduces the rounding error
        with code.loop(0, self.padded, 2) as start:
            for vector, top in enumerate(tops):
                weights = []
                for place in (self.place(code.plus(start, offset), vector) for offset in range(2)):
                    score = code.subtract(code.load(self.weights, place), top)
                    # The total sums the truncated weights, so that the normalised weights still sum to 1.
                    weights.append(
                        code.truncate_to_bfloat16(code.exp2(score, _PAIRS_DEGREE)) if pairs else code.exp2(score)
                    )
                    code.store(code.add(code.load(of_row[vector]), weights[-1]), of_row[vector])
                    if not pairs:
                        code.store(weights[-1], self.weights, place)
                if pairs:
                    code.store(code.pack_pairs(*weights), self.weights, self.place(code.ceil_div(start, 2), vector))
        for total, part in zip(totals, of_row, strict=True):
            code.store(code.add(code.load(total), code.load(part)), total)

    def accumulate(self, weights: Array, plane: Array, depth: int, sums: Array) -> None:
        """Add the row's passing pixels, `depth` numbers each, times their weights to the lanes' sums."""
        code, vectors = self._code, range(self._shape.vectors)
        together, unroll = self._shape.summed_at_once(depth), 2
        with code.loop(0, depth, together) as first:
            held = [self.variables(0.0) for _ in range(together)]  # of each row separately, like the weights
            with code.loop(0, code.ceil_div(self.padded, self._shape.together), unroll) as start:
                for at in (code.plus(start, offset) for offset in range(unroll)):
                    own = [code.load(weights, self.place(at, vector)) for vector in vectors]
                    pixel = code.at(plane, code.plus(code.times(code.plus(self._pair, at), depth), first))
                    for index in range(together):
                        self._add(held[index], own, code.broadcast(code.load(pixel, index)))
            for index, vector in itertools.product(range(together), vectors):
                at = self.place(code.plus(first, index), vector)
                code.store(code.add(code.load(sums, at), code.load(held[index][vector])), sums, at)

    def _add(self, sums: list[Array], own: list[Value], other: Value) -> None:
        code = self._code
        add = code.dot_pairs if self._shape.pairs else code.fma
        for variable, value in zip(sums, own, strict=True):
            code.store(add(value, other, code.load(variable)), variable)

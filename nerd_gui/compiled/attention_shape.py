"""What attention's code is written for: sizes, lanes, and how much it holds at once."""

from dataclasses import dataclass

BLOCK_ROWS = 4
#: Rows of weights that the code writes down while it works.
ROW_BUFFERS = 3
MASKED = -1e38  # a score that nobody sees


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
        Vectors of a block.
    passing : int
        Pixels that pass at once: `passing` x `vectors` sums must fit into the registers.
    pairs : bool
        Multiply pairs of bfloat16, two numbers of a lane at once, where the processor can: of keys and queries those
        that follow each other, of values those of two pixels side by side. Sums stay float32.
    """

    d_k: int
    d_v: int
    lanes: int = 16
    vectors: int = 2
    passing: int = 8
    pairs: bool = False

    @property
    def block_cols(self) -> int:
        """Columns of pixels in a vector, `BLOCK_ROWS` rows each."""
        return self.lanes // BLOCK_ROWS

    @property
    def together(self) -> int:
        """Numbers that one multiplication takes."""
        return 2 if self.pairs else 1

    def summed_at_once(self, depth: int) -> int:
        """How many numbers of a pixel are summed at once."""
        return next(size for size in (self.passing, 4, 2, 1) if depth % size == 0)

    def row_vectors(self, window: int) -> int:
        """Vectors of one row of weights at most."""
        return (window + self.vectors * self.block_cols + self.passing) * self.vectors

"""The sizes for which attention's code is written."""

from dataclasses import dataclass

BLOCK_ROWS = 4
#: Number of buffers for one row of the window: biases, weights and gradients.
ROW_BUFFERS = 3
MASKED = -1e38  # the score of pixels outside the window


@dataclass(frozen=True)
class Shape:
    """The sizes of one version of the code.

    Attributes
    ----------
    d_k, d_v : int
        Depth of queries and keys, and of values.
    lanes : int
        Floats in a vector: 16 if the CPU has 32 registers of that size, else 8.
    vectors : int
        Vectors in a block.
    passing : int
        Passing pixels processed at a time; `passing` x `vectors` sums must fit into the registers.
    pairs : bool
        Whether each multiplication takes pairs of bfloat16: two consecutive numbers of queries and keys, and values of
        two neighbouring pixels. Sums are float32.
    """

    d_k: int
    d_v: int
    lanes: int = 16
    vectors: int = 2
    passing: int = 8
    pairs: bool = False

    @property
    def block_cols(self) -> int:
        """Columns of pixels in a vector, which covers `BLOCK_ROWS` rows."""
        return self.lanes // BLOCK_ROWS

    @property
    def together(self) -> int:
        """Numbers per lane in one multiplication."""
        return 2 if self.pairs else 1

    def summed_at_once(self, depth: int) -> int:
        """Numbers of a pixel that are summed at a time."""
        return next(size for size in (self.passing, 4, 2, 1) if depth % size == 0)

    def row_vectors(self, window: int) -> int:
        """Largest number of vectors in a row of weights."""
        return (window + self.vectors * self.block_cols + self.passing) * self.vectors

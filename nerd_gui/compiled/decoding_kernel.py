"""Compiles `decoding_code` for this CPU and runs it: feature decoding (Eq. 4) without gradients."""

import functools

import torch
from torch import Tensor

from nerd_gui.compiled.availability import obtain, obtain_for
from nerd_gui.compiled.self_check import check_decoding
from nerd_gui.compiled.threads import in_threads


def decoder_for(z: Tensor, channels: int) -> "Decoder | None":
    """Return the compiled decoder of z (B, d, rows, cols) to C channels; None if there is none for it."""
    decoder = obtain_for(z, lambda: _decoder(channels, z.shape[1]))
    return decoder if decoder is not None and z.shape[3] >= decoder.least_cols else None


@functools.cache
def _decoder(channels: int, features: int) -> "Decoder | None":
    def make() -> Decoder | None:
        from nerd_gui.compiled import compiler

        lanes, _ = compiler.registers()
        if features % lanes:
            return None
        decoder = Decoder(channels, features, lanes)
        check_decoding(decoder, channels, features)
        return decoder

    return obtain(make)


class Decoder:
    """The compiled decoder.

    Attributes
    ----------
    least_cols : int
        Least number of columns of a picture.
    """

    def __init__(self, channels: int, features: int, lanes: int) -> None:
        from nerd_gui.compiled import compiler, decoding_code

        self._shape = decoding_code.DecodingShape(channels, features, lanes)
        self.least_cols = decoding_code.PIXELS
        self._part = decoding_code.PART_ROWS, decoding_code.PART_COLS
        self._function = compiler.compile_function("decode", decoding_code.decode(self._shape), 6, 6)

    def __call__(self, z: Tensor, factor: Tensor, summand: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Convolve relu(factor * z + summand), on as many threads as PyTorch uses.

        Parameters
        ----------
        z : Tensor, shape (B, d, rows, cols)
            It is copied unless it is in the channels-last memory format.
        factor, summand : Tensor, shape (d,)
        weight : Tensor, shape (C, d, 3, 3)
        bias : Tensor, shape (C,)

        Returns
        -------
        Tensor, shape (B, C, rows, cols)
        """
        pixels = z.permute(0, 2, 3, 1).contiguous()
        batch, rows, cols, _ = pixels.shape
        out = torch.empty((batch, self._shape.channels, rows, cols), dtype=torch.float32)
        beside = [torch.stack([factor, summand]), weight.permute(2, 3, 0, 1).contiguous(), bias.contiguous()]
        tall, wide = self._part
        starts = [min(left, cols - self.least_cols) for left in range(0, cols, wide)]
        tasks = iter([(one, top, left) for one in range(batch) for top in range(0, rows, tall) for left in starts])

        def work() -> None:
            scratch = torch.empty(self._shape.scratch, dtype=torch.float32)
            for one, top, left in tasks:
                tensors = [scratch, pixels[one], *beside, out[one]]
                ends = min(top + tall, rows), left, min(left + wide, cols)
                self._function(*(tensor.data_ptr() for tensor in tensors), rows, cols, top, *ends)

        in_threads(work)
        return out

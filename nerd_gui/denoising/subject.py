"""The subject of a run: the noisy picture, and what is known about it."""

from dataclasses import dataclass

import numpy as np

from nerd_gui.denoising.errors import RunError
from nerd_gui.imaging import Photo, add_noise


@dataclass(frozen=True, eq=False)
class Subject:
    """The noisy picture that a run denoises, and what is known about it.

    Attributes
    ----------
    photo : Photo
        The whole photo as opened.
    noisy : float32 array (C, rows, cols)
        y: the photo or its region, with the added noise if there is any.
    clean : float32 array (C, rows, cols) or None
        x, the clean picture, if it is known.
    sigma : float or None
        Standard deviation of the added noise, 0-255; None for a photo that is noisy already.
    seed : int or None
        Seed of the added noise.
    region : (row, col, rows, cols) or None
        The part of the photo that is denoised; None: all of it.
    """

    photo: Photo
    noisy: np.ndarray
    clean: np.ndarray | None = None
    sigma: float | None = None
    seed: int | None = None
    region: tuple[int, int, int, int] | None = None

    @classmethod
    def of(
        cls,
        photo: Photo,
        *,
        sigma: float | None = None,
        seed: int = 0,
        clean: Photo | None = None,
        region: tuple[int, int, int, int] | None = None,
    ) -> "Subject":
        """Make the subject of a run.

        Parameters
        ----------
        sigma : float, optional
            Level of the noise to add, 0-255; the photo is then the clean picture. None: the photo is noisy already.
        seed : int
            Seed of the added noise.
        clean : Photo, optional
            The clean picture of an already noisy photo.
        region : (row, col, rows, cols), optional
            The part of the photo to denoise; None: all of it.

        Raises
        ------
        RunError
            If sigma or seed is out of its range, the clean picture has another size or number of channels, or the
            region does not lie inside the photo.
        """
        if clean is not None and clean.pixels.shape != photo.pixels.shape:
            raise RunError(
                f"The clean picture “{clean.name}” has {clean.cols} x {clean.rows} pixels and {clean.channels} "
                f"channel(s), but the photo has {photo.cols} x {photo.rows} pixels and {photo.channels} channel(s); "
                "choose the clean version of this photo."
            )
        if clean is not None and sigma is not None:
            raise RunError("The photo is itself the clean picture if noise is added to it; do not name another one.")
        if seed < 0:
            raise RunError(f"The seed of the noise must be 0 or more, not {seed}.")
        try:
            part = photo.crop(*region) if region else photo
            if sigma is not None:
                return cls(photo, add_noise(part.pixels, sigma, seed), part.pixels, float(sigma), seed, region)
            truth = None if clean is None else (clean.crop(*region) if region else clean).pixels
        except ValueError as error:
            raise RunError(str(error)) from error
        return cls(photo, part.pixels, truth, region=region)

    @property
    def channels(self) -> int:
        """C: 1 for grey, 3 for RGB."""
        return int(self.noisy.shape[0])

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column in the photo of the subject's upper left pixel."""
        return (0, 0) if self.region is None else self.region[:2]

    @property
    def rows(self) -> int:
        """The subject's height in pixels."""
        return int(self.noisy.shape[1])

    @property
    def cols(self) -> int:
        """The subject's width in pixels."""
        return int(self.noisy.shape[2])

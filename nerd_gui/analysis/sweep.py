"""How an equilibrium changes with the noise, the attention window, the arithmetic and the amount of denoising."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt, map_of, solved
from nerd_gui.imaging import noise_level, psnr
from nerd_gui.nerd import Network, exact_float32
from nerd_gui.nerd.attention import Precision

Over = Literal["sigma", "window", "precision", "amount"]


@dataclass(frozen=True, eq=False)
class Swept:
    """The equilibrium at one value of a sweep.

    Attributes
    ----------
    value : float or str
        The noise level sigma (0-255), q in pixels, "float32" or "bfloat16", or the fraction of n_hat that is applied.
    x_hat : Tensor, (C, rows, cols)
    residual : float
    evaluations : int
        Evaluations of f, starting from the previous equilibrium on the path.
    noise_level : float
        Estimated noise level, 0-255: the mean standard deviation of n_hat in blocks.
    psnr : float
        In dB; NaN if the clean picture is not known.
    moved : float
        ``||z - z*|| / ||z*||``, the distance from the given equilibrium z*.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> half, whole = sweep(net, y, z, "amount", [0.5, 1.0])
    >>> torch.allclose(half.x_hat, (y[0] + whole.x_hat) / 2)
    True
    """

    value: float | str
    x_hat: Tensor
    residual: float
    evaluations: int
    noise_level: float
    psnr: float
    moved: float


def sweep(
    net: Network,
    y: Tensor,
    z: Tensor,
    over: Over,
    values: Sequence[float | str],
    *,
    clean: Tensor | None = None,
    sigma: float | None = None,
    level: float | None = None,
    window: int | None = None,
    max_iter: int = 17,
    tol: float = 1e-3,
    interrupt: Interrupt | None = None,
) -> list[Swept]:
    """Solve at several values of a quantity, each time starting from the equilibrium at the previous value.

    The path begins at the value that z belongs to, first upwards and then, again from there, downwards.

    Parameters
    ----------
    net, y, z, level, window, interrupt
        See `Linearised`.
    over : {"sigma", "window", "precision", "amount"}
        The quantity. "sigma": the same noise, scaled; a network with level input is given the scaled level.
        "window": q. "precision": the arithmetic inside f. "amount": the fraction of n_hat that is applied; z stays.
    values : sequence
        Numbers, or "float32" and "bfloat16" for the precision.
    clean : Tensor, (C, rows, cols), optional
        The picture without noise; required for a sweep over sigma.
    sigma : float, optional
        The level of the noise in y, 0-255; required for a sweep over sigma.
    max_iter, tol
        The solver's step limit and the residual at which it stops, for each value.

    Returns
    -------
    list of Swept
        One for each value, in the order of `values`.

    Raises
    ------
    ValueError
        If there is no value, or a sweep over sigma lacks the clean picture or the level.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> found = sweep(net, y, z, "window", [9, 17], tol=1e-2)
    >>> [swept.value for swept in found], found[1].moved < found[0].moved  # 17 is the network's own
    ([9, 17], True)
    """
    if not values:
        raise ValueError("A sweep needs at least one value.")
    if over == "sigma" and (clean is None or not sigma):
        raise ValueError("A sweep over sigma needs the clean picture, and the level of the noise that was added to it.")
    z = z.to(y.dtype)
    own = {"sigma": sigma, "window": window or net.window, "precision": "float32", "amount": 1.0}[over]
    about = _Setting(net, y, z, over, clean, sigma, level, window, interrupt)
    if over == "amount":
        f, _ = map_of(net, y, level, window, interrupt)
        f_z = f(z)
        residual = float((f_z - z).norm() / f_z.norm())
        return [about.swept(value, y, z, residual, 1, float(value)) for value in values]
    found: dict[float | str, Swept] = {}
    for way in _from(own, values):
        before = z
        for value in way:
            noisy, f = about.of(value)
            at = solved(f, before, max_iter=max_iter, tol=tol)
            found[value] = about.swept(value, noisy, at.z, at.residual, at.evaluations)
            before = at.z
    return [found[value] for value in values]


def _from(own: float | str | None, values: Sequence[float | str]) -> Iterator[list[float | str]]:
    """Split the values into two paths that lead away from the network's own value: upwards, and downwards."""
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values) or own is None or isinstance(own, str):
        yield list(values)
        return
    yield sorted(value for value in numbers if value >= own)
    yield sorted((value for value in numbers if value < own), reverse=True)


@dataclass(frozen=True, eq=False)
class _Setting:
    """The arguments of a sweep that stay the same along its path."""

    net: Network
    y: Tensor
    z: Tensor
    over: Over
    clean: Tensor | None
    sigma: float | None
    level: float | None
    window: int | None
    interrupt: Interrupt | None

    def of(self, value: float | str) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The noisy picture and the map f at a value of the path."""
        y, level, window = self.y, self.level, self.window
        precision: Precision = "float32"
        if self.over == "sigma":
            assert self.clean is not None and self.sigma is not None
            y = self.clean + (self.y - self.clean) * (float(value) / self.sigma)
            level = None if level is None else float(value)
        elif self.over == "window":
            window = int(value)
        elif value == "bfloat16":
            precision = "bfloat16"
        return y, map_of(self.net, y, level, window, self.interrupt, precision=precision)[0]

    @torch.no_grad()
    def swept(
        self, value: float | str, y: Tensor, z: Tensor, residual: float, evaluations: int, amount: float = 1.0
    ) -> Swept:
        with exact_float32():
            n_hat = amount * self.net.estimate(y, z)[1]
        x_hat = (y + n_hat)[0]
        return Swept(
            value,
            x_hat,
            residual,
            evaluations,
            float(np.mean(noise_level(n_hat[0].cpu().numpy()))),
            math.nan if self.clean is None else psnr(self.clean.cpu().numpy(), x_hat.cpu().numpy()),
            float((z - self.z).norm() / self.z.norm()),
        )

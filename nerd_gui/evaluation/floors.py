"""The reference PSNR of each released network on one small noisy picture, which a test compares with.

``python -m nerd_gui.evaluation.floors`` measures all networks that are shipped with the program and writes
``weights/floors.json``; it must be run for each release.
"""

import json
from pathlib import Path
from typing import Any

import torch

from nerd_gui.equilibrium import broyden
from nerd_gui.files import write_text
from nerd_gui.imaging import open_sample, psnr
from nerd_gui.nerd import NERD, exact_float32, load_nerd, load_record, model_names, weights_sha256
from nerd_gui.places import data_folder
from nerd_gui.training.noise_models import NoiseModel, noise_from_json

SIDE = 128  # pixels
_SAMPLE, _ROW, _COL = "coffee", 140, 220
_STEPS = 6


def floor(name_or_path: str | Path) -> dict[str, Any]:
    """Measure a released network on a crop of a sample, with the noise that it was trained on.

    Returns
    -------
    dict
        ``weights``, the SHA-256 of its file; ``noisy`` and ``psnr``, in dB, before and after denoising.

    Raises
    ------
    ModelError
        If the network cannot be loaded.
    KeyError
        If its file does not say which noise it was trained on.
    """
    noise = noise_from_json(load_record(name_or_path)["recipe"]["noise"])
    before, after = score(load_nerd(name_or_path), noise)
    return {"weights": weights_sha256(name_or_path), "noisy": round(before, 2), "psnr": round(after, 2)}


@torch.no_grad()
def score(net: NERD, noise: NoiseModel) -> tuple[float, float]:
    """Return the PSNR in dB of the noisy crop, and of the denoised one after six Broyden steps."""
    side = noise.side(SIDE)
    margin = (side - SIDE) // 2  # pixels that the noise model's filters cut off
    photo = open_sample(_SAMPLE).crop(_ROW - margin, _COL - margin, side, side)
    pixels = (photo.grey() if net.config.channels == 1 else photo).pixels
    made = noise.for_validation(torch.from_numpy(pixels)[None])
    with exact_float32():
        s = net.inject(made.noisy, made.level if net.config.level_input else None)
        steps = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=_STEPS, tol=1e-3)
        best = min(steps, key=lambda step: float(step.residual))
        x_hat = net.estimate(made.noisy, best.z)[0]
    clean = made.target[0].numpy()
    return psnr(clean, made.noisy[0].numpy()), psnr(clean, x_hat[0].numpy())


def main() -> None:
    """Measure all networks and write the file."""
    path = data_folder("weights") / "floors.json"
    write_text(path, json.dumps({name: floor(name) for name in model_names()}, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()

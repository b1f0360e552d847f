"""Entries like those of `evaluate`, made without a run."""

from nerd_gui.evaluation.figures import SETTINGS

MEANS = {
    "psnr": 30.0,
    "ssim": 0.8,
    "residual_best": 1e-3,
    "residual_last": 2e-3,
    "noise_level": 24.0,
    "psnr_last": 29.9,
    "psnr_noisy": 20.0,
    "ssim_noisy": 0.5,
    "agreement": None,
}
DEFAULTS = {"solver": "broyden", "max_iter": 17, "tol": 0.0, "memory": None, "window": None, "precision": "float32"}
assert tuple(DEFAULTS) == SETTINGS


def entry_of(folder, sigma, count, *, model="nerd-lite", weights="", other_solver=None, psnr=30.0, **settings):
    """Make a complete entry of `count` images, named 01, 02, ..., with equal figures."""
    means = {**MEANS, "psnr": psnr}
    image = {**means, "iterations": 17, "seconds": 2.0}
    images = [{"name": f"{i + 1:02}", "seed": None if sigma is None else i, **image} for i in range(count)]
    return {
        "model": model,
        "sigma": sigma,
        **means,
        "images": images,
        "folder": folder,
        "weights": weights,
        "settings": {**DEFAULTS, "limit": None, **settings},
        "other_solver": other_solver,
        "device": "cpu",
        "plan": [],
        "partial": False,
    }

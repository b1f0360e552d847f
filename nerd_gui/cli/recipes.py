"""Shared by the commands that use training recipes."""

import torch

from nerd_gui.cli.arguments import UsageError
from nerd_gui.training.recipe import Recipe, find_recipe


def recipe_and_device(config: str, device: str | None) -> tuple[Recipe, str]:
    """Find a recipe by name or file, and check the device (None: CUDA if available).

    Raises
    ------
    UsageError
        If there is no such recipe or device.
    """
    try:
        recipe = find_recipe(config)
    except ValueError as error:
        raise UsageError(str(error)) from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"This machine has no device “{device}”; choose another one, such as cpu.") from error
    return recipe, device

"""What the commands that train have in common."""

import torch

from nerd_gui.cli.arguments import UsageError
from nerd_gui.training.recipe import Recipe, find_recipe


def recipe_and_device(config: str, device: str | None) -> tuple[Recipe, str]:
    """The recipe of that name or file, and the device asked for (None: a CUDA device where there is one).

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
        raise UsageError(f"There is no device “{device}” here; choose another one, such as cpu.") from error
    return recipe, device

"""Training: data, recipes, the training run and its state. It imports only torch, numpy, Pillow and safetensors."""

from nerd_gui.training.data import DataError
from nerd_gui.training.execution import Execution
from nerd_gui.training.processes import Processes, joined
from nerd_gui.training.recipe import RECIPES, Recipe, Stage, find_recipe
from nerd_gui.training.train import train
from nerd_gui.training.trainer import Trainer

__all__ = [
    "RECIPES",
    "DataError",
    "Execution",
    "Processes",
    "Recipe",
    "Stage",
    "Trainer",
    "find_recipe",
    "joined",
    "train",
]

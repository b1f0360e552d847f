"""The network of the paper: attention, layers, model, and the weights catalogue."""

from nerd_gui.nerd.layers import AttentionMaps, GroupStatistics
from nerd_gui.nerd.model import NERD, NerdConfig, exact_float32
from nerd_gui.nerd.weights import (
    ModelError,
    load_config,
    load_model,
    load_record,
    model_names,
    model_path,
    save_model,
    weights_sha256,
)

__all__ = [
    "NERD",
    "AttentionMaps",
    "GroupStatistics",
    "ModelError",
    "NerdConfig",
    "exact_float32",
    "load_config",
    "load_model",
    "load_record",
    "model_names",
    "model_path",
    "save_model",
    "weights_sha256",
]

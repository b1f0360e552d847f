"""The network of the paper: attention, layers, model, and the catalogue of trained weights."""

from nerd_gui.nerd.layers import AttentionMaps, GroupStatistics
from nerd_gui.nerd.model import NERD, exact_float32
from nerd_gui.nerd.network import NerdConfig, Network
from nerd_gui.nerd.own import FixedPointModel, OwnModelError, own_names, register, register_object
from nerd_gui.nerd.weights import (
    ModelError,
    ablation_names,
    load_config,
    load_model,
    load_nerd,
    load_record,
    model_names,
    model_path,
    save_model,
    weights_sha256,
)

__all__ = [
    "NERD",
    "AttentionMaps",
    "FixedPointModel",
    "GroupStatistics",
    "ModelError",
    "NerdConfig",
    "Network",
    "OwnModelError",
    "ablation_names",
    "exact_float32",
    "load_config",
    "load_model",
    "load_nerd",
    "load_record",
    "model_names",
    "model_path",
    "own_names",
    "register",
    "register_object",
    "save_model",
    "weights_sha256",
]

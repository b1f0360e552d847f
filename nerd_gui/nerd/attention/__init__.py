"""Neighbourhood attention: the attention of Eq. 7-8, with each query restricted to the window centred on it.

A query at (r, c) attends to the `window` x `window` pixels centred on it that lie inside the picture: no wrap, no
shift, no padding keys. An even window q covers the offsets -q/2 ... q/2 - 1 (Table VIII).

`neighbourhood_attention` uses the fastest implementation available, see `dispatch`.
"""

from nerd_gui.nerd.attention.dispatch import (
    AttentionPath,
    Precision,
    attention_path,
    attention_row,
    neighbourhood_attention,
    reference_attention,
)
from nerd_gui.nerd.attention.spread import attended, attention_spread
from nerd_gui.nerd.attention.window import allowed_keys, window_offsets

__all__ = [
    "AttentionPath",
    "Precision",
    "allowed_keys",
    "attended",
    "attention_path",
    "attention_row",
    "attention_spread",
    "neighbourhood_attention",
    "reference_attention",
    "window_offsets",
]

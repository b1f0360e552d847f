"""Decides for the whole program whether compiled code is used, for attention, the solver's passes and decoding.

If writing, compiling, loading or checking the code fails, the plain path is used from then on.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

#: Setting this environment variable to "0" turns compiled code off.
SWITCH = "NERD_GUI_COMPILED"
#: How many times as long an iterate in float32 takes on the plain path as with compiled code: see `nerd-gui bench`.
SLOWER = "2 to 4"

_making, _telling = threading.RLock(), threading.Lock()


class Unavailable(Exception):
    """Compiled code was requested but is not available; the message says why."""


@dataclass(frozen=True)
class Status:
    """Whether compiled code or the plain path is used.

    Attributes
    ----------
    compiled : bool
        True for compiled code; False for PyTorch's own operations, the plain path.
    reason : str or None
        Why the plain path is used, as a clause without a full stop; None for compiled code.
    """

    compiled: bool
    reason: str | None = None

    def __str__(self) -> str:
        if self.compiled:
            return "Compiled code for this processor is used."
        return f"An iterate takes {SLOWER} times as long, because no compiled code is used: {self.reason}."


_failure: str | None = None
_asked_for = False  # whether the plain path was asked for


def status(device: str = "cpu") -> Status:
    """Which path is used on a device, as far as known; code is compiled at its first use."""
    if not device.startswith("cpu"):
        return Status(False, f"it runs on the processor only, and the device is {device}")
    reason = "the plain path was asked for" if _asked_for else _failure or _beforehand()
    return Status(reason is None, reason)


def available() -> bool:
    """Whether compiled code is to be used; if it is not available, a message is printed to stderr once."""
    found = status()
    if not (found.compiled or _asked_for):
        _tell(str(found))
    return found.compiled


@contextlib.contextmanager
def plain_path() -> Iterator[None]:
    """Within this context, all threads use the plain path, to compare it with compiled code."""
    global _asked_for
    _asked_for = True
    try:
        yield
    finally:
        _asked_for = False


def obtain(make: Callable[[], T]) -> T:
    """Call `make`, which compiles and checks code, and return its result.

    Raises
    ------
    Unavailable
        If that fails, or something failed before.
    """
    global _failure
    with _making:
        found = status()
        if found.compiled:
            try:
                return make()
            except Exception as error:  # noqa: BLE001 - after any error, the plain path can be used
                what = str(error) if isinstance(error, Wrong) else f"it cannot be compiled ({_words(error)})"
                _failure = what
                found = status()
    _tell(str(found))
    raise Unavailable(str(found))


def obtain_for(x: Tensor, make: Callable[[], T]) -> T | None:
    """Call `make`, which obtains compiled code for tensors like x; None if there is none.

    There is none where x is not on the CPU or not float32.
    """
    import torch  # slow to load, and most commands that import this module do not need it

    if x.device.type != "cpu" or x.dtype is not torch.float32 or not available():
        return None
    with contextlib.suppress(Unavailable):
        return make()
    return None


class Wrong(Exception):
    """The results of compiled code and of the plain path differ."""


@functools.cache
def _beforehand() -> str | None:
    """The reason why compiled code cannot work on this machine; None if it may."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0 turns it off"
    try:
        from nerd_gui.compiled import compiler

        return compiler.lacking()
    except ModuleNotFoundError as error:
        return f"{(error.name or str(error)).split('.')[0]} is not installed"
    except Exception as error:  # noqa: BLE001 - as above
        return f"llvmlite cannot be used ({_words(error)})"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _tell(sentence: str) -> None:
    with _telling:  # so that simultaneous threads print only one message
        _tell_once(sentence)


@functools.cache
def _tell_once(sentence: str) -> None:
    print(f"nerd-gui: {sentence}", file=sys.stderr)

"""Shared by all commands: argument types, error messages and exit codes."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO, TypeVar

#: Exit codes: some of several photos failed; an error that the user has to correct; interrupted.
SOME_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

T = TypeVar("T", int, float)


class UsageError(ValueError):
    """A command line is invalid; the message is a sentence that says why."""


def say(message: object) -> None:
    """Print a message as one line to stderr."""
    print("nerd-gui:", " ".join(str(message).split()), file=sys.stderr, flush=True)


class LastingStream:
    """An output stream that ignores a broken pipe, so that the work continues and is not lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, unless the pipe is broken."""
        with self._unbroken():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, unless the pipe is broken."""
        with self._unbroken():
            self._stream.flush()

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            # The rest of the buffer is discarded as well, when the interpreter exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class Parser(argparse.ArgumentParser):
    """An argument parser that raises a `UsageError` with one sentence, instead of printing the whole usage."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        super().__init__(
            prog=f"nerd-gui {command}".strip(),
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with the parser's message.

        Raises
        ------
        UsageError
        """
        raise UsageError(f"{message.rstrip('.')}; see “{self.prog} --help”.")


def add_max_pixels(parser: argparse.ArgumentParser) -> None:
    """Add the option --max-pixels, which allows photos that seem too large for their files; `main` applies it."""
    parser.add_argument(
        "--max-pixels",
        type=whole(1),
        metavar="N",
        help="open photos of up to N pixels, even if their files are suspiciously small",
    )


def sigma(text: str) -> float:
    """An argument that is a noise level on the 0-255 scale."""
    return _number(text, float, lambda value: 0 <= value <= 255, "a noise level, a number from 0 to 255")


def quality(text: str) -> int:
    """An argument that is the quality of a JPEG or WebP file."""
    return _number(text, int, lambda value: 1 <= value <= 100, "a quality, a whole number from 1 to 100")


def not_negative(text: str) -> float:
    """An argument that is a number of 0 or more."""
    return _number(text, float, lambda value: 0 <= value < math.inf, "a number of 0 or more")


def positive(text: str) -> float:
    """An argument that is a number above 0."""
    return _number(text, float, lambda value: 0 < value < math.inf, "a number above 0")


def whole(least: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number of `least` or more."""
    return lambda text: _number(text, int, lambda value: value >= least, f"a whole number of {least} or more")


def network(text: str) -> str:
    """An argument that names a network: a shipped one, a file, or a user's own model, which is imported here."""
    if ":" in text and not text.endswith(".safetensors"):
        from nerd_gui.nerd import OwnModelError, register_object

        try:
            return register_object(text)
        except OwnModelError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _number(text: str, kind: type[T], fits: Callable[[T], bool], meant: str) -> T:
    try:
        value = kind(text)
        if fits(value):  # false for NaN
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"“{text}” is not {meant}")

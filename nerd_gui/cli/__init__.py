"""The command line: the window and the commands of `COMMANDS`, on the same core.

A command's module is imported when it is called, so that training needs neither Qt nor scikit-image.
"""

import argparse
import importlib
import io
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from nerd_gui import allocator
from nerd_gui.cli.arguments import BAD_INPUT, INTERRUPTED, LastingStream, say

COMMANDS = (
    "denoise",
    "analyse",
    "evaluate",
    "reproduce",
    "noise",
    "train",
    "export-onnx",
    "export-hub",
    "bench",
    "tune",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code, which is 0 on success; for others see `arguments`.

    The first argument names the command. If it does not, the window opens, and the argument is the photo to open.
    """
    began = time.monotonic()  # before PyTorch is loaded, because time limits include loading it
    allocator.prepare()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that the terminal cannot show
    with redirect_stdout(LastingStream(sys.stdout)), redirect_stderr(LastingStream(sys.stderr)):
        return _run(argv, began)


def _run(argv: Sequence[str] | None, began: float) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "window"
    try:
        command = importlib.import_module(f"nerd_gui.cli.{name}".replace("-", "_"))
        args = command.parser().parse_intermixed_args(arguments, argparse.Namespace(began=began, max_pixels=None))
        if args.max_pixels is not None:
            importlib.import_module("nerd_gui.imaging.limits").allow_pixels(args.max_pixels)
        code: int = command.run(args)
        return code
    except KeyboardInterrupt:
        say("Interrupted. No file was left half-written.")
        return INTERRUPTED
    except ValueError as error:
        # The program's own errors have messages for the user; any other is a bug and keeps its traceback.
        if not type(error).__module__.startswith("nerd_gui."):
            raise
        say(error)
    except (MemoryError, RuntimeError) as error:
        if not allocator.ran_out(error):
            raise
        say("There is not enough memory. Close other programs, or take a smaller picture.")
    except OSError as error:
        say(f"“{error.filename}” cannot be used ({error.strerror}); check the path." if error.filename else error)
    return BAD_INPUT

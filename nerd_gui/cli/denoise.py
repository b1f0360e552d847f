"""`nerd-gui denoise`: photo files in, denoised files and a report out."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from nerd_gui.cli.arguments import Parser, UsageError, say, sigma, whole
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import check_file, check_folder, write_text
from nerd_gui.denoising import Iterate, RunError, Trajectory
from nerd_gui.denoising.photo_files import Destination, denoise_file
from nerd_gui.imaging import PhotoError, open_photo, what_is_lost
from nerd_gui.nerd import load_model


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui denoise`."""
    made = Parser(
        "denoise",
        "Denoise photo files; what a file says beside its pixels, and their depth, are kept.",
        "examples:\n  nerd-gui denoise noisy.png -o clean.png --report run.json\n"
        "  nerd-gui denoise *.jpg -o denoised/\n"
        "  nerd-gui denoise clean.png -o test.png --add-noise 25 --seed 1\n"
        "  nerd-gui denoise noisy.png --clean truth.png -o out.png --solver plain --max-iter 40",
    )
    add = made.add_argument
    add("inputs", nargs="+", type=Path, metavar="INPUT", help="photos: PNG, JPEG, TIFF, WebP or BMP")
    add("-o", "--output", required=True, metavar="OUT", help="file, or folder for files NAME_denoised")
    add("--add-noise", type=sigma, metavar="S", help="the photo is clean: add noise of this level (0-255) first")
    add("--seed", type=whole(0), metavar="N", help="of the added noise (default: 0)")
    add("--clean", type=Path, metavar="FILE", help="the clean picture of a noisy photo, to compare with")
    add("--model", metavar="NAME", help="network by name, or a .safetensors file")
    add("--report", type=Path, metavar="FILE.json", help="write the run's numbers (of several photos, a list of them)")
    add("--overwrite", action="store_true", help="replace files that exist, the original among them if it is OUT")
    add_run_options(made)
    return made


def run(args: argparse.Namespace) -> int:
    """Denoise every photo; one that cannot be denoised is named and left out, and the exit code is then 2.

    Raises
    ------
    UsageError, RunError, PhotoError, ModelError
        Before the first run, for what concerns all of them.
    """
    if args.seed is not None and args.add_noise is None:
        raise UsageError("--seed chooses the noise that --add-noise adds; give both or neither.")
    several = len(args.inputs) > 1
    if args.clean is not None and several:
        raise UsageError("--clean names the clean picture of one photo; denoise several photos one by one.")

    destination = Destination(args.output, several=several, overwrite=args.overwrite)
    check_folder(destination.existing_folder)
    check_file(args.report, replace=args.overwrite)
    if args.report is not None:
        others = [*args.inputs, args.clean or args.inputs[0], destination.path]
        if args.report.resolve() in [path.resolve() for path in others]:
            raise UsageError(f"The report “{args.report}” would replace a picture; choose another name for it.")
    clean = None if args.clean is None else open_photo(args.clean)
    settings = run_settings(args, args.model)
    net = load_model(settings.model, device=settings.device)
    reports, code = [], 0
    for source in args.inputs:
        try:
            with _Progress(source.name) as watch:
                saved, trajectory = denoise_file(
                    source,
                    destination,
                    settings,
                    net,
                    sigma=args.add_noise,
                    seed=args.seed or 0,
                    clean=clean,
                    watch=watch,
                    announce=say,
                )
        except (PhotoError, RunError) as error:
            say(error)
            code = 2
        else:
            _summarize(saved, trajectory)
            reports.append(trajectory.report())
    if args.report is not None and reports:
        text = json.dumps(reports if several else reports[0], indent=2, allow_nan=False) + "\n"
        write_text(args.report, text, overwrite=args.overwrite)
    return code


class _Progress:
    """A run's iterates on stderr: one line that changes on a terminal, a line for each elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._live = sys.stderr.isatty()
        self._begun = False

    def __enter__(self) -> "_Progress":
        return self

    def __call__(self, iterate: Iterate) -> None:
        line = f"{self._name}: iterate {iterate.index:2}, {_figures(iterate)}"
        if self._live:
            line = f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K"
        print(line, end="" if self._live else "\n", file=sys.stderr, flush=True)
        self._begun = True

    def __exit__(self, *_: object) -> None:
        if self._live and self._begun:
            print(file=sys.stderr)


def _figures(iterate: Iterate) -> str:
    score = "" if iterate.psnr is None else f"{iterate.psnr:.2f} dB, "
    return f"residual {iterate.residual:.1e}, noise level {iterate.noise_level:.2f}, {score}{iterate.seconds:.1f} s"


def _summarize(saved: Path, trajectory: Trajectory) -> None:
    for loss in what_is_lost(saved.suffix, trajectory.subject.photo):
        say(f"“{saved}”: {loss}")
    result, last = trajectory[trajectory.result], trajectory[-1]
    print(
        f"{saved}: {trajectory.stop_reason}, the result is iterate {result.index} of {last.index}: {_figures(result)}"
    )

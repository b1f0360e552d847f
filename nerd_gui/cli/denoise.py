"""`nerd-gui denoise`: photo files in, denoised files and a report out."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from nerd_gui.cli.arguments import (
    BAD_INPUT,
    SOME_FAILED,
    Parser,
    UsageError,
    add_max_pixels,
    quality,
    say,
    sigma,
    whole,
)
from nerd_gui.cli.denoise_progress import ProgressLine, summarize, tell
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import check_file, write_text
from nerd_gui.denoising import AUTO, PICTURE, check_device, default_device, fast_precision
from nerd_gui.denoising.batch import Batch, Outcome
from nerd_gui.denoising.cluster import Cluster
from nerd_gui.denoising.photo_files import Destination, Networks, Treatment
from nerd_gui.imaging import open_photo


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui denoise`."""
    made = Parser(
        "denoise",
        "Denoise photo files; what a file says beside its pixels, and their depth, are kept. The run of a photo that "
        "is noisy already ends when nothing visible changes any more, unless --tol or --stop-on say otherwise.",
        "examples:\n  nerd-gui denoise noisy.png -o clean.png --report run.json\n"
        "  nerd-gui denoise *.jpg -o denoised/\n"
        "  nerd-gui denoise holidays -o denoised --skip-existing   a folder, or the rest of it\n"
        "  nerd-gui denoise /net/photos -o /net/denoised --dask tcp://192.168.1.5:8786   on a Dask cluster\n"
        "  nerd-gui denoise clean.png -o test.png --add-noise 25 --seed 1\n"
        "  nerd-gui denoise noisy.png --clean truth.png -o out.png --solver plain --max-iter 40",
    )
    add = made.add_argument
    add(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="photos (PNG, JPEG, TIFF, WebP, BMP, raw) and folders of them",
    )
    add("-o", "--output", required=True, metavar="OUT", help="file, or folder for files NAME_denoised")
    add("--add-noise", type=sigma, metavar="S", help="the photo is clean: add noise of this level (0-255) first")
    add("--seed", type=whole(0), metavar="N", help="of the added noise (default: 0)")
    add("--clean", type=Path, metavar="FILE", help="the clean picture of a noisy photo, to compare with")
    add("--model", metavar="NAME", help="network by name, or a .safetensors file (default: auto)")
    add("--report", type=Path, metavar="FILE.json", help="write the run's numbers (of several photos, a list of them)")
    add("--overwrite", action="store_true", help="replace files that exist, the original among them if it is OUT")
    add("--skip-existing", action="store_true", help="take photos whose results are there as done: go on with a batch")
    add(
        "--dask",
        metavar="ADDRESS",
        help="let a Dask cluster do it, whose workers see the same folders: one task a photo",
    )
    add("--quality", type=quality, default=95, metavar="Q", help="of JPEG and WebP files, 1-100 (default: 95)")
    add("--grain", type=int, choices=(1, 2), help="2: for coarse or resized noise (default: 1, or what auto chooses)")
    add_max_pixels(made)
    add_run_options(made)
    made.set_defaults(tol=None, stop_on=None, precision=None)  # so that it is known whether they were given
    return made


def run(args: argparse.Namespace) -> int:
    """Denoise every photo; of several, one that cannot be denoised is named and left out.

    Returns
    -------
    int
        1 if that was so of some.

    Raises
    ------
    UsageError, RunError, PhotoError, ModelError
        Before the first run, for what concerns all of them; of a single photo, for all that concerns it.
    """
    if args.seed is not None and args.add_noise is None:
        raise UsageError("--seed chooses the noise that --add-noise adds; give both or neither.")
    several = len(args.inputs) > 1 or args.inputs[0].is_dir()
    if args.clean is not None and several:
        raise UsageError("--clean names the clean picture of one photo; denoise several photos one by one.")
    if args.overwrite and args.skip_existing:
        raise UsageError("--skip-existing keeps what is there and --overwrite replaces it; choose one of them.")
    device = None
    if args.dask is not None:
        if args.threads is not None:
            raise UsageError("--threads is for this computer; give each worker of the cluster its own (--nthreads).")
        device, args.device = args.device, None  # a device of the workers, which need not be one here

    destination = Destination(args.output, several=several, overwrite=args.overwrite)
    destination.check_folder()
    check_file(args.report, replace=args.overwrite)
    if args.tol is None and args.stop_on is None and args.add_noise is None:
        args.stop_on = PICTURE
    if args.precision is None and args.stop_on == PICTURE and args.dask is None:
        args.precision = fast_precision(default_device() if args.device is None else check_device(args.device))
    clean = None if args.clean is None else open_photo(args.clean)
    settings = run_settings(args, AUTO if args.model is None else args.model)
    treatment = Treatment(settings, args.grain, args.add_noise, args.seed or 0, clean, args.quality)
    batch = Batch(args.inputs, destination, treatment, skip_existing=args.skip_existing)
    if args.report is not None:
        files = [file for job in batch.jobs for file in (job.source, job.target)]
        if args.report.resolve() in [file.resolve() for file in [*files, args.clean or args.inputs[0]]]:
            raise UsageError(f"The report “{args.report}” would replace a picture; choose another name for it.")
    for sentence in batch.ignored:
        say(sentence)
    networks = Networks()
    if settings.model != AUTO:
        networks.get(settings)
    line = ProgressLine()
    if args.dask is None:
        outcomes = _told(batch, batch.outcomes(watch=line, announce=line.announce, networks=networks), line, several)
    else:
        with Cluster(args.dask) as cluster:
            if not cluster.workers:
                say(f"The Dask cluster “{args.dask}” has no worker yet; waiting for one.")
            outcomes = _told(
                batch, cluster.outcomes(batch, device=device, watch=line, announce=line.announce), line, several
            )
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    if args.report is not None and reports:
        text = json.dumps(reports if several else reports[0], indent=2, allow_nan=False) + "\n"
        write_text(args.report, text, overwrite=args.overwrite)
    failed = any(outcome.state == "failed" for outcome in outcomes)
    return 0 if not failed else SOME_FAILED if several else BAD_INPUT


def _told(batch: Batch, coming: Iterator[Outcome], line: ProgressLine, several: bool) -> list[Outcome]:
    """What became of each photo, said as it is known, and in the end of all of them, also if that is an interrupt."""
    outcomes: list[Outcome] = []
    try:
        for outcome in coming:
            line.leave()
            outcomes.append(outcome)
            tell(outcome)
    finally:
        line.leave()
        outcomes.sort(key=lambda outcome: batch.jobs.index(outcome.job))
        if several:
            summarize(outcomes, len(batch.jobs))
    return outcomes

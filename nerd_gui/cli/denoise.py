"""`nerd-gui denoise`: denoises photo files and writes a report."""

import argparse
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nerd_gui.cli.arguments import (
    BAD_INPUT,
    SOME_FAILED,
    Parser,
    UsageError,
    add_max_pixels,
    network,
    quality,
    say,
    sigma,
    whole,
)
from nerd_gui.cli.denoise_progress import ProgressLine, summarize, tell
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import OutputError, check_file, write_text
from nerd_gui.denoising import AUTO, PICTURE, check_device, default_device, fast_precision
from nerd_gui.denoising.batch import Batch, Outcome
from nerd_gui.denoising.cluster import Cluster
from nerd_gui.denoising.photo_files import Destination, Networks, Treatment
from nerd_gui.imaging import open_photo

_SHARE = 20  # the report is written again only after this many times the duration of writing it


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui denoise`."""
    made = Parser(
        "denoise",
        "Denoise photo files. Metadata and bit depth are kept. A run on a photo that is already noisy ends when "
        "nothing visible changes any more, unless --tol or --stop-on say otherwise.",
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
    add("--seed", type=whole(0), metavar="N", help="seed of the added noise (default: 0)")
    add("--clean", type=Path, metavar="FILE", help="the clean picture of a noisy photo, to compare with")
    add(
        "--model",
        type=network,
        metavar="NAME",
        help="a network's name or file, or your own model as module:object (default: auto)",
    )
    add("--report", type=Path, metavar="FILE.json", help="write the run's numbers (of several photos, a list of them)")
    add("--overwrite", action="store_true", help="replace files that exist, even the original if OUT is the same file")
    add("--skip-existing", action="store_true", help="skip photos whose results exist, to continue a batch")
    add(
        "--dask",
        metavar="ADDRESS",
        help="run on a Dask cluster, one task per photo; its workers must see the same folders",
    )
    add(
        "--quality",
        type=quality,
        metavar="Q",
        help="quality of JPEG and WebP files, 1-100 (default: the photo's own, or 95)",
    )
    add("--grain", type=int, choices=(1, 2), help="2 for coarse or enlarged noise (default: 1, or what auto chooses)")
    add_max_pixels(made)
    add_run_options(made)
    made.set_defaults(tol=None, stop_on=None, precision=None)  # None shows that an option was not given
    return made


def run(args: argparse.Namespace) -> int:
    """Denoise all photos; if one of several fails, the error is printed and the others are still denoised.

    Returns
    -------
    int
        0 on success, 1 if some of several photos failed, 2 if a single photo failed or the report was not written.

    Raises
    ------
    UsageError, RunError, PhotoError, ModelError
        Before the first run if it concerns all photos; for a single photo, at any time.
    """
    if args.seed is not None and args.add_noise is None:
        raise UsageError("--seed chooses the noise that --add-noise adds; give both or neither.")
    several = len(args.inputs) > 1 or args.inputs[0].is_dir()
    if args.clean is not None and several:
        raise UsageError("--clean names the clean picture of one photo; denoise several photos one by one.")
    if args.overwrite and args.skip_existing:
        raise UsageError("--skip-existing keeps existing files and --overwrite replaces them; choose one of the two.")
    device = None
    if args.dask is not None:
        if args.threads is not None:
            raise UsageError("--threads is for this computer; set the cluster's threads with its workers' --nthreads.")
        device, args.device = args.device, None  # it is a device of the workers, which need not exist on this computer

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
    line, report = ProgressLine(), _Report(args.report, batch, several=several, overwrite=args.overwrite)
    if args.dask is None:
        coming = batch.outcomes(watch=line, announce=line.announce, networks=networks)
        outcomes = _told(batch, coming, line, report, several)
    else:
        with Cluster(args.dask) as cluster:
            if not cluster.workers:
                say(f"The Dask cluster “{args.dask}” has no worker yet; waiting for one.")
            coming = cluster.outcomes(batch, device=device, watch=line, announce=line.announce)
            outcomes = _told(batch, coming, line, report, several)
    if report.error is not None:
        say(report.error)
        return BAD_INPUT
    failed = any(outcome.state == "failed" for outcome in outcomes)
    return 0 if not failed else SOME_FAILED if several else BAD_INPUT


def _told(
    batch: Batch, coming: Iterator[Outcome], line: ProgressLine, report: "_Report", several: bool
) -> list[Outcome]:
    """Print each outcome as it arrives, and a summary at the end, even after an interrupt; return all outcomes."""
    outcomes: list[Outcome] = []
    try:
        for outcome in coming:
            line.leave()
            outcomes.append(outcome)
            tell(outcome)
            report.write(outcomes)
    finally:
        line.leave()
        outcomes.sort(key=lambda outcome: batch.jobs.index(outcome.job))
        report.write(outcomes, at_last=True)
        if several:
            summarize(outcomes, len(batch.jobs))
    return outcomes


class _Report:
    """The report file; it is also written during a batch, so that it survives if the batch is ended.

    Attributes
    ----------
    error : OutputError or None
        Why the last attempt to write it failed; the batch continues anyway.
    """

    def __init__(self, path: Path | None, batch: Batch, *, several: bool, overwrite: bool) -> None:
        self._path, self._several, self._overwrite = path, several, overwrite
        self._order = {job: number for number, job in enumerate(batch.jobs)}
        # The time of the next write: a pipe only gets the final report, other files get one now and then.
        self._next = math.inf if path is not None and os.path.exists(path) and not os.path.isfile(path) else 0.0
        self._written = 0
        self.error: OutputError | None = None

    def write(self, outcomes: Sequence[Outcome], *, at_last: bool = False) -> None:
        began = time.monotonic()
        done = sorted((one for one in outcomes if one.report is not None), key=lambda one: self._order[one.job])
        if self._path is None or len(done) == self._written or (began < self._next and not at_last):
            return
        reports = [outcome.report for outcome in done]
        text = json.dumps(reports if self._several else reports[0], indent=2, allow_nan=False) + "\n"
        try:
            write_text(self._path, text, overwrite=self._overwrite)
        except OutputError as error:
            self.error = error
        else:
            self.error, self._overwrite, self._written = None, True, len(done)  # the existing file is ours now
        ended = time.monotonic()
        self._next = max(self._next, ended + _SHARE * (ended - began))

"""The figures and numbers of `reading-an-equilibrium.md`, made by the program's own analyses.

    python docs/reading_an_equilibrium.py docs/reading [--only NAME …]

A part of a free sample picture with noise of sigma 25, denoised by `nerd-lite-25`; each analysis of the catalogue is
asked as the window and `nerd-gui analyse` ask it. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import torch  # noqa: F401  # before Qt
from PIL import Image
from PySide6.QtWidgets import QApplication

from nerd_gui.analysis.catalogue import CATALOGUE, Question
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.denoising import RunSettings, Subject, Trajectory, denoise
from nerd_gui.files import write_file
from nerd_gui.imaging import open_sample, to_8_bit
from nerd_gui.nerd import load_model
from nerd_gui.window.analyses.figure import AnalysisFigure

SAMPLE, REGION, SIGMA, MODEL = "camera 256", (40, 60, 128, 128), 25, "nerd-lite-25"
_LARGE = 95_000  # bytes
#: Analysis, and its pixel, by the name of the figure.
FIGURES = {
    "race": ("race", (0, 0)),
    "starts": ("starts", (0, 0)),
    "spectrum": ("spectrum", (0, 0)),
    "edge": ("influence", (66, 84)),
    "sky": ("influence", (20, 110)),
    "heads": ("heads", (0, 0)),
    "risk": ("risk", (0, 0)),
    "whiteness": ("whiteness", (0, 0)),
    "sweep": ("sweep", (0, 0)),
}


def main() -> None:
    """Ask, draw, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    net = load_model(MODEL)
    run = denoise(Subject.of(open_sample(SAMPLE), sigma=SIGMA, region=REGION), RunSettings(model=MODEL), net)
    result = run[run.result]
    write(args.folder / "picture.png", picture_of(run))
    at = equilibrium_of(run, net)
    path = args.folder / "numbers.json"
    numbers = json.loads(path.read_text()) if path.exists() else {}
    numbers["run"] = {"steps": run.result, "residual": result.residual, "psnr": result.psnr, "seconds": result.seconds}
    for name in args.only:
        analysis, pixel = CATALOGUE[FIGURES[name][0]], FIGURES[name][1]
        began = time.process_time()
        found = analysis.ask(Question(at, run, pixel))
        numbers[name] = found.numbers
        print(f"{name}: {time.process_time() - began:.1f} s of a processor", flush=True)
        shown = analysis.show(found)
        shown = dataclasses.replace(shown, plots=shown.plots[:1])
        image = AnalysisFigure(f"{SAMPLE}, σ {SIGMA}, {MODEL}", analysis, found, shown).image()
        write(args.folder / f"{name}.png", Image.fromqimage(image))
        write_file(path, (json.dumps(numbers, indent=1) + "\n").encode())
    del application


def picture_of(run: Trajectory) -> Image.Image:
    """Noisy, denoised and clean side by side."""
    row = [run.subject.noisy, run.picture(run.result), run.subject.clean]
    beside = np.concatenate([to_8_bit(each)[0] for each in row], axis=1)
    return Image.fromarray(beside.repeat(2, 0).repeat(2, 1))


def write(path: Path, image: Image.Image) -> None:
    """A small PNG, at half the size of the screen's and in few colours; or a JPEG where that is not small."""
    png, jpeg = io.BytesIO(), io.BytesIO()
    if image.width > 1000:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    image.convert("RGB").quantize(128).save(png, "PNG", optimize=True)
    if len(png.getvalue()) < _LARGE:
        write_file(path, png.getvalue())
    else:
        image.convert("RGB").save(jpeg, "JPEG", quality=65, optimize=True)
        write_file(path.with_suffix(".jpg"), jpeg.getvalue())


if __name__ == "__main__":
    main()

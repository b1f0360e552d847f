"""Draws the figures of analyses in a program without a window or a screen, as `nerd-gui analyse` does."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtWidgets import QApplication

from nerd_gui.analysis.catalogue import CATALOGUE
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.window.analyses.figure import AnalysisFigure

_kept: list[QApplication] = []  # Qt's fonts last as long as this object


def save_figures(run: str, name: str, found: Analysed, folder: Path, *, overwrite: bool = False) -> None:
    """Write the figure of an analysis, the same as the window saves, as NAME_figure.svg and NAME_figure.png.

    Parameters
    ----------
    run : str
        What the run is called in the figure.
    name : str
        The analysis's name in the catalogue.
    found : Analysed
    folder : Path
    overwrite : bool

    Raises
    ------
    ValueError
        If a file cannot be written, or exists and may not be replaced.
    """
    if QApplication.instance() is None:
        if not os.environ.get("QT_QPA_PLATFORM", "").startswith("offscreen"):  # which may name a screen, too
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _kept.append(QApplication([]))
    analysis = CATALOGUE[name]
    figure = AnalysisFigure(run, analysis, found, analysis.show(found))
    for suffix in ("svg", "png"):
        figure.save(folder / f"{name}_figure.{suffix}", overwrite=overwrite)

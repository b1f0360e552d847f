"""Curves of several runs in the same plots: what is drawn, in which colour, what the legend and the files say."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtSvg import QSvgRenderer
from scripted_session import make_trajectory, show

from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import series_colour

LENGTHS = {"broyden": 9, "anderson": 6, "plain": 12}


@pytest.fixture
def session():
    made = Session()
    for place, (solver, length) in enumerate(LENGTHS.items()):
        residuals = [0.5 * (0.4 + 0.1 * place) ** index for index in range(length)]
        show(made, make_trajectory(residuals, solver=solver))
    made.show_run(made.runs[1])
    return made


@pytest.fixture
def curves(qtbot, session):
    widget = Curves(session)
    qtbot.addWidget(widget)
    widget.resize(480, 700)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


@pytest.fixture
def overlaid(session, curves):
    for run in session.runs:
        session.runs.set_overlaid(run, True)
    return curves


def test_only_the_shown_run_is_drawn_until_others_are_overlaid(session, curves):
    assert curves.residual_plot.points("residual")[1] == [it.residual for it in session.runs[1].trajectory.iterates]
    assert curves.residual_plot.points("residual", 0) == ([], []) and not curves.run_legend.isVisible()


def test_every_run_is_drawn_in_every_plot(session, overlaid):
    plots = {
        overlaid.residual_plot: ("residual", "relative_step", "residual_change"),
        overlaid.noise_level_plot: ("noise_level",),
        overlaid.quality_plot: ("psnr", "ssim"),
    }
    for plot, keys in plots.items():
        for key in keys:
            for slot, run in enumerate(session.runs):
                values = [getattr(iterate, key) for iterate in run.trajectory.iterates]
                known = [(index, value) for index, value in enumerate(values) if value is not None]
                assert list(zip(*plot.points(key, slot), strict=True)) == known, (key, slot)
        assert plot.plotItem.vb.viewRange()[0][1] > 11  # the longest run fits


def test_a_run_that_is_not_overlaid_any_more_is_gone(session, overlaid):
    session.runs.set_overlaid(session.runs[2], False)
    assert overlaid.quality_plot.points("ssim", 2) == ([], []) == overlaid.residual_plot.points("residual", 2)
    assert overlaid.residual_plot.plotItem.vb.viewRange()[0][1] < 10
    session.remove_run(session.runs[0])
    assert overlaid.residual_plot.points("residual", 0) == ([], [])
    session.history.undo()
    assert overlaid.residual_plot.points("residual", 0) != ([], [])


def test_the_colour_is_the_runs_and_the_line_the_quantitys(session, overlaid):
    plot = overlaid.residual_plot
    for slot in range(3):
        pens = [plot.pen(key, slot) for key in ("residual", "relative_step", "residual_change")]
        assert {pen.color().name() for pen in pens} == {series_colour(slot, dark=plot.theme.dark).name()}
        assert len({pen.style() for pen in pens}) == 3
    shown, other = plot.pen("residual", 1), plot.pen("residual", 0)
    assert shown.widthF() > 1.5 * other.widthF()
    session.show_run(session.runs[0])
    assert plot.pen("residual", 0).widthF() == shown.widthF() and plot.result_index == session.runs[0].trajectory.result


def seen(image: QImage, colour: QColor) -> int:
    """Count the pixels of this colour, except for antialiased edges."""
    pixels = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8).reshape(-1, 4)
    away = np.abs(pixels[:, :3].astype(int) - [colour.blue(), colour.green(), colour.red()])
    return int((away <= 6).all(1).sum())


def test_the_colours_are_seen_in_the_plots(overlaid):
    for plot in (overlaid.residual_plot, overlaid.noise_level_plot, overlaid.quality_plot):
        image = plot.grab().toImage()
        # Noise level and PSNR of these runs are equal: the shown run is drawn above the others.
        slots = range(3) if plot is overlaid.residual_plot else (1,)
        assert all(seen(image, series_colour(slot, dark=plot.theme.dark)) > 20 for slot in slots), plot


def test_the_legend_says_which_run_is_which_with_its_numbers_at_the_cursor(session, overlaid):
    session.go(3)
    legend = overlaid.run_legend
    assert legend.isVisible()
    assert [row[0] for row in legend.rows()] == [
        "Run 1 · Broyden · σ 25",
        "Run 2 · Anderson · σ 25",
        "Run 3 · Plain iteration · σ 25",
    ]
    assert legend.rows()[2][1:] == ["1.1e-1", "20.30", "23.00 dB"]
    session.runs.rename(session.runs[0], "mine")
    assert legend.rows()[0][0] == "mine · Broyden · σ 25"
    session.go(5)
    session.show_run(session.runs[2])
    session.go(10)
    assert legend.rows()[1][1:] == ["–", "–", "–"]  # it has no such iterate


def test_the_legend_has_a_line_a_run_however_narrow_and_long_the_names(session, overlaid, qtbot):
    legend = overlaid.run_legend
    before = legend.height()
    session.runs.rename(session.runs[0], "a name that is much longer than what there is room for in a narrow column")
    overlaid.resize(380, 700)
    qtbot.waitUntil(lambda: legend.width() < 380)
    assert legend.height() == before
    for run in session.runs:
        name = legend.findChild(object, f"runLegendName{run.number}")
        assert legend.rect().contains(name.geometry()) and name.toolTip() == run.label


def test_each_true_noise_level_has_its_line(session, overlaid):
    assert overlaid.noise_level_plot.levels("sigma") == [25]
    session.runs[2].trajectory.subject.__dict__["sigma"] = 10.0
    for on in (False, True):
        session.runs.set_overlaid(session.runs[2], on)
    assert overlaid.noise_level_plot.levels("sigma") == [25, 10]
    assert overlaid.readout("sigma") == "true σ 25, 10"
    dark = overlaid.noise_level_plot.theme.dark
    assert overlaid.noise_level_plot.level_pen("sigma", 2).color() == series_colour(2, dark=dark)


def test_the_table_has_every_run(session, overlaid, tmp_path):
    overlaid.export(tmp_path / "curves.csv")
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert [row["run"] for row in rows] == ["Run 1"] * 9 + ["Run 2"] * 6 + ["Run 3"] * 12
    for run in session.runs:
        written = [float(row["residual"]) for row in rows if row["run"] == run.name]
        assert written == [iterate.residual for iterate in run.trajectory.iterates]
        assert [row["index"] for row in rows if row["run"] == run.name and row["result"] == "1"] == [
            str(run.trajectory.result)
        ]


def test_the_pictures_name_and_draw_every_run(overlaid, tmp_path):
    overlaid.export(tmp_path / "curves.png")
    overlaid.export(tmp_path / "curves.svg")
    image = QImage(str(tmp_path / "curves.png"))
    for slot in range(3):
        assert seen(image, series_colour(slot, dark=False)) > 100
    text = (tmp_path / "curves.svg").read_text()
    assert QSvgRenderer(str(tmp_path / "curves.svg")).isValid()
    assert all(name in text for name in ("Run 1 · Broyden", "Run 2 · Anderson", "Run 3 · Plain iteration"))


def test_a_click_goes_to_an_iterate_of_the_shown_run(qtbot, session, overlaid):
    plot = overlaid.residual_plot
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.position_of(4))
    assert session.run is session.runs[1] and session.index == 4
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.position_of(10))
    assert session.index == 5  # its last one

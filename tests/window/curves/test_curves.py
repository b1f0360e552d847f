"""The curves: the drawing is compared with the trajectory, saved files are read back, clicks are real events."""

import csv
import math
from collections import Counter

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QWidget
from scripted_session import arrive, make_iterate, make_trajectory, show

from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.curves.plot import CurvePlot
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import scientific

LEFT = Qt.MouseButton.LeftButton
RESIDUALS = [0.5, 0.2, 0.08, 0.03, 0.9, 0.02, 0.004, 0.0007, 0.0009]  # least at 7


@pytest.fixture
def session() -> Session:
    made = Session()
    show(made, make_trajectory(RESIDUALS))
    return made


@pytest.fixture
def curves(qtbot, session) -> Curves:
    widget = Curves(session)
    qtbot.addWidget(widget)
    widget.resize(480, 560)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def plot_of(curves: Curves, name: str) -> CurvePlot:
    found = curves.findChild(CurvePlot, name)
    assert found is not None
    return found


PLOTS = ("residualPlot", "noiseLevelPlot", "qualityPlot")


def test_the_drawn_points_are_the_trajectorys(curves):
    trajectory = make_trajectory(RESIDUALS)
    for name, key in (
        ("residualPlot", "residual"),
        ("noiseLevelPlot", "noise_level"),
        ("qualityPlot", "psnr"),
        ("qualityPlot", "ssim"),
    ):
        x, y = plot_of(curves, name).points(key)
        assert x == list(range(9)) and y == [getattr(iterate, key) for iterate in trajectory.iterates]
    x, y = plot_of(curves, "residualPlot").points("relative_step")
    assert x == list(range(1, 8)) and y == [2 * residual for residual in RESIDUALS[1:8]]


def test_the_residual_axis_is_logarithmic(session, curves, qtbot):
    show(session, make_trajectory([1.0, 0.1, 0.01], tol=0))
    qtbot.mouseClick(curves.findChild(QCheckBox, "relativeStepCheck"), LEFT)  # so that there is only one curve
    plot = plot_of(curves, "residualPlot")
    session.go(0)
    QApplication.processEvents()
    image, colour = plot.grab().toImage(), plot.pen("residual", session.run.number - 1).color()
    middles = []
    for index in (0, 1):  # the mark of the result is at iterate 2
        column = plot.position_of(index).x()
        coloured = [
            (x, y)
            for x in range(column - 2, column + 3)
            for y in range(image.height())
            if image.pixelColor(x, y) == colour
        ]
        middles.append(np.mean([y for _, y in coloured]))
    axis = plot.plotItem.getAxis("left")
    low, high = axis.range
    decade = axis.size().height() / (high - low)
    assert middles[1] - middles[0] == pytest.approx(decade, abs=2)


@pytest.mark.parametrize("scale", [1, 1e-2, 1e-4])
def test_numbers_at_the_axes_are_the_values(session, curves, scale):
    """The axes have no separate factor, however small the values are."""
    show(session, make_trajectory([0.5 * scale, 0.002 * scale], tol=0))
    for name, side, place, text in (
        ("residualPlot", "left", math.log10(0.01), "0.01"),
        ("noiseLevelPlot", "left", 20.5, "20.5"),
        ("qualityPlot", "right", 0.55, "0.55"),
    ):
        plot = plot_of(curves, name)
        plot.set_theme(plot.theme)  # as when the palette changes
        axis = plot.plotItem.getAxis(side)
        assert axis.tickStrings([place], axis.autoSIPrefixScale * axis.scale, 0.05 if side == "right" else 0.5) == [
            text
        ]


def test_what_cannot_be_drawn_on_a_logarithmic_axis_is_skipped(session, curves, recwarn):
    trajectory = make_trajectory([0.5, 0.0, 0.1, math.inf, 0.05], tol=0)
    show(session, trajectory)
    session.go(1)
    x, y = plot_of(curves, "residualPlot").points("residual")
    assert x == [0, 2, 4] and y == [0.5, 0.1, 0.05]
    low, high = plot_of(curves, "residualPlot").plotItem.vb.viewRange()[1]
    assert -3 < low < math.log10(0.05) and 0 >= high > math.log10(0.5)
    assert plot_of(curves, "residualPlot").result_index is None  # the least one is 0
    curves.grab()
    assert not [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)]


def test_an_exact_zero_residual_is_read_out(session, curves):
    show(session, make_trajectory([0.5, 0.0]))
    session.go(1)
    assert curves.readout("residual") == "residual 0.0"


def test_the_result_is_marked(curves):
    assert [plot_of(curves, name).result_index for name in PLOTS] == [7, 7, 7]


def test_the_lines_of_the_truth(curves):
    noise = plot_of(curves, "noiseLevelPlot")
    assert plot_of(curves, "residualPlot").levels("tol") == [pytest.approx(1e-3)]
    assert noise.levels("sigma") == [25]
    expected = math.sqrt(25**2 - (0.05 * 255) ** 2)
    assert noise.levels("attainable") == [pytest.approx(expected, rel=1e-3)]
    assert curves.readout("sigma") == "true σ 25"
    assert curves.readout("attainable") == f"attainable √(σ² − MSE) {expected:.1f}"
    assert noise.level_pen("sigma").style() != noise.level_pen("attainable").style()


def test_without_the_truth_there_are_no_such_lines(session, curves):
    show(session, make_trajectory(RESIDUALS, known=False))
    noise = plot_of(curves, "noiseLevelPlot")
    assert noise.levels("sigma") == [] and noise.levels("attainable") == []
    assert not plot_of(curves, "qualityPlot").isVisible()
    assert not curves.findChild(QLabel, "sigmaReadout").isVisible()
    show(session, make_trajectory(RESIDUALS))
    assert plot_of(curves, "qualityPlot").isVisible()


@pytest.mark.parametrize("width", [380, 480])
def test_nothing_is_clipped_on_a_small_screen(session, curves, qtbot, width):
    session.runs.set_overlaid(session.run, True)
    show(session, make_trajectory(RESIDUALS))  # besides the run there is
    assert curves.run_legend.isVisible()

    height = lambda: (curves.resize(width, 1), curves.height())[1]  # noqa: E731
    qtbot.waitUntil(lambda: height() == curves.minimumSizeHint().height())  # once the legends have their final height
    assert curves.height() < 400
    boxes = [curves.findChild(QLabel, f"{key}Readout") for key in ("residual", "relative_step", "sigma")]
    for widget in [*boxes, *(plot_of(curves, name) for name in PLOTS)]:
        parent = widget.parentWidget()
        while parent is not curves:
            assert parent.rect().contains(widget.geometry()), widget
            widget, parent = parent, parent.parentWidget()


def test_one_cursor_in_all_plots_with_the_values_there(session, curves):
    assert [plot_of(curves, name).cursor_index for name in PLOTS] == [8] * 3  # the newest iterate
    session.go(6)
    assert [plot_of(curves, name).cursor_index for name in PLOTS] == [6] * 3
    assert curves.findChild(QLabel, "residualReadout").text() == "residual 4.0e-3"
    assert curves.readout("relative_step") == "relative step 8.0e-3"
    assert curves.readout("noise_level") == "noise level 20.60"
    assert curves.readout("psnr") == "PSNR 26.00 dB" and curves.readout("ssim") == "SSIM 0.5600"
    session.go(0)
    assert curves.readout("relative_step") == "relative step –"
    session.show_run(None)
    assert plot_of(curves, "noiseLevelPlot").cursor_index is None and curves.readout("residual") == "residual –"


@pytest.mark.parametrize("name", PLOTS)
def test_the_cursor_is_a_narrow_line_at_its_iterate(curves, name):
    plot = plot_of(curves, name)

    def pixels():
        return plot.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)

    plot.set_cursor_index(None)
    without = pixels()
    for index in (6, 3):
        plot.set_cursor_index(index)
        place, height = plot.position_of(index), plot.viewport().height()
        with_it = pixels()
        changed = [
            (x, y) for x in range(with_it.width()) for y in range(height) if with_it.pixel(x, y) != without.pixel(x, y)
        ]
        columns = {x for x, _ in changed}
        assert place.x() in columns and len(columns) <= 3 and max(columns) - min(columns) <= 2
        assert len({y for _, y in changed}) >= 0.6 * height


def test_the_plots_stand_exactly_one_over_the_other(session, curves, qtbot):
    def places(names=PLOTS):
        return [[plot_of(curves, name).position_of(index).x() for index in (0, 4, 8)] for name in names]

    qtbot.waitUntil(lambda: len({tuple(xs) for xs in places()}) == 1)
    assert places()[0][2] - places()[0][0] > 200
    show(session, make_trajectory(RESIDUALS, known=False))
    qtbot.waitUntil(lambda: len({tuple(xs) for xs in places(PLOTS[:2])}) == 1)


@pytest.mark.parametrize("name", PLOTS)
def test_a_click_goes_to_the_nearest_iterate(session, curves, qtbot, name):
    plot = plot_of(curves, name)
    step = plot.position_of(6).x() - plot.position_of(5).x()
    for nudge in (-step // 3, 0, step // 3):
        session.go(1)
        with qtbot.waitSignal(session.indexChanged) as gone:
            qtbot.mouseClick(plot.viewport(), LEFT, pos=plot.position_of(5) + QPoint(nudge, 0))
        assert gone.args == [5]
    assert [plot_of(curves, each).cursor_index for each in PLOTS] == [5] * 3
    assert not session.follow


def test_a_drag_goes_to_each_iterate_once_and_stays_in_the_run(session, curves, qtbot):
    plot, gone = plot_of(curves, "noiseLevelPlot"), []
    session.indexChanged.connect(gone.append)
    qtbot.mousePress(plot.viewport(), LEFT, pos=plot.position_of(5))
    for index in (5, 6, 7, 7, 8):
        qtbot.mouseMove(plot.viewport(), plot.position_of(index))
    qtbot.mouseMove(plot.viewport(), QPoint(plot.width() - 1, 20))
    qtbot.mouseMove(plot.viewport(), QPoint(1, 20))
    qtbot.mouseRelease(plot.viewport(), LEFT, pos=QPoint(1, 20))
    assert gone == [5, 6, 7, 8, 0]


def test_without_a_run_there_is_nowhere_to_go(session, curves, qtbot):
    gone = []
    session.show_run(None)
    session.indexChanged.connect(gone.append)
    qtbot.mouseClick(plot_of(curves, "residualPlot").viewport(), LEFT)
    assert gone == [] and plot_of(curves, "residualPlot").points("residual") == ([], [])
    assert not curves.export_action.isEnabled()


def test_curves_grow_with_the_run(session, curves):
    trajectory = make_trajectory(RESIDUALS[:3], finished=False)
    show(session, trajectory)
    plot = plot_of(curves, "residualPlot")
    before = plot.plotItem.vb.viewRange()[0]
    assert before[1] > 17  # the axis leaves room for the remaining steps
    arrive(session, make_iterate(3, 0.03))
    assert plot.points("residual") == ([0, 1, 2, 3], RESIDUALS[:4])
    assert plot.plotItem.vb.viewRange()[0] == before
    arrive(session, make_iterate(4, 0.001, last=True))
    assert 4 < plot.plotItem.vb.viewRange()[0][1] < 5


def test_the_other_residuals_can_be_hidden_and_the_axis_fits_what_is_left(session, curves, qtbot):
    plot = plot_of(curves, "residualPlot")
    change = curves.findChild(QCheckBox, "residualChangeCheck")
    step = curves.findChild(QCheckBox, "relativeStepCheck")
    visible = lambda: plot.curve_visible("residual_change")  # noqa: E731
    assert step.isChecked() and not change.isChecked() and not visible()
    qtbot.mouseClick(change, LEFT)
    assert change.isChecked() and visible()
    show(session, make_trajectory([0.01, 0.008]))
    assert plot.plotItem.vb.viewRange()[1][1] > math.log10(0.5)
    qtbot.mouseClick(change, LEFT)
    assert not visible() and plot.plotItem.vb.viewRange()[1][1] < math.log10(0.5)


def test_ticks_are_whole_iterates(curves):
    axis = plot_of(curves, "qualityPlot").plotItem.getAxis("bottom")
    for low, high, size in ((-0.3, 8.3, 400), (-1, 17.5, 300), (-2, 203, 400), (-0.2, 1.2, 900)):
        levels = axis.tickValues(low, high, size)
        values = [value for _, each in levels for value in each]
        assert values and all(value == round(value) and low <= value <= high for value in values)
        assert len(values) <= size / 30 + 1
        assert axis.tickStrings(values, 1, 1) == [str(int(value)) for value in values]


def _dominant(widget: QWidget) -> QColor:
    image = widget.grab().toImage()
    counts = Counter(image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))
    return QColor.fromRgb(counts.most_common(1)[0][0])


def test_light_and_dark(curves):
    light = curves.residual_plot.theme
    palette = QPalette(curves.palette())
    for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Window):
        palette.setColor(role, QColor("#101418"))
    curves.setPalette(palette)
    dark = curves.residual_plot.theme
    assert _dominant(curves.residual_plot) == QColor("#101418")
    for theme in (light, dark):
        for slot in range(6):
            assert _contrast(theme.of_run(slot), theme.background) >= 3  # the contrast that WCAG asks of graphics


def _contrast(a: QColor, b: QColor) -> float:
    def luminance(colour: QColor) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dim = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_csv_is_the_trajectory(session, curves, tmp_path):
    trajectory = make_trajectory(RESIDUALS)
    show(session, trajectory)
    curves.export(tmp_path / "curves.csv")
    with open(tmp_path / "curves.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(9))
    assert [float(row["residual"]) for row in rows] == RESIDUALS
    assert rows[0]["relative_step"] == "" and float(rows[3]["relative_step"]) == 0.06
    assert [float(row["psnr"]) for row in rows] == [20.0 + index for index in range(9)]
    assert [row["result"] for row in rows] == ["0"] * 7 + ["1", "0"]
    assert {row["restarted"] for row in rows} == {"0"} and rows[8]["evaluations"] == "9"
    assert [path.name for path in tmp_path.iterdir()] == ["curves.csv"]


def _pixels(image: QImage, size: QSize) -> np.ndarray:
    """Return the darkness of a picture, scaled to `size`."""
    scaled = image.scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
    grey = scaled.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return 255.0 - rows[:, : grey.width()]


def test_png_and_svg_show_the_same_figure_on_white(session, curves, tmp_path):
    session.go(4)
    QApplication.processEvents()  # so that the layout is final
    before = curves.grab().toImage()
    curves.export(tmp_path / "curves.png")
    curves.export(tmp_path / "curves.SVG")
    assert curves.grab().toImage() == before  # the plots on the screen have not changed
    png = QImage(str(tmp_path / "curves.png"))
    assert png.pixelColor(2, 2) == QColor("white") and png.width() >= 3 * curves.residual_plot.width()
    renderer = QSvgRenderer(str(tmp_path / "curves.SVG"))
    assert renderer.isValid()
    svg = QImage(png.size(), QImage.Format.Format_RGB32)
    with QPainter(svg) as painter:
        renderer.render(painter)
    small = QSize(240, 280)
    likeness = np.corrcoef(_pixels(png, small).ravel(), _pixels(svg, small).ravel())[0, 1]
    assert likeness > 0.87  # axes and curves are at the same places as in the other one
    assert "residual" in (tmp_path / "curves.SVG").read_text()


def test_what_cannot_be_exported_is_said(session, curves, tmp_path):
    with pytest.raises(ValueError, match=r"curves\.pdf.*\.csv, \.png or \.svg"):
        curves.export(tmp_path / "curves.pdf")
    for suffix in ("csv", "png"):
        with pytest.raises(ValueError, match=r"was not saved: the folder .* does not exist"):
            curves.export(tmp_path / "nowhere" / f"curves.{suffix}")
    session.show_run(None)
    with pytest.raises(ValueError, match="no curves to save yet"):
        curves.export(tmp_path / "curves.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_context_menu_asks_for_an_export(curves, qtbot):
    assert curves.export_action in curves.actions()
    with qtbot.waitSignal(curves.exportRequested):
        curves.export_action.trigger()


def test_everything_a_hand_can_reach_is_named(curves):
    for kind in (CurvePlot, QCheckBox):
        for child in curves.findChildren(kind):
            assert child.objectName() and child.accessibleName() and child.toolTip(), child
    assert curves.minimumSizeHint().width() <= 380


def test_plots_leave_the_wheel_to_others(curves):
    plot = plot_of(curves, "residualPlot")
    before = plot.plotItem.vb.viewRange()
    centre = QPointF(plot.viewport().rect().center())
    no_button, no_key, phase = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    wheel = QWheelEvent(centre, centre, QPoint(), QPoint(0, 120), no_button, no_key, phase, False)
    QApplication.sendEvent(plot.viewport(), wheel)
    assert not wheel.isAccepted() and plot.plotItem.vb.viewRange() == before


@pytest.mark.parametrize(
    ("value", "text"), [(0.0021, "2.1e-3"), (1.26, "1.3"), (0.0, "0.0"), (123.0, "1.2e2"), (9.96e-11, "1.0e-10")]
)
def test_numbers_are_written_short(value, text):
    assert scientific(value) == text

"""Every visible widget, at every size, light and dark, in both modes, is readable and does not overlap others."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget
from scripted_session import arrive, make_iterate, make_trajectory, show
from widget_walk import complaints
from window_person import choose_scheme, run_to_the_end

from nerd_gui.window.curves.legend import LegendRow
from nerd_gui.window.curves.plot import CurvePlot
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.style.scheme import dress

pytestmark = pytest.mark.usefixtures("_system_colours")

SIZES = [(1100, 700), (1366, 768), (1440, 900), (2560, 1440)]


@pytest.fixture
def shown(qtbot, window, open_file, tmp_path):
    """A window with a run of a colour photo, a pin, and a notice."""
    path = tmp_path / "colour.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(path)
    open_file(window, path)
    window.noise.mode.setCurrentIndex(0)
    run_to_the_end(qtbot, window)
    window.session.pins.put(20, 20)
    window.messages.keep("left", "The runs of a photo with a long name.jpg are kept.", button="Back to it")
    return window


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everything_fits_and_can_be_read(qtbot, shown, scheme):
    choose_scheme(qtbot, shown, scheme)
    found = []
    for size in SIZES:
        shown.resize(*size)
        for mode in Mode:
            shown.modes.take(mode)
            for _ in range(3):
                QApplication.processEvents()
            assert (shown.width(), shown.height()) == size
            found += [f"{size}, {mode.value}: {complaint}" for complaint in complaints(shown)]
        shown.picture_view.set_compare(Compare.SIDE_BY_SIDE, Layer.FEATURE, Layer.RADIUS)
        for _ in range(3):
            QApplication.processEvents()
        qtbot.waitUntil(shown.picture_view.ready)
        found += [f"{size}, two maps: {complaint}" for complaint in complaints(shown)]
        shown.picture_view.set_compare(Compare.WIPE, Layer.NOISY, Layer.ITERATE)
    assert found == []


def test_three_runs_fit_beside_the_picture_of_a_small_screen(qtbot, window):
    """Without a pin nothing scrolls at 1366 x 768, and no plot moves while a run goes on."""
    session = window.session
    window.resize(1366, 768)
    trajectory, heights = make_trajectory([0.5], finished=False), []
    for _ in range(2):
        show(session, make_trajectory([0.5, 0.1, 1e-4]))
        session.runs.set_overlaid(session.run, True)
    show(session, trajectory)
    for index in range(1, 6):
        arrive(session, make_iterate(index, 0.5 * 0.07**index, last=index == 5))
        QApplication.processEvents()
        heights.append([plot.geometry().getRect() for plot in window.curves.findChildren(CurvePlot)])
    assert window.curves.run_legend.isVisible() and window.runs_panel.view.model().rowCount() == 3
    assert all(each == heights[0] for each in heights)
    area = window.findChild(QSplitter, "rightSplitter").parentWidget().parentWidget()
    assert area.verticalScrollBar().maximum() == 0
    legends = window.curves.findChildren(LegendRow)
    assert legends and all(legend.height() < 2 * legend.fontMetrics().height() for legend in legends)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_settings_and_the_folded_tools_fit_too(qtbot, shown, scheme):
    choose_scheme(qtbot, shown, scheme)
    shown.resize(*SIZES[0])
    QApplication.processEvents()
    menu = shown.controls.settings_button.menu()
    menu.popup(shown.mapToGlobal(shown.rect().center()))
    assert complaints(menu) == [] and menu.height() <= 700
    menu.close()
    drawer = shown.findChild(QWidget, "moreTools")
    qtbot.mouseClick(shown.findChild(QWidget, "moreButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(drawer.isVisible)
    assert shown.noise.isVisible() and complaints(drawer) == []
    drawer.close()


class Painted(QWidget):
    """It paints four texts, and does all but the first badly."""

    def __init__(self, parent):
        super().__init__(parent)
        self.setObjectName("painted")

    def paintEvent(self, event):
        with QPainter(self) as painter:
            painter.setPen(self.palette().windowText().color())
            painter.drawText(2, 14, "well")
            painter.drawText(40, 14, "one")
            painter.drawText(48, 16, "two")
            painter.drawText(150, 36, "beyond its end")
            painter.setPen(self.palette().window().color().lighter(120))
            painter.drawText(2, 36, "pale")


def test_what_is_wrong_is_found(qtbot):
    dress()
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(QLabel("All is well here"))
    column.addWidget(QPushButton("Here, too"))
    column.addStretch(1)
    window.resize(400, 300)
    window.show()
    qtbot.waitExposed(window)
    assert complaints(window) == []

    def broken(name, text, x, y, width):
        label = QLabel(text, window)
        label.setObjectName(name)
        label.setGeometry(x, y, width, 20)
        label.show()
        return label

    broken("cut", "This text is far too long for so narrow a place", 10, 100, 60)
    broken("under", "one", 10, 150, 80)
    broken("over", "other", 50, 155, 80)
    broken("out", "away", 380, 200, 60)
    faint = broken("faint", "Who can read this?", 10, 240, 200)
    palette = QPalette(faint.palette())
    ground = palette.color(QPalette.ColorRole.Window)
    palette.setColor(
        QPalette.ColorRole.WindowText, ground.lighter(180) if ground.lightness() > 0 else QColor("#555555")
    )
    faint.setPalette(palette)
    painted = Painted(window)
    painted.setGeometry(10, 200, 200, 40)
    painted.show()
    said = " / ".join(complaints(window))
    for words in (
        *("cut: its text", "under and over overlap", "out lies outside", "faint: the contrast"),
        *("painted: the contrast of “pale” is 1", "painted: “one” and “two” lie on each other"),
        "painted: “beyond its end” does not fit",
    ):
        assert words in said, said

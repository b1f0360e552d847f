"""Every visible widget, at every size of the window, light and dark, in both modes: it can be read and stands free."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
from widget_walk import complaints
from window_person import choose_scheme, run_to_the_end

from nerd_gui.window.modes import Mode
from nerd_gui.window.style.scheme import dress, set_colour_scheme

SIZES = [(1100, 700), (1366, 768), (1440, 900), (2560, 1440)]


@pytest.fixture(autouse=True)
def as_before(qapp):
    yield
    set_colour_scheme(Qt.ColorScheme.Unknown)


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
    assert found == []


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
    said = " / ".join(complaints(window))
    for words in ("cut: its text", "under and over overlap", "out lies outside", "faint: the contrast"):
        assert words in said, said

"""The window fits its screen: at the first start, with a remembered size, and on any small screen."""

import json
import os
import subprocess
import sys

import pytest
from PySide6.QtCore import QMargins, QRect
from PySide6.QtWidgets import QLabel, QScrollArea, QSplitter, QWidget
from window_person import run_to_the_end

from nerd_gui.window.screen import fit_to_screen, fitted

LAPTOP, PANEL = QRect(0, 0, 1366, 768), 40
SCREENS = [(1100, 700, 1), (2560, 1440, 2)]  # width, height, screen pixels per pixel of the program
PROGRAM = """
import sys
from PySide6.QtCore import QPoint, QSettings
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication(sys.argv[:1])
from nerd_gui.window import MainWindow
settings = QSettings(sys.argv[1], QSettings.Format.IniFormat)
for geometry in (None, bytes.fromhex(sys.argv[2])):
    settings.setValue("geometry", geometry)
    window = MainWindow("no such photo.png", settings=settings)
    window.show()
    application.processEvents()
    names = ("iterationSlider", "runSummary", "attentionEmpty", "curvesEmpty")
    lowest = max(w.mapToGlobal(QPoint(0, w.height())).y() for w in (window.findChild(QWidget, n) for n in names))
    frame = window.frameGeometry()
    print(frame.left(), frame.top(), frame.width(), frame.height(), lowest)
"""


@pytest.mark.skipif(os.name == "nt", reason="Qt splits the path of the screen's description at its colon")
def test_everything_lies_on_the_screen(make_window, tmp_path):
    window = make_window()
    window.setGeometry(700, 300, 1800, 1000)
    remembered = bytes(window.saveGeometry().data()).hex()
    started = {screen: on_screen(tmp_path, remembered, *screen) for screen in SCREENS}
    for (width, height, ratio), process in started.items():
        said, _ = process.communicate(timeout=60)
        lines = [[int(number) for number in line.split()] for line in said.splitlines()]
        assert process.returncode == 0 and len(lines) == 2
        room = QRect(0, 0, width // ratio, height // ratio)
        for *frame, lowest in lines:
            assert room.contains(QRect(*frame)) and lowest <= room.height(), (room, frame, lowest)
            assert frame[3] > 0.85 * room.height()  # and makes use of it


def on_screen(folder, remembered, width, height, ratio):
    """Run the program on a screen of this size, with `ratio` screen pixels per pixel of the program."""
    config = folder / f"{width}.json"
    screen = {"name": "screen", "x": 0, "y": 0, "width": width, "height": height, "dpr": 1}
    config.write_text(json.dumps({"screens": [{**screen, "logicalDpi": 96, "logicalBaseDpi": 96}]}))
    environment = {**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={config}", "QT_SCALE_FACTOR": str(ratio)}
    command = [sys.executable, "-c", PROGRAM, str(folder / f"{width}.ini"), remembered]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_the_window_fits_a_small_screen_beside_a_title_bar_and_a_panel(make_window):
    window = make_window()
    least = window.minimumSizeHint()
    assert least.width() <= 910 and least.height() <= 480  # 1366 x 768 at 150 %: 910 x 512
    assert window.minimumSize().width() <= least.width() and window.minimumSize().height() <= least.height()


def test_what_is_too_high_for_the_window_is_scrolled(qtbot, window):
    run_to_the_end(qtbot, window)
    window.session.pins.put(20, 20)
    window.resize(1000, 480)
    right = window.findChild(QSplitter, "rightSplitter")
    area = next(area for area in window.findChildren(QScrollArea) if area.widget() is right)
    qtbot.waitUntil(lambda: right.height() > area.viewport().height())
    head = window.findChild(QWidget, "attentionHead3")
    area.ensureWidgetVisible(head)
    qtbot.waitUntil(lambda: not head.visibleRegion().isEmpty())
    assert window.findChild(QLabel, "runSummary").visibleRegion().boundingRect().height() > 0


@pytest.mark.parametrize(
    "wanted",
    [(0, 0, 1320, 860), (1200, 700, 600, 400), (-300, -200, 500, 500), (5000, 40, 800, 600), (100, 100, 640, 480)],
)
def test_a_rectangle_is_brought_inside_with_its_frame(wanted):
    room = QRect(0, PANEL, 1366, 768 - PANEL)
    place = fitted(QRect(*wanted), room)
    assert room.contains(place.marginsAdded(QMargins(0, 30, 0, 0)))
    if wanted == (100, 100, 640, 480):
        assert place == QRect(*wanted)


def test_a_maximised_window_is_left_to_the_window_manager(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.showMaximized()
    before = window.geometry()
    fit_to_screen(window)
    assert window.isMaximized() and window.geometry() == before

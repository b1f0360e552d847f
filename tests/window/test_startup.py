"""The window appears at once; what takes long to load is loaded afterwards."""

import os
import subprocess
import sys

PROGRAM = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
from nerd_gui.window import application, splash

def seen(self, event, paint=splash.Splash.paintEvent):
    if self._loader is None:
        heavy = [name for name in ("torch", "skimage", "scipy", "pyqtgraph") if name in sys.modules]
        words = self.findChild(QLabel, "splashWords").text()
        print("splash", time.process_time(), heavy, words.startswith("Loading "), flush=True)
    paint(self, event)

def opened(photo, model, real=application._open):
    made = real(photo, model)
    print("window", time.process_time(), made[0].isVisible(), flush=True)
    QTimer.singleShot(0, end)
    return made

def end():
    splashes = [w for w in QApplication.topLevelWidgets() if w.objectName() == "splash" and w.isVisible()]
    print("splashes", len(splashes), flush=True)
    QApplication.exit(5)

splash.Splash.paintEvent = seen
application._open = opened
sys.exit(application.run_window("no such photo.png"))
"""


def test_a_window_is_there_before_what_takes_long_is_loaded(tmp_path):
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    environment = os.environ | homes | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=100)
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["splash", "window", "splashes"], done.stderr
    assert float(lines[0][1]) < 2 and lines[0][2] == "[] True"
    assert lines[1][2] == "True" and lines[2][1] == "0"

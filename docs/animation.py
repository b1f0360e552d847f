"""The animation of the README: grabs of the real window during a real run, as a WebP file.

    python docs/animation.py resources/screenshots/run.webp

The sample picture is explored with the default settings. Afterwards each iterate is shown once, as it was when it came,
so that the speed of the computer does not matter.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={Path(__file__).parents[1] / 'tests' / 'screen.json'}")

import torch  # noqa: F401 - before Qt, as the program itself does
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, QSettings
from PySide6.QtWidgets import QApplication
from screenshots import Scene

from nerd_gui.files import write_file
from nerd_gui.window.main_window import MainWindow

_WINDOW, _SHOWN = (1320, 825), (1056, 660)  # pixels; the file is scaled down
_FIRST, _EACH, _LAST = 900, 420, 2400  # milliseconds
_DIVIDER = 0.3  # where the noisy picture ends and the iterate begins, in parts of the width
_PIXEL = (84, 128)  # that is pinned, in the shown region


def main(path: Path) -> None:
    """Run, go through the iterates, and write the file."""
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as place:
        window = MainWindow(None, settings=QSettings(str(Path(place) / "settings.ini"), QSettings.Format.IniFormat))
        window.resize(*_WINDOW)
        window.show()
        scene = Scene(window, Path(place), None)
        scene.finished()
        window.picture_view._comparison.divider = _DIVIDER
        row, col = window.session.shown_corner
        window.session.pins.put(row + _PIXEL[0], col + _PIXEL[1])
        frames = [grab(scene, index) for index in range(window.session.newest + 1)]
        application.processEvents()
    durations = [_FIRST, *[_EACH] * (len(frames) - 2), _LAST]
    data = io.BytesIO()
    frames[0].save(
        data, "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=72, method=6
    )
    write_file(path, data.getvalue(), overwrite=True)
    print(f"{path}: {len(frames)} frames, {len(data.getvalue()) / 1e6:.2f} MB", flush=True)
    os._exit(0)  # the animation is made; nothing of the session is to be kept or asked about


def grab(scene: Scene, index: int) -> Image.Image:
    """The window as it shows an iterate, with everything painted."""
    scene.session.go(index)
    scene.wait(scene.window.picture_view.ready)
    scene.pause(0.6)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    scene.window.grab().save(buffer, "PNG")
    picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    return picture.resize(_SHOWN, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

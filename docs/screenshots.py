"""The pictures of the window in README and documentation, made from the real window with real runs, without a display.

    python docs/screenshots.py resources/screenshots [--photo LARGE.jpg] [--only NAME …]

Each scene has a process of its own, since Qt takes the scale of its screen when it starts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

#: Width, height and scale of the window, by the name of a scene; scenes are functions of this name.
SCENES = {
    "first_start": (1440, 900, 1),
    "running": (1440, 900, 1),
    "three_solvers": (1440, 900, 1),
    "three_solvers_light": (1440, 900, 1),
    "three_pins": (1440, 900, 1),
    "analysis_pixel": (1440, 900, 1),
    "analysis_error": (1440, 900, 1),
    "analysis_error_light": (1366, 768, 1),
    "analysis_heads": (1440, 900, 1),
    "analysis_race": (1440, 900, 1),
    "session_reopened": (1366, 768, 1),
    "maps_settling": (1440, 900, 1),
    "maps_features": (1440, 900, 1),
    "maps_heads_light": (1366, 768, 1),
    "rollout": (1440, 900, 1),
    "photo_mode": (1440, 900, 1),
    "photo_mode_light": (1366, 768, 1),
    "photo_opened": (1180, 720, 1),
    "photo_detail": (900, 640, 1),
    "scale_2": (1280, 720, 2),
}
_PATIENCE = 3600  # seconds for a scene to come about on a machine that is busy


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photo", type=Path, help="a large photo, for the scenes of the mode Photo")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument("--scene", choices=SCENES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.scene is not None:
        take(args.scene, args.folder, args.photo)
        return
    # Qt's own offscreen screen is smaller than the window, which keeps to its screen.
    screen = Path(__file__).parents[1] / "tests" / "screen.json"
    for name in args.only:
        if name.startswith("photo_") and args.photo is None:
            print(f"{name}: left out, it needs --photo")
            continue
        photo = [] if args.photo is None else ["--photo", str(args.photo)]
        environment = {
            **os.environ,
            "QT_SCALE_FACTOR": str(SCENES[name][2]),
            "QT_QPA_PLATFORM": f"offscreen:configfile={screen}",
        }
        command = [sys.executable, __file__, str(args.folder), "--scene", name, *photo]
        subprocess.run(command, check=True, env=environment)
        print(picture_of(name, args.folder))


def picture_of(name: str, folder: Path) -> Path:
    """The file of a scene; photos are large as PNG."""
    return folder / f"{name}.{'jpg' if name.startswith('photo_') else 'png'}"


def take(name: str, folder: Path, photo: Path | None) -> None:
    """Bring a scene about and save the window's picture."""
    import torch  # noqa: F401 - before Qt, as the program itself does
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from nerd_gui.window.main_window import MainWindow

    width, height, _ = SCENES[name]
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as place:
        settings = QSettings(str(Path(place) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("appearance", "lightAppearanceAction" if name.endswith("_light") else "darkAppearanceAction")
        window = MainWindow(photo if name.startswith("photo_") and name != "photo_detail" else None, settings=settings)
        window.resize(width, height)
        window.show()
        scene = Scene(window, Path(place), photo)
        getattr(scene, name.removesuffix("_light"))()
        scene.wait(window.picture_view.ready)
        scene.pause(1.0)
        window.grab().save(str(picture_of(name, folder)), None, 90 if name.startswith("photo_") else -1)
        window.saver.wait()
        window.session.controller.wait()
        application.processEvents()
    os._exit(0)  # the scene is taken; nothing of it is to be kept or asked about


class Scene:
    """What a person would do to see it."""

    def __init__(self, window, place: Path, photo: Path | None) -> None:  # type: ignore[no-untyped-def]
        self.window, self.place, self.photo = window, place, photo
        self.session = window.session

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window go on until something is the case."""
        from PySide6.QtWidgets import QApplication

        end = time.monotonic() + _PATIENCE
        while not condition():
            QApplication.processEvents()
            time.sleep(0.01)
            if time.monotonic() > end:
                raise TimeoutError(f"{condition} did not come about")

    def pause(self, seconds: float) -> None:
        """Let the window go on for a while."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def finished(self) -> None:
        """Wait for the run under way."""
        self.wait(lambda: self.session.run is not None and self.session.run.over)

    def again(self, solver: str) -> None:
        """Run once more with another solver."""
        combo = self.window.controls.solver
        combo.setCurrentIndex(combo.findData(solver))
        self.window.actions_.run.trigger()
        self.finished()

    def first_start(self) -> None:
        """The built-in sample has been run."""
        self.finished()

    def running(self) -> None:
        """The solver is under way."""
        self.wait(lambda: self.session.newest >= 6)
        row, col = self.session.shown_corner
        self.session.pins.put(row + 84, col + 128)

    def three_solvers(self) -> None:
        """Broyden, Anderson and plain iteration, one above the other."""
        self.finished()
        self.again("anderson")
        self.again("plain")
        for run in self.session.runs:
            self.session.runs.set_overlaid(run, True)
        self.session.show_run(self.session.runs[0])

    def three_pins(self) -> None:
        """Where the heads look from three pixels."""
        self.finished()
        for row, col in ((84, 128), (190, 60), (60, 200)):
            self.session.pins.put(row, col, beside=True)

    def answered(self, name: str) -> None:
        """Turn to the analyses, ask one, and have its answer in view."""
        self.finished()
        panel = self.window.analyses
        self.window.layout_.pages.analysis.trigger()
        self.wait(lambda: panel.isVisible() and not panel.why_not)
        panel.ask(name)
        self.wait(lambda: self.window.analyst.asked is None and panel.cards[name].view is not None)
        self.pause(0.5)
        panel.scroll_to(name)

    def analysis_pixel(self) -> None:
        """What a pixel was made from, and what the heads looked at for it."""
        self.finished()
        self.session.pins.put(84, 128)
        self.answered("influence")

    def analysis_error(self) -> None:
        """Where the result is to be trusted, laid over the photo."""
        self.answered("risk")
        self.window.analyses.cards["risk"].view.pictures[0].chosen.emit()

    def analysis_heads(self) -> None:
        """What each head is for."""
        self.answered("heads")

    def analysis_race(self) -> None:
        """Four solvers for one equilibrium."""
        self.answered("race")

    def session_reopened(self) -> None:
        """A session file has been opened again."""
        self.three_pins()
        path = self.place / "camera.nerd"
        self.window.sessions._save(path, overwrite=False)
        self.wait(lambda: path.exists() and not self.window.saver.busy)
        shown = self.session.run
        self.window.sessions.open(path)
        self.wait(lambda: self.session.run is not None and self.session.run is not shown)

    def maps(self, left: str, right: str, index: int | None = None) -> None:
        """Two layers of an iterate side by side, of the result where none is named."""
        from nerd_gui.window.picture.layers import Compare, Layer

        self.finished()
        trajectory = self.session.trajectory
        assert trajectory is not None
        self.session.go(trajectory.result if index is None else index)
        view = self.window.picture_view
        view.set_compare(Compare.SIDE_BY_SIDE, Layer[left], Layer[right])
        self.wait(lambda: len(view.captions()) == 2)

    def maps_settling(self) -> None:
        """Where an iterate has not settled, and where it has moved."""
        self.maps("RESIDUAL", "UPDATE", 8)

    def maps_features(self) -> None:
        """What the features hold."""
        self.maps("FEATURE", "COMPONENTS")

    def maps_heads(self) -> None:
        """How far a head looks, and over how many pixels."""
        self.maps("RADIUS", "ENTROPY")

    def rollout(self) -> None:
        """What a pixel has looked at by way of others, on the picture and iterate by iterate."""
        self.finished()
        self.session.pins.put(84, 128)
        self.maps("RESULT", "ROLLOUT", 0)
        over = self.window.attention_panel.over_iterates
        self.window.attention_panel.over_button.click()
        self.wait(lambda: over.head.count() > 1)
        over.head.setCurrentIndex(over.head.count() - 1)
        self.wait(lambda: len(over.rollout.found) > self.session.newest)

    def photo_mode(self) -> None:
        """A large photo is being denoised."""
        self.wait(lambda: self.window.actions_.denoise.isEnabled())
        self.window.actions_.denoise.trigger()
        self.wait(lambda: self.session.progress is not None and self.session.progress.done >= 3)

    def photo_opened(self) -> None:
        """A large photo has been opened in the mode Photo."""
        self.wait(lambda: self.window.actions_.denoise.isEnabled())

    def photo_detail(self) -> None:
        """Before and after at 100 %: a part of the photo, so that it does not take long."""
        from nerd_gui.window.modes import Mode

        assert self.photo is not None
        with Image.open(self.photo) as photo:
            left, top = (round(0.3 * side) - half for side, half in zip(photo.size, (440, 200), strict=True))
            photo.crop((left, top, left + 880, top + 400)).save(self.place / "dandelion.png")
        self.window.modes.choose(Mode.PHOTO)
        self.window.open_dialogs.open_file(self.place / "dandelion.png")
        self.wait(lambda: self.window.actions_.denoise.isEnabled() and self.session.workspace.photo.cols == 880)
        self.window.actions_.denoise.trigger()
        self.finished()
        self.window.picture_view.set_zoom(1)

    def scale_2(self) -> None:
        """A dense screen, with a pin."""
        self.finished()
        self.session.pins.put(84, 128)


if __name__ == "__main__":
    main()

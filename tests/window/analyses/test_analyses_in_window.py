"""Analyses in the main window: the same numbers as on the command line; files, sessions, and their page."""

import io
import json
import threading

import numpy as np
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from widget_walk import complaints
from window_person import choose_scheme, run_to_the_end

from nerd_gui.analysis import load_race
from nerd_gui.analysis.catalogue import CATALOGUE, Analysis
from nerd_gui.cli import main
from nerd_gui.window.session.analyst import FROM_FILE

pytestmark = pytest.mark.usefixtures("_system_colours")

NAMES = ("influence", "risk", "heads", "race")


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "clean.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def window(qtbot, make_window, photo_path, model):
    """A window with a finished run and a pin; the page of the analyses is opened by its key."""
    made = make_window(photo_path, model)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.noise.mode.setCurrentIndex(0)
    made.controls.settings_button.max_iter.setValue(12)
    run_to_the_end(qtbot, made)
    made.session.pins.put(11, 9)
    qtbot.keyClick(made.picture_view.viewport(), Qt.Key.Key_A)
    qtbot.waitUntil(made.analyses.isVisible)
    yield made
    made.analyst.wait()


def ask(qtbot, window, *names):
    for name in names:
        qtbot.waitUntil(window.analyses.cards[name].button.isEnabled)
        qtbot.mouseClick(window.analyses.cards[name].button, Qt.MouseButton.LeftButton)
    cards = window.analyses.cards
    qtbot.waitUntil(
        lambda: window.analyst.asked is None and all(cards[name].view is not None for name in names), timeout=30_000
    )


def test_window_and_command_line_give_the_same_numbers(qtbot, window, photo_path, model, tmp_path):
    ask(qtbot, window, *NAMES)
    subject, settings = window.session.run.subject, window.session.run.settings
    assert subject.sigma == 25 and window.session.trajectory.report()["photo"]["seed"] == subject.seed
    asked = ["analyse", photo_path, "-o", tmp_path / "about", "--model", model, "--add-noise", 25, "--pixel", 11, 9]
    asked += ["--seed", subject.seed, "--max-iter", 12, "--tol", settings.tol, "--only", *NAMES]
    assert main([str(argument) for argument in asked]) == 0
    told = json.loads((tmp_path / "about" / "analysis.json").read_text())
    found = window.session.trajectory.analyses
    for name in NAMES:
        assert_close(found[name].numbers, told[name], name)


def assert_close(one, other, where):
    """Compare everything except times, to a relative 1e-3."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            if key != "seconds":
                assert_close(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_close(*pair, f"{where}[{index}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-6), where
    else:
        assert one == other, where


def test_an_answer_is_saved_as_figure_and_as_data(qtbot, window, tmp_path):
    ask(qtbot, window, "influence", "race")
    found = window.session.trajectory.analyses
    cards, left = window.analyses.cards, Qt.MouseButton.LeftButton
    paths = {suffix: tmp_path / f"influence.{suffix}" for suffix in ("png", "svg", "npz", "json")}
    for path in paths.values():
        with Person(saves(str(path))):
            qtbot.mouseClick(cards["influence"].save_button, left)
        assert path.exists()
    with np.load(paths["npz"]) as arrays:
        np.testing.assert_array_equal(arrays["influence"], found["influence"].arrays["influence"])
        assert json.loads(str(arrays["about"])) == found["influence"].numbers
    assert json.loads(paths["json"].read_text()) == {"influence": found["influence"].numbers}
    head = found["influence"].arrays["attention"][0]
    least = round(255 * float(head.min() / head.max()))
    for suffix, picture in (("png", Image.open(paths["png"])), ("svg", rendered(paths["svg"]))):
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        for colour in ((255, 255, 255), (178, 24, 43), (least, least, least)):  # background, strongest weight, a head
            assert (np.abs(pixels.astype(int) - colour).max(1) <= 2).sum() > 20, (suffix, colour)
    with Person(saves(str(tmp_path / "race.npz"))):
        qtbot.mouseClick(cards["race"].save_button, left)
    raced = {racer.name: list(racer.residual) for racer in load_race(tmp_path / "race.npz")}
    assert raced == {name: each["residual"] for name, each in found["race"].numbers.items()}
    with Person(saves(str(tmp_path / "race.svg"))):
        qtbot.mouseClick(cards["race"].save_button, left)
    assert "Which solver is fastest?" in (tmp_path / "race.svg").read_text()


def rendered(path):
    renderer = QSvgRenderer(QByteArray(path.read_bytes()))
    image = QImage(renderer.defaultSize(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    image.save(str(path.with_suffix(".rendered.png")))
    return Image.open(io.BytesIO(path.with_suffix(".rendered.png").read_bytes()))


def test_a_session_keeps_the_analyses_and_the_page(qtbot, window, tmp_path):
    ask(qtbot, window, "influence", "heads")
    before = window.session.run.trajectory.analyses
    says = {name: window.analyses.cards[name].says for name in before}
    path = tmp_path / "a.nerd"
    with Person(saves(str(path))):
        window.actions_.save_session_as.trigger()
    assert not window.isWindowModified()
    window.findChild(QAction, "curvesPageAction").trigger()
    old = window.session.run
    window.sessions.open(path)
    qtbot.waitUntil(lambda: window.session.run is not old and window.session.trajectory is not None)
    after = window.session.trajectory.analyses
    assert after is not before and {name: each.numbers for name, each in after.items()} == {
        name: each.numbers for name, each in before.items()
    }
    for name in after:
        for key, array in after[name].arrays.items():
            assert array.tobytes() == before[name].arrays[key].tobytes()
    cards = window.analyses.cards
    qtbot.waitUntil(lambda: window.analyses.isVisible() and all(cards[name].view is not None for name in after))
    assert {name: cards[name].says for name in after} == says
    assert window.analyses.why_not == FROM_FILE and not cards["risk"].button.isEnabled()
    assert cards["heads"].save_button.isVisible()
    assert list(window.session.trajectory.report()["analyses"]) == ["influence", "heads"]


def test_a_new_answer_makes_the_session_another_one(qtbot, window, tmp_path):
    with Person(saves(str(tmp_path / "a.nerd"))):
        window.actions_.save_session_as.trigger()
    assert not window.isWindowModified()
    ask(qtbot, window, "whiteness")
    assert window.isWindowModified()


def test_the_picture_shows_what_is_laid_over_it(qtbot, window):
    ask(qtbot, window, "risk")
    canvas, picture = window.picture_view.viewport(), window.analyses.cards["risk"].view.pictures[0]
    plain = canvas.grab().toImage()
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton)
    assert canvas.grab().toImage() != plain
    window.session.go(2)  # the heads' maps follow, but cannot be laid over the picture
    window.session.go(window.session.newest)
    assert canvas.grab().toImage() != plain and picture.selected
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: canvas.grab().toImage() == plain)


def test_everything_fits_and_can_be_read(qtbot, window):
    ask(qtbot, window, "influence", "heads", "race", "settling")
    found = []
    for scheme, size in (("dark", (1366, 768)), ("light", (1100, 700))):
        choose_scheme(qtbot, window, scheme)
        window.resize(*size)
        for name in ("influence", "heads", "race", "settling"):
            window.analyses.scroll_to(name)
            for _ in range(30):
                QApplication.processEvents()
            found += [f"{size}, {scheme}, {name}: {complaint}" for complaint in complaints(window)]
    assert found == []


@pytest.mark.parametrize("how", ["key", "button"])
def test_the_window_s_stop_gives_an_analysis_up_on_any_page(qtbot, window, monkeypatch, how):
    begun = threading.Event()

    def endless(question):
        begun.set()
        while True:
            question.interrupt()

    monkeypatch.setitem(CATALOGUE, "risk", Analysis(**{**vars(CATALOGUE["risk"]), "ask": endless}))
    stop = window.findChild(QToolButton, "stopButton")
    assert not stop.isEnabled()
    window.analyses.ask("risk")
    assert begun.wait(5)
    window.findChild(QAction, "curvesPageAction").trigger()
    qtbot.waitUntil(stop.isEnabled)
    if how == "key":
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    else:
        qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert window.analyst.asked is None and not stop.isEnabled()
    qtbot.waitUntil(lambda: not window.analyst._workers)
    assert window.session.trajectory.analyses == {}


def test_the_queue_waits_for_an_analysis(qtbot, window, monkeypatch):
    held = []
    monkeypatch.setattr(window.queue.queue, "hold", held.append)
    ask(qtbot, window, "whiteness")
    assert held[0] is True and held[-1] is False


def test_a_number_is_copied(qtbot, window):
    ask(qtbot, window, "whiteness")
    window.analyses.scroll_to("whiteness")
    cell = window.analyses.findChild(QLabel, "whitenessCell0-1")
    qtbot.mouseClick(cell, Qt.MouseButton.LeftButton)
    window.clipboard.copy.trigger()
    assert QApplication.clipboard().text() == cell.text()


def test_the_switch_and_the_menu_turn_the_page(qtbot, window):
    button = window.findChild(QToolButton, "curvesPageButton")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.curves.isVisible() and not window.analyses.isVisible()
    view = next(action for action in window.menuBar().actions() if action.text() == "&View").menu()
    next(action for action in view.actions() if action.objectName() == "analysisPageAction").trigger()
    assert window.analyses.isVisible() and not window.curves.isVisible()

"""The panel of analyses, used with mouse and keys; its widgets are compared with the library's results."""

import gc
import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMessageBox, QProgressBar, QPushButton, QToolButton

from nerd_gui.analysis import NotSolved, influence, risk
from nerd_gui.analysis.catalogue import CATALOGUE, Question
from nerd_gui.analysis.catalogue.entry import Analysis
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.denoising import RunError
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.window.analyses.answer_view import PlotCanvas
from nerd_gui.window.session.analyst import FROM_FILE, IN_TILES, NEEDS_RUN, NO_FEATURES, UNDER_WAY
from nerd_gui.window.session.pins import Pin

LEFT = Qt.MouseButton.LeftButton


def state(panel):
    return panel.findChild(QLabel, "analysesState").text()


def ask(qtbot, panel, name):
    """Press a card's button, and wait until its answer is shown."""
    qtbot.mouseClick(panel.cards[name].button, LEFT)
    qtbot.waitUntil(lambda: panel.analyst.asked is None and panel.cards[name].view is not None, timeout=30_000)


def cells(panel, name):
    """Return the texts in a card's table, row by row."""
    found = {}
    for label in panel.cards[name].findChildren(QLabel):
        if label.objectName().startswith(f"{name}Cell"):
            row, col = map(int, label.objectName().removeprefix(f"{name}Cell").split("-"))
            found[row, col] = label.text()
    return found


@pytest.fixture
def slow(monkeypatch):
    """Let analyses take until they are interrupted or this event is set."""
    released, begun = threading.Event(), threading.Event()

    def answer(question: Question) -> Analysed:
        begun.set()
        while not released.wait(1e-3):
            question.interrupt()
        return Analysed({})

    for name, each in CATALOGUE.items():
        monkeypatch.setitem(CATALOGUE, name, Analysis(**{**vars(each), "ask": answer}))
    yield released, begun
    released.set()


def test_without_a_run_every_card_says_what_it_will_show(panel):
    assert state(panel) == NEEDS_RUN
    assert list(panel.cards) == list(CATALOGUE)
    for name, card in panel.cards.items():
        assert card.says == CATALOGUE[name].shows and not card.button.isEnabled() and card.view is None
        tip = panel.findChild(QToolButton, f"{name}Heading").toolTip().replace("\n", " ")
        assert CATALOGUE[name].equation in tip
        assert not card.save_button.isVisible()


def test_what_is_read_in_the_window_is_what_the_library_says(qtbot, asked):
    session = asked.session
    session.pins.put(5, 7)
    qtbot.waitUntil(lambda: "of pin 1" in asked.findChild(QLabel, "influenceState").text())
    ask(qtbot, asked, "influence")
    ask(qtbot, asked, "risk")
    at = equilibrium_of(session.trajectory, session.run.net)
    row = influence(at.net, at.y, at.z, 5, 7, **at.keywords)
    found = session.trajectory.analyses["influence"]
    np.testing.assert_allclose(found.arrays["influence"], row, atol=1e-6)
    assert cells(asked, "influence")[0, 1] == f"{float(row.sum()):.3f}"
    expected = risk(at.net, at.y, at.z, 25, **at.keywords)
    assert cells(asked, "risk")[0, 1].startswith(f"{expected.psnr:.2f} ± ")
    assert cells(asked, "risk")[1, 1] == f"{session.trajectory[session.trajectory.result].psnr:.2f} dB"
    assert f"{expected.psnr:.2f}" in asked.cards["risk"].says
    report = session.trajectory.report()
    assert list(report["analyses"]) == ["influence", "risk"] and report["analyses"]["influence"]["pixel"] == [5, 7]


def test_an_answer_comes_into_view(qtbot, asked):
    asked.window().resize(500, 500)
    name = list(CATALOGUE)[-1]
    card, view = asked.cards["whiteness"], asked._area.viewport()
    assert asked.cards[name].button.visibleRegion().isEmpty(), "it is below the others"
    asked.ask("whiteness")
    qtbot.waitUntil(lambda: card.view is not None)
    qtbot.waitUntil(lambda: card.mapTo(view, card.rect().bottomLeft()).y() <= view.height())
    assert card.mapTo(view, card.rect().topLeft()).y() >= 0


def test_pictures_show_the_values(qtbot, asked):
    ask(qtbot, asked, "influence")
    card = asked.cards["influence"]
    used = card.view.pictures[1]
    values = used.picture.values
    assert values.shape == (5, 5) and used.picture.mark == (2, 2)
    asked._area.ensureWidgetVisible(used)
    shot, area, cell = used.grab().toImage(), used.area(), used.area().width() / 5
    for row, col in ((0, 0), (4, 1), (1, 3)):
        colour = shot.pixelColor(int(area.left() + (col + 0.5) * cell), int(area.top() + (row + 0.5) * cell))
        strength = np.sqrt(abs(values[row, col]) / np.abs(values).max())
        full = (178, 24, 43) if values[row, col] >= 0 else (33, 102, 172)
        wanted = [round(255 + strength * (end - 255)) for end in full]
        assert np.abs(np.array(colour.getRgb()[:3]) - wanted).max() <= 1


def test_the_race_is_drawn_over_iterations_evaluations_and_seconds(qtbot, asked):
    ask(qtbot, asked, "race")
    numbers = asked.session.trajectory.analyses["race"].numbers
    axis = asked.findChild(QComboBox, "racePlotCombo")
    canvas = asked.findChild(PlotCanvas, "racePlot")
    assert [curve.name for curve in canvas.plot.curves] == list(numbers)
    axis.setFocus()
    qtbot.keyClick(axis, Qt.Key.Key_Down)
    assert canvas.plot.title == "over evaluations of f"
    curve, racer = canvas.plot.curves[0], numbers["Broyden"]
    assert list(curve.x) == racer["evaluations"] and list(curve.y) == racer["residual"]
    drawing = canvas.drawing()
    first, last = drawing.position(curve.x[0], 1e-1), drawing.position(curve.x[0], 1e-3)
    assert drawing.position(curve.x[0], 1e-2).y() == pytest.approx((first.y() + last.y()) / 2), "by powers of ten"


def test_eigenvalues_stand_in_the_complex_plane(qtbot, asked):
    ask(qtbot, asked, "spectrum")
    canvas = asked.findChild(PlotCanvas, "spectrumPlot")
    qtbot.waitUntil(lambda: canvas.width() > 150 and canvas.height() > 150)
    drawing = canvas.drawing()
    middle, right, above = (drawing.position(*point) for point in ((0, 0), (1, 0), (0, 1)))
    assert right.x() - middle.x() == pytest.approx(middle.y() - above.y()), "the unit circle is round"
    value = asked.session.trajectory.analyses["spectrum"].numbers["eigenvalues"][0]
    shot = canvas.grab().toImage()
    dot = shot.pixelColor(drawing.position(*value).toPoint())
    assert dot == QColor("#56B4E9")
    assert "is stable" in asked.cards["spectrum"].says


def test_all_are_asked_one_after_another_by_the_keyboard(qtbot, asked, slow):
    released, begun = slow
    asked.all_button.setFocus()
    qtbot.keyClick(asked.all_button, Qt.Key.Key_Space)
    assert begun.wait(5) and [each.name for each in asked.analyst.waiting] == list(CATALOGUE)[1:]
    qtbot.waitUntil(lambda: asked.findChild(QLabel, "raceState").text() == "waits")
    assert asked.cards["influence"].button.text() == "Stop" and not asked.cards["race"].button.isEnabled()
    assert asked.findChild(QProgressBar, "influenceProgress").isVisible()
    released.set()
    qtbot.waitUntil(lambda: len(asked.session.trajectory.analyses) == len(CATALOGUE), timeout=20_000)
    qtbot.waitUntil(lambda: all(card.view is not None for card in asked.cards.values()))
    qtbot.waitUntil(lambda: not asked.all_button.isEnabled())


@pytest.mark.parametrize("how", ["button", "run"])
def test_an_analysis_is_given_up(qtbot, asked, slow, how):
    begun = slow[1]
    asked.analyst.ask(asked.session.run, "risk", (0, 0), None)
    asked.analyst.ask(asked.session.run, "race", (0, 0), None)
    assert begun.wait(5)
    qtbot.waitUntil(lambda: asked.cards["risk"].button.text() == "Stop")
    threads = list(asked.analyst._workers)
    if how == "button":
        qtbot.mouseClick(asked.cards["risk"].button, LEFT)
    else:  # never beside a run
        asked.session.controller.runningChanged.emit(True)
    assert asked.analyst.asked is None and asked.analyst.waiting == ()
    qtbot.waitUntil(lambda: asked.cards["risk"].button.text() == "Analyse")
    qtbot.waitUntil(lambda: not asked.analyst._workers)
    assert len(threads) == 1 and asked.session.trajectory.analyses == {}
    assert asked.cards["risk"].says == CATALOGUE["risk"].shows


def test_what_is_found_too_late_is_dropped(qtbot, asked, monkeypatch):
    answered = threading.Event()

    def late(question):
        answered.wait(5)
        return Analysed({})

    monkeypatch.setitem(CATALOGUE, "risk", Analysis(**{**vars(CATALOGUE["risk"]), "ask": late}))
    asked.analyst.ask(asked.session.run, "risk", (0, 0), None)
    asked.analyst.stop()
    answered.set()
    qtbot.waitUntil(lambda: not asked.analyst._workers)
    assert asked.session.trajectory.analyses == {}


def test_what_a_long_analysis_knows_so_far_is_said_until_the_answer_is_there(qtbot, asked, make_run, monkeypatch):
    released = threading.Event()

    def slow(question):
        question.so_far("So far, it is 3.")
        released.wait(5)
        return whiteness(question)

    whiteness = CATALOGUE["whiteness"].ask
    monkeypatch.setitem(CATALOGUE, "whiteness", Analysis(**{**vars(CATALOGUE["whiteness"]), "ask": slow}))
    card, first, second = asked.cards["whiteness"], asked.session.run, make_run()
    qtbot.mouseClick(card.button, LEFT)
    qtbot.waitUntil(lambda: card.says == "So far, it is 3.")
    asked.session.runs.add(second)
    asked.session.show_run(second)
    qtbot.waitUntil(lambda: card.says == CATALOGUE["whiteness"].shows)
    asked.session.show_run(first)
    released.set()
    qtbot.waitUntil(lambda: card.view is not None)
    assert card.says == card.shown.says


@pytest.mark.parametrize("error", [NotSolved("It was not solved."), RunError("It was not solved.")])
def test_why_there_is_no_answer_is_said_in_the_card(qtbot, asked, monkeypatch, error):
    def fails(question):
        raise error

    monkeypatch.setitem(CATALOGUE, "risk", Analysis(**{**vars(CATALOGUE["risk"]), "ask": fails}))
    qtbot.mouseClick(asked.cards["risk"].button, LEFT)
    qtbot.waitUntil(lambda: asked.cards["risk"].says == "It was not solved.")
    assert asked.cards["risk"].button.isEnabled() and asked.session.trajectory.analyses == {}


def test_an_unexpected_error_is_told_with_its_details(qtbot, asked, monkeypatch):
    def fails(question):
        raise ZeroDivisionError("of nothing")

    monkeypatch.setitem(CATALOGUE, "risk", Analysis(**{**vars(CATALOGUE["risk"]), "ask": fails}))
    qtbot.mouseClick(asked.cards["risk"].button, LEFT)
    qtbot.waitUntil(lambda: asked.window().findChild(QMessageBox) is not None)
    box = asked.window().findChild(QMessageBox)
    assert "ZeroDivisionError" in box.text() and "Traceback" in box.detailedText()
    box.close()


def test_runs_that_cannot_be_analysed_say_so_and_what_to_do(qtbot, panel, make_run, monkeypatch):
    session, run, repeated = panel.session, make_run(), []
    session.runs.add(run)
    session.show_run(run)
    run.in_tiles = True
    session.show_run(run)
    qtbot.waitUntil(lambda: state(panel) == IN_TILES)
    assert not panel.cards["risk"].button.isEnabled() and not panel.all_button.isVisible()
    run.in_tiles, net, run.net = False, run.net, None
    session.show_run(run)
    qtbot.waitUntil(lambda: state(panel) == FROM_FILE)
    monkeypatch.setattr(session, "repeat", repeated.append)
    qtbot.mouseClick(panel.findChild(QPushButton, "analysesRunAgain"), LEFT)
    assert repeated == [run]
    run.net = net
    without = make_run(features=False)
    session.runs.add(without)
    session.show_run(without)
    qtbot.waitUntil(lambda: state(panel) == NO_FEATURES)
    monkeypatch.setattr(type(session.controller), "running", property(lambda _: True))
    session.show_run(run)
    qtbot.waitUntil(lambda: state(panel) == UNDER_WAY)


def test_answers_belong_to_their_run(qtbot, asked, make_run):
    ask(qtbot, asked, "whiteness")
    first, second = asked.session.run, make_run()
    asked.session.runs.add(second)
    asked.session.show_run(second)
    qtbot.waitUntil(lambda: asked.cards["whiteness"].view is None)
    assert asked.cards["whiteness"].says == CATALOGUE["whiteness"].shows
    asked.session.show_run(first)
    qtbot.waitUntil(lambda: asked.cards["whiteness"].view is not None)
    heading = asked.findChild(QToolButton, "whitenessHeading")
    qtbot.mouseClick(heading, LEFT)
    assert not asked.cards["whiteness"].view.isVisible()
    qtbot.mouseClick(heading, LEFT)
    assert asked.cards["whiteness"].view.isVisible()


def test_an_answer_of_another_version_is_not_shown_but_said(qtbot, asked):
    asked.session.trajectory.analyses["risk"] = Analysed({"other": 1})
    asked.session.runs.changed.emit()
    qtbot.waitUntil(lambda: "another version" in asked.cards["risk"].says)


def test_a_picture_is_laid_over_the_photo_and_taken_away(qtbot, asked):
    ask(qtbot, asked, "risk")
    picture = asked.cards["risk"].view.pictures[0]
    with qtbot.waitSignal(asked.overlayChanged):
        qtbot.mouseClick(picture, LEFT)
    weights, top, left, opacity = asked.overlay()
    expected = np.sqrt(np.clip(asked.session.trajectory.analyses["risk"].arrays["expected_mse"], 0, None))
    assert weights.shape == (64, 64) and (top, left) == (0, 0) and 0 < opacity <= 1 and picture.selected
    assert weights[40, 3] == pytest.approx(expected[1, 0] / expected.max(), abs=1e-6)
    with qtbot.waitSignal(asked.overlayChanged):
        qtbot.keyClick(picture, Qt.Key.Key_Return)
    assert asked.overlay() is None and not picture.selected


def test_a_pixel_of_a_region_is_asked_for_in_its_own_rows(qtbot, asked, monkeypatch):
    subject = asked.session.run.subject
    monkeypatch.setattr(type(subject), "corner", property(lambda _: (10, 20)))
    assert asked._pixel(asked.session.run) == ((20, 18), "the middle pixel")
    asked.session.pins.set((Pin(1, 12, 25),), 1)
    assert asked._pixel(asked.session.run) == ((2, 5), "pin 1")
    asked.session.pins.set((Pin(1, 5, 5),), 1)
    assert asked._pixel(asked.session.run) == ((20, 18), "the middle pixel"), "the pin lies outside"


def test_large_answers_do_not_keep_the_window_waiting(qtbot, asked):
    """For a run of half a megapixel, the window's thread is never busy for 50 ms at a time."""
    run, (row, col) = asked.session.run, (5, 7)
    question = Question(equilibrium_of(run.trajectory, run.net), run.trajectory, (row, col))
    for name in ("influence", "heads", "looking", "starts"):
        found = CATALOGUE[name].ask(question)
        large = {
            key: array if array.shape[-1] < 30 else array.repeat(20, -2).repeat(20, -1)
            for key, array in found.arrays.items()
        }
        run.trajectory.analyses[name] = Analysed(found.numbers, large)
    gc.collect()
    longest = 0.0

    def go_on():
        nonlocal longest
        start = time.thread_time()
        QApplication.processEvents()
        longest = max(longest, time.thread_time() - start)
        return all(asked.cards[name].view is not None for name in run.trajectory.analyses)

    asked.session.show_run(run)
    while not go_on():
        pass
    for name in run.trajectory.analyses:
        asked.scroll_to(name)
        for _ in range(5):
            go_on()
    assert asked.cards["heads"].view.pictures[0].picture.values.shape == (800, 720)
    print(f"longest: {1e3 * longest:.0f} ms")
    assert longest < 0.05

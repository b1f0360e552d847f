"""The captions of the pictures: PSNR of the noisy one, the start, the run, and the kept iterate, of any run."""

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from scripted_session import make_iterate

from nerd_gui.denoising import MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.imaging import Photo, psnr, to_8_bit
from nerd_gui.window.picture import noisy_score
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.noisy_score import NoisyScore
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

RNG = np.random.default_rng(3)
PHOTO = Photo(RNG.random((1, 40, 50), dtype=np.float32), name="random", sha256="0" * 64)


def make_run(*, region=None, start="zero", sigma=25.0, known=True, scale=1.0):
    subject = Subject.of(PHOTO, sigma=sigma, region=region)
    if not known:
        subject = Subject(PHOTO, subject.noisy, None, None, None, region)
    trajectory = Trajectory(subject, RunSettings(start=start), 9, MemoryPlan(0, 0, None, None))
    for index in range(4):
        n_hat = (scale * 0.05 * index * np.ones(subject.noisy.shape)).astype(np.float16)
        trajectory.add(make_iterate(index, 0.1**index, last=index == 3, known=known, n_hat=n_hat))
    return Run(subject, trajectory.settings, trajectory=trajectory, over=True)


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def view(qtbot, session):
    made = PictureView(session)
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    qtbot.waitExposed(made)
    made.set_compare(Compare.SIDE_BY_SIDE, Layer.NOISY, Layer.ITERATE)
    return made


def take(session, *runs):
    for run in runs:
        session.runs.add(run)
        session.show_run(run)


def test_the_noisy_picture_has_its_psnr_where_the_clean_one_is_known(session, view):
    run = make_run()
    take(session, run)
    assert view.captions()[0] == f"noisy · {psnr(run.subject.clean, run.subject.noisy):.2f} dB"
    take(session, make_run(known=False))
    assert view.captions()[0] == "noisy"
    session.show_run(run)
    assert view.captions()[0].endswith("dB")


@pytest.mark.parametrize("values", [60, 10**6])  # a row at a time, or all at once
def test_it_is_that_of_the_whole_picture_however_it_is_taken(qtbot, monkeypatch, values):
    monkeypatch.setattr(noisy_score, "_VALUES", values)
    subject, found = Subject.of(PHOTO, sigma=15), []
    score = NoisyScore()
    score.found.connect(found.append)
    score.take(subject.noisy, subject.clean)
    assert len(found) == (values > 60)
    qtbot.waitUntil(lambda: found != [])
    assert found == [pytest.approx(psnr(subject.clean, subject.noisy), abs=1e-9)]
    score.take(subject.noisy, subject.clean)  # known by now
    assert len(found) == 2 and found[0] == found[1]


def test_pictures_that_are_given_meanwhile_are_not_mixed_up(qtbot, monkeypatch):
    monkeypatch.setattr(noisy_score, "_VALUES", 60)
    first, second, found = Subject.of(PHOTO, sigma=15), Subject.of(PHOTO, sigma=50), []
    score = NoisyScore()
    score.found.connect(found.append)
    score.take(first.noisy, first.clean)
    score.take(second.noisy, second.clean)
    qtbot.waitUntil(lambda: found != [])
    assert found == [pytest.approx(psnr(second.clean, second.noisy), abs=1e-9)]
    score.take(second.noisy, None)
    qtbot.wait(0)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("zero", "iterate 0, the start: nothing is removed yet · 20.00 dB"),
        ("random", "iterate 0, the start: a random feature · 20.00 dB"),
        ("last", "iterate 0, the start: the last equilibrium · 20.00 dB"),
    ],
)
def test_iterate_0_is_explained(session, view, start, words):
    take(session, make_run(start=start))
    session.go(0)
    assert view.captions()[1] == words
    session.go(2)
    assert view.captions()[1] == "iterate 2 · 22.00 dB"


def test_the_run_is_named_where_there_are_several(session, view):
    first, second = make_run(), make_run()
    take(session, first)
    assert view.captions()[1] == "iterate 3 · 23.00 dB"
    take(session, second)
    assert view.captions()[1] == "Run 2 · iterate 3 · 23.00 dB"
    session.runs.rename(second, "q 9")
    assert view.captions()[1] == "q 9 · iterate 3 · 23.00 dB"
    session.remove_run(first)
    assert view.captions()[1] == "iterate 3 · 23.00 dB"


def entry(view):
    """Return the entry of the kept iterate in the list on the left."""
    combo = view.findChild(QComboBox, "leftLayerCombo")
    return combo.itemText(combo.findData(Layer.COMPARED))


def test_the_kept_iterate_is_called_what_it_is(session, view):
    first, second = make_run(), make_run(scale=2)
    take(session, first)
    assert entry(view) == "kept iterate (press H)"
    view.keep(first, 1)
    take(session, second)
    assert entry(view) == "iterate 1 of Run 1"
    assert view.captions()[0] == "iterate 1 of Run 1"
    session.runs.rename(first, "before")
    assert entry(view) == "iterate 1 of before" == view.captions()[0]
    session.compare(None)
    assert entry(view) == "kept iterate (press H)"


def test_any_iterate_of_one_run_is_compared_with_any_of_another(session, view):
    first, second = make_run(), make_run(scale=2)
    take(session, first, second)
    for kept, shown in ((0, 3), (2, 1)):
        view.keep(first, kept)
        session.go(shown)
        expected = [to_8_bit(first.trajectory.picture(kept))[0], to_8_bit(second.trajectory.picture(shown))[0]]
        for mode in (Compare.SIDE_BY_SIDE, Compare.WIPE):
            view.set_compare(mode)
            assert all(np.array_equal(*pair) for pair in zip(view.current(), expected, strict=True))
            assert view.captions() == [f"iterate {kept} of Run 1", f"Run 2 · iterate {shown} · {20 + shown}.00 dB"]
        view.set_compare(Compare.DIFFERENCE)
        assert view.captions() == [f"Run 2 · iterate {shown} · {20 + shown}.00 dB − iterate {kept} of Run 1"]


@pytest.mark.parametrize("kept_region", [None, (2, 3, 30, 40)])
def test_of_a_run_of_more_of_the_photo_the_shown_part_is_compared(session, view, kept_region):
    more, part = make_run(region=kept_region), make_run(region=(10, 12, 16, 20))
    take(session, more, part)
    view.keep(more, 2)
    top, left = (10, 12) if kept_region is None else (8, 9)
    expected = to_8_bit(more.trajectory.picture(2)[:, top : top + 16, left : left + 20])[0]
    assert np.array_equal(view.current()[0], expected)
    assert "another part" not in view.findChild(QLabel, "pixelLabel").text()


def test_a_run_of_another_part_is_not_shown_and_it_is_said_why(session, view):
    part, whole = make_run(region=(10, 12, 16, 20)), make_run()
    take(session, part, whole)
    view.keep(part, 2)
    assert view.current()[0] is None and view.current()[1].shape == (40, 50)
    said = view.findChild(QLabel, "pixelLabel").text
    assert said().startswith("iterate 2 of Run 1 is of another part of the photo")
    view.set_compare(Compare.WIPE, Layer.NOISY)
    assert "another part" not in said()
    view.set_compare(Compare.WIPE, Layer.COMPARED)
    session.show_run(part)
    assert "another part" not in said() and view.current()[0].shape == (16, 20)

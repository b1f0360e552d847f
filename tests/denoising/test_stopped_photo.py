"""A whole photo that was stopped continues from its session file as if it had not been stopped."""

import dataclasses
import json
import threading
import zipfile
from datetime import datetime

import numpy as np
import pytest
from tiny_runs import make_net

from nerd_gui.denoising import PICTURE, PhotoRun, RunError, RunSettings, Subject, record_photo
from nerd_gui.denoising.session_file import SavedRun, SavedSession, SessionFileError, read_session, write_session
from nerd_gui.denoising.whole_photo import photo_plan
from nerd_gui.imaging import Photo, open_photo, save_picture

SETTINGS = RunSettings(max_iter=8, stop_on=PICTURE)


CORES = (64, 32)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(photo_plan, "CORES", CORES)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photo")
    random = np.random.default_rng(0).random((3, 144, 160))
    waves = 0.5 + 0.5 * np.sin(np.arange(160) / 15) * np.cos(np.arange(144) / 19)[:, None]
    save_picture(folder / "waves.png", Photo(random.astype(np.float32) * waves.astype(np.float32), name="waves"))
    return open_photo(folder / "waves.png")


def solve(run, tiles):
    """Solve this many tiles."""
    for progress in run.tiles():
        if progress.iterates:
            run.trajectory.replace(progress.iterates)
        if progress.done == tiles:
            break
    run.finish()


def session_of(photo, run):
    saved = SavedRun(
        1,
        "Run 1",
        run.trajectory.as_it_is(),
        SETTINGS,
        overlaid=False,
        index=0,
        started=datetime(2026, 11, 28),
        in_tiles=True,
        standing_still=run.standing_still,
    )
    return SavedSession(photo, runs=(saved,), sigma=25.0, add_noise=True)


def gone_on_with(path, net, grain=1):
    (kept,) = read_session(path).runs
    n_hats = [iterate.n_hat for iterate in kept.trajectory.iterates]
    subject = kept.trajectory.subject
    return PhotoRun(subject, kept.asked, net, grain=grain, stopped=kept.stopped, n_hats=n_hats)


def numbers(trajectory):
    return [(one.residual, one.noise_levels, one.psnr, one.evaluations, one.stop_reason) for one in trajectory.iterates]


@pytest.mark.parametrize(("grain", "channels", "level"), [(1, 1, False), (2, 3, True)])
def test_it_goes_on_to_the_same_photo_to_the_bit(photo, tmp_path, grain, channels, level):
    net = make_net(channels=channels, level_input=level)
    subject = Subject.of(photo, sigma=25, seed=3)
    expected = record_photo(PhotoRun(subject, SETTINGS, net, grain=grain))
    run = PhotoRun(subject, SETTINGS, net, grain=grain)
    solve(run, 4)
    write_session(tmp_path / "a.nerd", session_of(photo, run), overwrite=False)
    again = gone_on_with(tmp_path / "a.nerd", net, grain)
    assert not again.finished and numbers(again.trajectory)[:-1] == numbers(run.trajectory)[:-1]
    done = [progress.done for progress in again.tiles()]
    assert done == [5, 6, 7, 8, 9] and again.finished, "no sample, and no tile twice"
    again = gone_on_with(tmp_path / "a.nerd", net, grain)
    record_photo(again)
    assert numbers(again.trajectory) == numbers(expected)
    for one, other in zip(again.trajectory.iterates, expected.iterates, strict=True):
        assert one.n_hat.tobytes() == other.n_hat.tobytes()


def test_what_it_stood_at_is_kept_only_while_there_is_something_left(photo, tmp_path):
    run = PhotoRun(Subject.of(photo, sigma=25), SETTINGS, make_net())
    solve(run, 9)
    write_session(tmp_path / "a.nerd", session_of(photo, run), overwrite=False)
    (kept,) = read_session(tmp_path / "a.nerd").runs
    assert run.finished and kept.stopped is None and kept.trajectory.stop_reason == run.trajectory.stop_reason


def test_no_tile_comes_between_while_it_is_written(photo, tmp_path):
    run = PhotoRun(Subject.of(photo, sigma=25), SETTINGS, make_net())
    solve(run, 2)
    before = run.trajectory[-1].n_hat.copy()
    with run.standing_still() as stopped:
        worker = threading.Thread(target=lambda: solve(run, 4))
        worker.start()
        worker.join(0.5)
        assert worker.is_alive() and np.array_equal(run.trajectory[-1].n_hat, before) and len(stopped.left) == 7
    worker.join()
    assert run.trajectory[-1].n_hat.tobytes() != before.tobytes()


@pytest.fixture(scope="module")
def path(photo, tmp_path_factory):
    """A session file with an unfinished photo; not to be changed."""
    path = tmp_path_factory.mktemp("session") / "a.nerd"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photo_plan, "CORES", CORES)
        run = PhotoRun(Subject.of(photo, sigma=25), SETTINGS, make_net())
        solve(run, 3)
        write_session(path, session_of(photo, run), overwrite=False)
    return path


def rewritten(path, target, change):
    """Copy a session file, and let `change` edit the state of its unfinished photo."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "session.json":
                description = json.loads(content)
                change(description["runs"][0]["stopped"])
                content = json.dumps(description)
            other.writestr(name, content)
    return target


def test_another_network_does_not_go_on_with_it(path):
    with pytest.raises(RunError, match="Another network made the finished tiles"):
        gone_on_with(path, make_net(features=16, groups=2))


def test_tiles_of_other_sizes_are_not_gone_on_with(path, tmp_path):
    """The program has not always cut photos in the same way."""

    def with_a_larger_tile(stopped):
        stopped["finished"][0]["pixels"] += 2

    other = rewritten(path, tmp_path / "other.nerd", with_a_larger_tile)
    with pytest.raises(RunError, match="cut this photo into tiles of other sizes; denoise it from the beginning"):
        gone_on_with(other, make_net())


def test_a_session_of_an_earlier_version_goes_on_from_zero(path, tmp_path):
    """Such a session has no start of the tiles."""

    def without_start(stopped):
        for one in stopped["passes"]:
            assert one.pop("start") is not None

    earlier = rewritten(path, tmp_path / "earlier.nerd", without_start)
    run = gone_on_with(earlier, make_net())
    assert [one.start for one in run._passes] == [None]
    assert record_photo(run).stop_reason is not None and run.finished


def test_tiles_that_do_not_fit_any_more_are_said_so(path, monkeypatch):
    (kept,) = read_session(path).runs
    monkeypatch.setattr(photo_plan, "CORES", (32,))
    with pytest.raises(RunError, match="in tiles of 64 pixels, for which the memory limit is now too low"):
        PhotoRun(kept.trajectory.subject, kept.asked, make_net(), stopped=kept.stopped)


@pytest.mark.parametrize(
    "change",
    [
        {"core": 48},
        {"left": []},
        {"left": [5, 5]},
        {"left": [-1]},
        {"seconds": "long"},
        {"passes": []},
        {"passes": [{"stride": 1, "strength": None, "statistics": [{"norm": {"mean": [1.0], "variance": [-1.0]}}]}]},
        {"passes": [{"stride": 1, "statistics": [], "start": {"weight": [1.0, 2.0], "bias": [0.0, 0.0]}}]},
        {"finished": []},
        {"finished": [{"pixels": 4096, "patches": 8, "iterates": []}]},
    ],
)
def test_what_cannot_be_is_said_when_it_is_opened(path, tmp_path, change):
    changed = rewritten(path, tmp_path / "changed.nerd", lambda stopped: stopped.update(change))
    with pytest.raises(SessionFileError, match="damaged or incomplete"):
        read_session(changed)


def test_a_tile_beyond_the_photo_is_another_run(path):
    (kept,) = read_session(path).runs
    odd = dataclasses.replace(kept.stopped, left=(*kept.stopped.left[1:], 99))
    with pytest.raises(RunError, match="denoise it from the beginning"):
        PhotoRun(kept.trajectory.subject, kept.asked, make_net(), stopped=odd)

"""Session files, read back by zipfile, json and NumPy, and by the program bit for bit."""

import dataclasses
import io
import json
import math
import zipfile
from datetime import datetime

import numpy as np
import pytest
from PIL import Image
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import Look, RunSettings, Subject, denoise
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.report import outline
from nerd_gui.denoising.session_file import SavedRun, SavedSession, SessionFolder, read_session, write_session
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import open_photo, open_sample, save_picture

PINS = ((1, 3, 4), (3, 10, 12))


def make_run(number, trajectory, **changes):
    fields = {
        "name": f"Run {number}",
        "trajectory": trajectory,
        "asked": trajectory.settings,
        "overlaid": False,
        "index": len(trajectory) - 1,
        "started": datetime(2026, 11, 28, 14, 32, number),
    }
    return SavedRun(number, **{**fields, **changes})


@pytest.fixture
def photo(tmp_path):
    save_picture(tmp_path / "bird.png", make_photo(3))
    return open_photo(tmp_path / "bird.png")


@pytest.fixture
def session(photo):
    """Two runs; the second, of a region and with another solver, has numbers that are as unusual as possible."""
    net = make_net()
    first = denoise(Subject.of(photo, sigma=25, seed=3), RunSettings(max_iter=4, tol=0), net)
    region = Subject.of(photo, sigma=10, seed=1, region=(2, 3, 16, 12))
    second = denoise(region, RunSettings(solver="plain", max_iter=2, window=3, damping=0.5), net)
    odd = dataclasses.replace(second[1], residual=math.inf, psnr=None, noise_levels=(math.nan, 0.1, 1 / 3))
    second.replace([second[0], odd, second[2]])
    second.notice, second.earlier_runs = "It began at zero.", ({**outline(first), "residuals": [0.5, None]},)
    row = np.random.default_rng(0).standard_normal((3, first.subject.rows, 5)).astype(np.float32)
    first.analyses["influence"] = Analysed({"sum": 1 / 3, "pixel": [3, 4]}, {"influence": row, "heads": row[0]})
    first.analyses["race"] = Analysed({"Broyden": {"residual": [0.5, None]}})
    runs = make_run(1, first, name="σ 25, long", overlaid=True, index=2), make_run(4, second, continues=True)
    return SavedSession(
        photo,
        sigma=10.0,
        seed=1,
        add_noise=True,
        region=(2, 3, 16, 12),
        runs=runs,
        shown=4,
        follow=False,
        pins=PINS,
        selected=3,
        compared=(1, 3, Look(0.5, 0.25, 0.125)),
        look=Look(1.5, 0.5, 0.25),
        channel=2,
        view={"zoom": 1 / 3, "mode": "explore"},
    )


def assert_same_trajectory(read, written):
    ours, theirs = vars(read).copy(), vars(written).copy()
    for name in ("subject", "iterates", "_profiles", "analyses"):
        ours.pop(name), theirs.pop(name)
    assert ours == theirs
    assert list(read.analyses) == list(written.analyses)
    for found, expected in zip(read.analyses.values(), written.analyses.values(), strict=True):
        assert found.numbers == expected.numbers and list(found.arrays) == list(expected.arrays)
        for name, array in found.arrays.items():
            assert array.dtype == np.float32 and np.array_equal(array, expected.arrays[name])
    for name in ("sigma", "seed", "region"):
        assert getattr(read.subject, name) == getattr(written.subject, name)
    assert read.subject.noisy.tobytes() == written.subject.noisy.tobytes()
    assert np.array_equal(read.subject.clean, written.subject.clean)
    assert len(read) == len(written)
    for one, other in zip(read.iterates, written.iterates, strict=True):
        numbers = vars(one).copy(), vars(other).copy()
        for each in numbers:
            n_hat = each.pop("n_hat")
            assert n_hat.dtype == np.float16
            each.pop("features")
        assert repr(numbers[0]) == repr(numbers[1]), "every number to its last bit, also those that are none"
        assert one.n_hat.tobytes() == other.n_hat.tobytes() and one.features is None


def assert_same(read, written):
    assert read.photo.pixels.tobytes() == written.photo.pixels.tobytes()
    own = dataclasses.fields(SavedSession)
    for name in (field.name for field in own if field.name not in ("photo", "clean", "runs", "notice")):
        assert getattr(read, name) == getattr(written, name), name
    assert len(read.runs) == len(written.runs)
    for one, other in zip(read.runs, written.runs, strict=True):
        assert_same_trajectory(one.trajectory, other.trajectory)
        assert one.trajectory.subject.photo is read.photo
        for field in dataclasses.fields(SavedRun):
            if field.name != "trajectory":
                assert getattr(one, field.name) == getattr(other, field.name), field.name


def test_a_session_is_read_to_the_bit(session, tmp_path):
    write_session(tmp_path / "a.nerd", session, overwrite=False)
    read = read_session(tmp_path / "a.nerd")
    assert_same(read, session)
    assert read.notice == ""
    again = tmp_path / "b.nerd"
    write_session(again, read, overwrite=False)
    assert_same(read_session(again), session)


def test_it_is_a_zip_that_others_can_read(session, tmp_path):
    path = tmp_path / "a.nerd"
    write_session(path, session, overwrite=False)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.infolist()[0].filename == "mimetype"
        names = set(archive.namelist())
        description = json.loads(archive.read("session.json"))
        preview = Image.open(io.BytesIO(archive.read("preview.png")))
    assert path.read_bytes()[38:68] == b"application/x-nerd-gui-session", "where a desktop looks for it"
    estimates = {f"run_1/n_hat_{index:02d}.npy" for index in range(5)} | {
        f"run_4/n_hat_{index:02d}.npy" for index in range(3)
    }
    analyses = {"run_1/analysis_influence-influence.npy", "run_1/analysis_influence-heads.npy"}
    assert names == {"mimetype", "session.json", "preview.png"} | estimates | analyses
    first, second = description["runs"]
    assert description["photo"]["relative_path"] == "bird.png" and description["photo"]["path"].endswith("bird.png")
    assert description["photo"]["sha256"] == session.photo.sha256
    assert first["report"] == json.loads(json.dumps(session.runs[0].trajectory.report()))
    assert first["settings"]["tol"] == 0 and second["iterates"][1]["residual"] == "inf"
    trajectory = session.runs[1].trajectory
    shown = trajectory.picture(2, session.look)
    assert preview.size == (12, 16) and np.array_equal(np.moveaxis(np.asarray(preview), -1, 0), to_levels(shown))
    with np.load(path) as arrays:  # NumPy takes it for its own
        for index, iterate in enumerate(trajectory.iterates):
            assert arrays[f"run_4/n_hat_{index:02d}"].tobytes() == iterate.n_hat.tobytes()


def to_levels(picture):
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def test_a_run_that_is_under_way_is_read_as_one_that_was_stopped(session, tmp_path):
    trajectory = session.runs[0].trajectory
    trajectory.replace([dataclasses.replace(each, stop_reason=None) for each in trajectory.iterates[:2]])
    trajectory.stop_reason = None
    run = dataclasses.replace(session.runs[0], index=1)
    write_session(tmp_path / "a.nerd", dataclasses.replace(session, runs=(run,), shown=1), overwrite=False)
    read = read_session(tmp_path / "a.nerd").runs[0].trajectory
    assert read.stop_reason is StopReason.CANCELLED and len(read) == 2
    assert read[1].n_hat.tobytes() == trajectory[1].n_hat.tobytes()


@pytest.mark.parametrize("kind", ["sample", "pasted"])
def test_a_photo_without_a_file_is_had_again(tmp_path, kind):
    if kind == "sample":
        photo = open_sample("camera 256")
    else:
        alpha = np.linspace(0, 1, 24 * 20, dtype=np.float32).reshape(24, 20)
        photo = dataclasses.replace(make_photo(3, name="pasted"), alpha=alpha, bit_depth=16, icc_profile=b"\0\xff")
    write_session(tmp_path / "a.nerd", SavedSession(photo), overwrite=False)
    read = read_session(tmp_path / "a.nerd").photo
    assert (read.pixels.tobytes(), read.path, read.name) == (photo.pixels.tobytes(), None, photo.name)
    for name in ("bit_depth", "icc_profile", "exif", "sha256"):
        assert getattr(read, name) == getattr(photo, name)
    assert (read.alpha is None) if photo.alpha is None else np.array_equal(read.alpha, photo.alpha)
    with zipfile.ZipFile(tmp_path / "a.nerd") as archive:
        assert ("photo/pixels.npy" in archive.namelist()) is (kind == "pasted")


def test_a_clean_version_is_had_again_or_said_to_be_gone(photo, tmp_path):
    save_picture(tmp_path / "clean.png", make_photo(3, seed=5))
    clean = open_photo(tmp_path / "clean.png")
    region = (4, 4, 16, 16)
    trajectory = denoise(Subject.of(photo, clean=clean, region=region), RunSettings(max_iter=1), make_net())
    session = SavedSession(photo, clean, runs=(make_run(1, trajectory),), shown=1)
    write_session(tmp_path / "a.nerd", session, overwrite=False)
    read = read_session(tmp_path / "a.nerd")
    assert np.array_equal(read.clean.pixels, clean.pixels)
    assert_same_trajectory(read.runs[0].trajectory, trajectory)
    (tmp_path / "clean.png").unlink()
    read = read_session(tmp_path / "a.nerd")
    assert read.clean is None and "clean.png" in read.notice and read.runs[0].trajectory.subject.clean is None
    assert read.runs[0].trajectory[1].psnr == trajectory[1].psnr, "what was measured stays"


def test_of_a_folder_only_what_changes_is_written(session, tmp_path):
    folder = SessionFolder(tmp_path / "kept")
    folder.write(session)
    assert_same(read_session(folder.path), session)
    times = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.npy")}
    changed = session.runs[1].trajectory
    changed[0].n_hat[:] = 0.5
    renamed = dataclasses.replace(session.runs[0], name="better")
    folder.write(dataclasses.replace(session, runs=(renamed, session.runs[1])), changed={4})
    anew = {path for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert anew == {path for path in times if path.parent.name == "run_4"}
    read = read_session(folder.path)
    assert read.runs[0].name == "better" and (read.runs[1].trajectory[0].n_hat == 0.5).all()
    folder.write(dataclasses.replace(session, runs=(session.runs[1],), shown=4, compared=None))
    assert {path.parent.name for path in folder.path.rglob("*.npy")} == {"run_4"}, "what is of no use any more goes"
    assert_same_trajectory(read_session(folder.path).runs[0].trajectory, changed)

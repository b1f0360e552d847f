"""Disks that are full, read-only, missing or locked: every writer says so, and can save elsewhere."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_session import ENTRY, photo_file, session_of

from nerd_gui.analysis import Racer, save_race
from nerd_gui.cli.targets import OutputError
from nerd_gui.cli.targets import write_text as write_report
from nerd_gui.denoising.animation import AnimationSettings, save_animation
from nerd_gui.denoising.session_file import SessionFileError, SessionFolder, write_session
from nerd_gui.evaluation.figures import EvaluationError, write_document
from nerd_gui.files import why_not
from nerd_gui.imaging import PhotoError, save_picture
from nerd_gui.nerd import save_model
from nerd_gui.training.data import DataError
from nerd_gui.training.state import RunState
from nerd_gui.window.files.export import noise_photo, save_all_iterates, save_iterate, save_report


class Made:
    """The objects that are written."""

    def __init__(self, folder, net):
        self.photo = photo_file(folder / "photo.png")
        self.session, self.net = session_of(self.photo), net
        self.trajectory = self.session.runs[0].trajectory

    def noise(self, path):
        save_picture(path, noise_photo(self.trajectory, 1), overwrite=True)

    def race(self, path):
        names = [name for name in Racer.__dataclass_fields__ if name not in ("name", "stop_reason")]
        racer = Racer(**dict.fromkeys(names, (1.0, 2.0)), name="plain", stop_reason="converged")
        save_race(path, [racer], overwrite=True)


#: Each writes a file (with this suffix) and raises this exception on failure.
WRITERS = {
    "png": (".png", PhotoError, lambda made, path: save_picture(path, made.photo, overwrite=True)),
    "tiff": (".tif", PhotoError, lambda made, path: save_picture(path, made.photo, overwrite=True)),
    "jpeg": (".jpg", PhotoError, lambda made, path: save_picture(path, made.photo, overwrite=True)),
    "webp": (".webp", PhotoError, lambda made, path: save_picture(path, made.photo, overwrite=True)),
    "iterate": (".png", PhotoError, lambda made, path: save_iterate(made.trajectory, 1, path, overwrite=True)),
    "noise": (".png", PhotoError, lambda made, path: made.noise(path)),
    "all iterates": (None, PhotoError, lambda made, path: save_all_iterates(made.trajectory, path.parent, ".png")),
    "animation": (
        ".webp",
        PhotoError,
        lambda made, path: save_animation(path, made.trajectory, AnimationSettings(), overwrite=True),
    ),
    "run's report": (".json", PhotoError, lambda made, path: save_report(made.trajectory, path, overwrite=True)),
    "command's report": (".json", OutputError, lambda made, path: write_report(path, json.dumps([1]))),
    "session": (".nerd", SessionFileError, lambda made, path: write_session(path, made.session, overwrite=True)),
    "kept session": ("", OSError, lambda made, path: SessionFolder(path).write(made.session)),
    "card": (".md", EvaluationError, lambda made, path: write_document(path, f"# A card\n{ENTRY}")),
    "network": (".safetensors", OSError, lambda made, path: save_model(path, made.net, {})),
    "training state": (".safetensors", DataError, lambda made, path: RunState({}, {"samples": 0}).save(path)),
    "race": (".npz", OSError, lambda made, path: made.race(path)),
}


def raising(number, *, only=lambda path: True, true=None):
    def fail(path, *args, **how):
        if only(path):
            raise OSError(number, os.strerror(number), str(path))
        return true(path, *args, **how)

    return fail


def full_at_last(patch, folder):
    patch.setattr(os, "fsync", raising(errno.ENOSPC))


def full_at_once(patch, folder):
    patch.setattr(os, "open", raising(errno.ENOSPC, only=is_in(folder), true=os.open))


def read_only(patch, folder):
    patch.setattr(os, "open", raising(errno.EROFS, only=is_in(folder), true=os.open))


def forbidden(patch, folder):
    patch.setattr(os, "open", raising(errno.EACCES, only=is_in(folder), true=os.open))


def locked(patch, folder):
    """Fail as Windows does for a file that another program has open."""
    for name in ("replace", "link", "rename"):
        patch.setattr(os, name, raising(errno.EACCES))


def is_in(folder):
    return lambda path: str(path).startswith(str(folder))


FAULTS = [full_at_last, full_at_once, read_only, forbidden, locked]


@pytest.fixture
def made(tmp_path, tiny_net):
    (tmp_path / "source").mkdir()
    return Made(tmp_path / "source", tiny_net)


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sentence_of(error, path):
    """Return the message for the user; callers convert an OSError into a sentence."""
    if isinstance(error, OSError):
        assert error.filename and ".part" not in str(error.filename)
        return f"“{path}” was not written: {why_not(error, path)}."
    return str(error)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_cannot_be_written_is_a_sentence_and_can_be_written_elsewhere(tmp_path, monkeypatch, made, writer, fault):
    suffix, error, write = WRITERS[writer]
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir(), elsewhere.mkdir()
    path = here / f"result{suffix}"
    if suffix:  # an old file exists, and must be kept
        path.write_bytes(b"precious")
    before = files_in(here)
    with monkeypatch.context() as patch:
        fault(patch, here)
        with pytest.raises(error) as caught:
            write(made, path)
    sentence = sentence_of(caught.value, path)
    assert sentence.endswith(".") and "\n" not in sentence and ".part" not in sentence and "Errno" not in sentence
    assert files_in(here) == before
    write(made, elsewhere / f"result{suffix}")
    assert files_in(elsewhere)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_vanished_or_a_name_that_is_too_long(tmp_path, made, writer):
    suffix, error, write = WRITERS[writer]
    for path in (tmp_path / "vanished" / f"result{suffix}", tmp_path / ("x" * 260) / f"a{suffix}"):
        if writer == "kept session" and path.parent.name == "vanished":
            continue  # which creates its folder
        with pytest.raises(error) as caught:
            write(made, path)
        sentence = sentence_of(caught.value, path)
        assert sentence.endswith(".") and "\n" not in sentence and "Errno" not in sentence
    if suffix is not None and writer != "kept session":
        with pytest.raises(error) as caught:
            write(made, tmp_path / f"{'n' * 255}{suffix}")
        assert "too long" in sentence_of(caught.value, tmp_path / "n")
    assert [path.name for path in tmp_path.iterdir()] == ["source"] or writer == "kept session"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux, where every write meets a full disk")
@pytest.mark.parametrize("writer", [name for name, (suffix, *_) in WRITERS.items() if suffix])
def test_a_device_without_room(tmp_path, made, writer):
    suffix, error, write = WRITERS[writer]
    path = tmp_path / f"result{suffix}"
    path.symlink_to("/dev/full")
    with pytest.raises(error) as caught:
        write(made, path)
    assert re.search("the disk is full|No space left on device", sentence_of(caught.value, path))
    assert path.is_symlink()


def test_of_several_iterates_those_before_the_fault_are_there(tmp_path, made, monkeypatch):
    true, count = os.fsync, []

    def third(descriptor):
        count.append(1)
        if len(count) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(descriptor)

    monkeypatch.setattr(os, "fsync", third)
    with pytest.raises(PhotoError, match="the disk is full"):
        save_all_iterates(made.trajectory, tmp_path, ".png")
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["photo_iterate_00.png", "photo_iterate_01.png"]


def test_the_old_session_stays_whole_when_the_new_one_does_not_fit(tmp_path, made, monkeypatch):
    from nerd_gui.denoising.session_file import read_session

    path = tmp_path / "a.nerd"
    write_session(path, made.session, overwrite=False)
    monkeypatch.setattr(os, "fsync", raising(errno.ENOSPC))
    with pytest.raises(SessionFileError):
        write_session(path, replace(made.session, pins=()), overwrite=True)
    assert read_session(path).pins == made.session.pins

"""Invalid session files give clear sentences; existing files are never lost; large sessions need little memory."""

import dataclasses
import json
import os
import shutil
import zipfile
from datetime import datetime

import numpy as np
import psutil
import pytest
import torch
from tiny_runs import make_photo

from nerd_gui.denoising import Iterate, MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.denoising.on_disk import array_on_disk
from nerd_gui.denoising.session_file import (
    PhotoWanted,
    SavedRun,
    SavedSession,
    SessionFileError,
    arrays,
    read_session,
    write_session,
)
from nerd_gui.imaging import OpeningCancelled, Photo, open_photo, save_picture


def trajectory_of(photo, n_hats):
    trajectory = Trajectory(Subject.of(photo), RunSettings(), 9, MemoryPlan(0, 0, torch.float16, None))
    for index, n_hat in enumerate(n_hats):
        numbers = 0.1, None, None, 20.0, (20.0,) * photo.channels, None, None, 0.5, index + 1, False
        trajectory.add(Iterate(index, n_hat, None, *numbers))
    return trajectory


def session_of(photo, n_hats):
    trajectory = trajectory_of(photo, n_hats)
    run = SavedRun(1, "Run 1", trajectory, trajectory.settings, False, len(n_hats) - 1, datetime(2026, 11, 28))
    return SavedSession(photo, runs=(run,), shown=1)


@pytest.fixture
def photo(tmp_path):
    save_picture(tmp_path / "bird.png", make_photo(3, rows=40, cols=32))
    return open_photo(tmp_path / "bird.png")


@pytest.fixture
def path(photo, tmp_path):
    random = np.random.default_rng(0)
    n_hats = [random.normal(0, 0.1, photo.pixels.shape).astype(np.float16) for _ in range(3)]
    write_session(tmp_path / "a.nerd", session_of(photo, n_hats), overwrite=False)
    return tmp_path / "a.nerd"


def rewritten(path, change=lambda members: None, compression=zipfile.ZIP_STORED):
    """Copy the file with other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_json(path, change):
    def rewrite(members):
        description = json.loads(members["session.json"])
        change(description)
        members["session.json"] = json.dumps(description).encode()

    return rewritten(path, rewrite)


def refusal(path, **how):
    with pytest.raises(SessionFileError) as refused:
        read_session(path, **how)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "Traceback" not in sentence
    return sentence


def test_a_file_that_another_program_packed_anew_is_read(path):
    before = read_session(path).runs[0].trajectory
    after = read_session(rewritten(path, compression=zipfile.ZIP_DEFLATED)).runs[0].trajectory
    assert [each.n_hat.tobytes() for each in after.iterates] == [each.n_hat.tobytes() for each in before.iterates]


@pytest.mark.parametrize("part", [0, 10, 0.3, 0.6, 0.99])
def test_a_file_that_is_cut_off(path, part):
    content = path.read_bytes()
    path.write_bytes(content[: part if isinstance(part, int) else int(part * len(content))])
    assert "a.nerd" in refusal(path)


def test_any_changed_byte_of_the_estimates_is_noticed(path):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        begin = archive.getinfo("run_1/n_hat_01.npy").header_offset
    content[begin + 900] ^= 4
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_foreign_files(tmp_path, photo):
    (tmp_path / "text.nerd").write_text("not a zip")
    with zipfile.ZipFile(tmp_path / "other.nerd", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with zipfile.ZipFile(tmp_path / "json.nerd", "w") as archive:
        archive.writestr("session.json", '{"format": "another"}')
    for name in ("text", "other", "json"):
        assert "not a session of NERD GUI" in refusal(tmp_path / f"{name}.nerd")
    assert "not a session" in refusal(photo.path)
    assert "does not exist" in refusal(tmp_path / "none.nerd")
    if os.path.exists("/dev/null"):
        assert "device" in refusal("/dev/null")


def test_a_file_of_before_runs_continued(path):
    read = read_session(with_json(path, lambda text: text["runs"][0].pop("continues")))
    assert read.runs[0].continues is False


def test_a_file_of_before_there_were_analyses(path):
    read = read_session(with_json(path, lambda text: text["runs"][0].pop("analyses")))
    assert read.runs[0].trajectory.analyses == {} and len(read.runs[0].trajectory)


def test_a_file_of_a_newer_program(path):
    assert "newer version" in refusal(with_json(path, lambda text: text.update(version=2, program="NERD GUI 9")))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.pop("runs"),
        lambda text: text.update(runs=[5]),
        lambda text: text.update(sigma="many"),
        lambda text: text.update(region=[1, 2, 3000, 4]),
        lambda text: text.update(look={"luma": 7, "chroma": 1, "detail": 0}),
        lambda text: text["photo"].update(kind="other"),
        lambda text: text["runs"][0].update(index=9),
        lambda text: text["runs"][0].update(started="yesterday"),
        lambda text: text["runs"][0].update(earlier_runs=[{"model": "x"}]),
        lambda text: text["runs"][0]["settings"].update(solver="newton"),
        lambda text: text["runs"][0]["settings"].update(model=["nerd"]),
        lambda text: text["runs"][0]["settings"].pop("tol"),
        lambda text: text["runs"][0]["plan"].update(pair_dtype="object"),
        lambda text: text["runs"][0]["iterates"][1].update(index=7),
        lambda text: text["runs"][0]["iterates"][1].update(residual=None),
        lambda text: text["runs"][0]["iterates"][1].update(noise_levels=[1.0]),
        lambda text: text["runs"][0]["iterates"][1].update(stop_reason="bored"),
        lambda text: text["runs"][0]["iterates"].append(text["runs"][0]["iterates"][2] | {"index": 3}),
        lambda text: text["runs"][0].update(iterates=[]),
        lambda text: text["runs"][0]["iterates"][1].update(seconds="inf"),
        lambda text: text["view"].update(zoom=float("nan")),
        lambda text: text["runs"][0].update(analyses=[]),
        lambda text: text["runs"][0].update(analyses={"risk": {"numbers": {}}}),
        lambda text: text["runs"][0].update(analyses={"risk": {"numbers": {}, "arrays": {"map": [2, 2]}}}),
        lambda text: text["runs"][0].update(analyses={"risk": {"numbers": {}, "arrays": {"map": [1 << 20, 1 << 20]}}}),
        lambda text: text["runs"][0].update(analyses={"risk": {"numbers": {}, "arrays": {"map": ["2", -1]}}}),
        lambda text: text["runs"][0].update(analyses={"../../risk": {"numbers": {}, "arrays": {"map": [2, 2]}}}),
        lambda text: text["runs"].append(text["runs"][0]),
        lambda text: text["runs"][0]["subject"].update(region=[0, 0, 5, 5], checksum=1),
    ],
)
def test_a_description_that_cannot_be(path, change):
    refusal(with_json(path, change))


def test_a_description_nested_without_end(path):
    refusal(rewritten(path, lambda members: members.update({"session.json": b"[" * 100_000})))


def test_what_unpacks_to_far_more_is_not_unpacked(path, monkeypatch):
    """An array that claims to be larger than the photo, and a description of hundreds of megabytes."""

    def large(members):
        header = b"{'descr': '<f2', 'fortran_order': False, 'shape': (3, 40000, 32000), }"
        header += b" " * (117 - len(header)) + b"\n"
        members["run_1/n_hat_01.npy"] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(99)

    assert "(3, 40000, 32000)" in refusal(rewritten(path, large))
    before = psutil.Process().memory_info().rss
    bomb = rewritten(path, lambda members: members.update({"session.json": bytes(200 << 20)}), zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    refusal(bomb)
    assert psutil.Process().memory_info().rss - before < 300 << 20


def test_objects_are_not_unpickled(path):
    def planted(members):
        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 40, 32), }"
        header += b" " * (117 - len(header)) + b"\n"
        members["run_1/n_hat_01.npy"] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"cos\n"

    refusal(rewritten(path, planted))


def test_no_room_is_said_before_anything_is_read(path, monkeypatch):
    monkeypatch.setattr(arrays, "IN_MEMORY", 0)
    monkeypatch.setattr(arrays, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10))
    assert "make room" in refusal(path)


def test_past_a_limit_iterates_lie_on_the_disk(path, monkeypatch):
    before = read_session(path).runs[0].trajectory
    monkeypatch.setattr(arrays, "IN_MEMORY", 2 * before[0].n_hat.nbytes)
    after = read_session(path).runs[0].trajectory
    assert [isinstance(each.n_hat, np.memmap) for each in after.iterates] == [False, False, True]
    assert after[2].n_hat.tobytes() == before[2].n_hat.tobytes()


def test_a_photo_that_is_gone_is_asked_for(path, photo, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    moved = photo.path.rename(tmp_path / "elsewhere" / "renamed.png")
    with pytest.raises(PhotoWanted, match=r"bird\.png"):
        read_session(path)
    read = read_session(path, photo=moved)
    assert read.photo.path == moved and read.photo.pixels.tobytes() == photo.pixels.tobytes()
    save_picture(tmp_path / "other.png", make_photo(3, rows=40, cols=32, seed=8))
    with pytest.raises(PhotoWanted, match="is not the photo"):
        read_session(path, photo=tmp_path / "other.png")
    photo.path.write_text("no picture")
    with pytest.raises(PhotoWanted, match="is not the photo"):
        read_session(path)


def test_a_folder_that_was_moved_keeps_its_photo(path, photo, tmp_path):
    (tmp_path / "new").mkdir()
    shutil.copy(path, tmp_path / "new" / "b.nerd")
    shutil.copy(photo.path, tmp_path / "new" / "bird.png")
    save_picture(photo.path, make_photo(1, seed=9), overwrite=True)
    assert read_session(tmp_path / "new" / "b.nerd").photo.path == tmp_path / "new" / "bird.png"
    with pytest.raises(PhotoWanted, match="is not the photo"):
        read_session(path)


def test_nothing_is_replaced_without_a_yes_and_what_fails_leaves_the_old_one(path, photo, tmp_path):
    before = path.read_bytes()
    session = session_of(photo, [np.zeros(photo.pixels.shape, np.float16)])
    with pytest.raises(SessionFileError, match="exists already"):
        write_session(path, session, overwrite=False)

    def tell(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_session(path, session, overwrite=True, tell=tell)
    with pytest.raises(SessionFileError, match="does not exist"):
        write_session(tmp_path / "none" / "a.nerd", session, overwrite=False)
    assert path.read_bytes() == before and not list(tmp_path.glob(".*"))
    write_session(path, session, overwrite=True)
    assert len(read_session(path).runs[0].trajectory) == 1


def test_reading_can_be_given_up(path):
    with pytest.raises(OpeningCancelled):
        read_session(path, cancelled=lambda: True)


def test_progress_grows_to_one(path, photo, tmp_path):
    told, wrote = [], []
    write_session(tmp_path / "b.nerd", read_session(path, tell=told.append), overwrite=False, tell=wrote.append)
    assert told == sorted(told) and told[-1] == 1 and wrote == sorted(wrote) and wrote[-1] == 1


def test_a_whole_photo_takes_no_memory(tmp_path, monkeypatch):
    """120 MB of iterates on disk are written and read with few of them in memory at a time."""
    pixels = np.zeros((1, 2500, 3000), np.float32)
    path = tmp_path / "large.tif"
    save_picture(path, Photo(pixels, bit_depth=8, name="large"))
    photo = open_photo(path)
    n_hats = []
    for index in range(8):
        n_hats.append(array_on_disk(photo.pixels.shape))
        n_hats[-1][:] = index / 8
    monkeypatch.setattr(arrays, "IN_MEMORY", 0)
    session, peak, process = session_of(photo, n_hats), 0, psutil.Process()

    def watch(_):
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    before = process.memory_info().rss
    write_session(tmp_path / "large.nerd", session, overwrite=False, tell=watch)
    assert (tmp_path / "large.nerd").stat().st_size > 120e6
    read = read_session(tmp_path / "large.nerd", tell=watch)
    assert [float(each.n_hat[0, 2499, 2999]) for each in read.runs[0].trajectory.iterates] == [i / 8 for i in range(8)]
    assert peak - before < 150e6, "the photo itself and its subject take 60 MB"


def test_noise_that_is_drawn_otherwise_than_it_was_is_noticed(photo, tmp_path, monkeypatch):
    subject = Subject.of(photo, sigma=25, seed=1)
    trajectory = dataclasses.replace(trajectory_of(photo, [np.zeros(photo.pixels.shape, np.float16)]), subject=subject)
    run = SavedRun(1, "Run 1", trajectory, trajectory.settings, False, 0, datetime(2026, 11, 28))
    write_session(tmp_path / "a.nerd", SavedSession(photo, runs=(run,), shown=1), overwrite=False)
    assert read_session(tmp_path / "a.nerd").runs[0].trajectory.subject.noisy.tobytes() == subject.noisy.tobytes()
    with_json(tmp_path / "a.nerd", lambda text: text["runs"][0]["subject"].update(seed=2))
    assert "cannot be reproduced" in refusal(tmp_path / "a.nerd")

"""An interrupted batch keeps what is done; results that cannot be saved are detected before the work."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import console, environment, make_photo, run_python

from nerd_gui.cli import main
from nerd_gui.denoising import batch, photo_files
from nerd_gui.nerd import NERD

QUICK = ["--max-iter", "1", "--tol", "0"]


@pytest.fixture
def evaluations(monkeypatch):
    """Return how often f was evaluated."""
    count, true = [], NERD.implicit
    monkeypatch.setattr(NERD, "implicit", lambda *args, **how: count.append(1) or true(*args, **how))
    return count


def names(folder):
    return sorted(os.listdir(folder))


def test_the_report_is_there_after_every_photo(tmp_path, model, monkeypatch):
    seen = []
    for name in "abc":
        make_photo(Path(f"in/{name}.png"))
    true = batch.attempt

    def watched(job, *args, **how):
        seen.append(len(json.loads(Path("run.json").read_text())) if Path("run.json").exists() else 0)
        if job.source.name == "c.png":
            raise KeyboardInterrupt
        return true(job, *args, **how)

    monkeypatch.setattr(batch, "attempt", watched)
    assert main(["denoise", "in", "-o", "out", "--model", model, *QUICK, "--report", "run.json"]) == 130
    assert seen[:2] == [0, 1]
    assert len(json.loads(Path("run.json").read_text())) == 2, "and after the interrupt all that was done is in it"


def test_a_report_that_cannot_be_written_ends_no_batch(tmp_path, model, monkeypatch, capsys):
    for name in "abc":
        make_photo(Path(f"in/{name}.png"))

    def vanished(path, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("nerd_gui.files.write_text", vanished)
    assert main(["denoise", "in", "-o", "out", "--model", model, *QUICK, "--report", "run.json"]) == 2
    assert names("out") == ["a_denoised.png", "b_denoised.png", "c_denoised.png"]
    assert "“run.json” was not written: the disk is full" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 252 + ".png", "its name is too long; choose a shorter one"),
        ("x" * 300 + "/a.png", "too long); choose another folder"),
    ],
)
def test_an_over_long_name_is_known_before_the_run(
    tmp_path, photo, model, monkeypatch, capsys, evaluations, name, words
):
    assert main(["denoise", "photo.png", "-o", name, "--model", model, *QUICK]) == 2
    assert words in capsys.readouterr().err and not evaluations and names(".") == ["photo.png", "tiny.safetensors"]


def test_so_is_a_name_that_the_disk_does_not_know(tmp_path, photo, model, monkeypatch, capsys, evaluations):
    """Memory cards, for example, do not allow colons in names."""
    true = os.open

    def memory_card(path, *args, **how):
        if ":" in os.path.basename(os.fspath(path)):
            raise OSError(errno.EINVAL, "Invalid argument", path)
        return true(path, *args, **how)

    monkeypatch.setattr(os, "open", memory_card)
    assert main(["denoise", "photo.png", "-o", "a:b.png", "--model", model, *QUICK]) == 2
    assert "“a:b.png” cannot be saved: Invalid argument" in capsys.readouterr().err and not evaluations


def test_of_a_batch_only_the_photo_with_such_a_name_fails(tmp_path, model, capsys):
    long = "l" * 245
    for name in ("a", long, "z"):
        make_photo(Path(f"in/{name}.png"))
    assert main(["denoise", "in", "-o", "out", "--model", model, *QUICK, "--report", "run.json"]) == 1
    assert names("out") == ["a_denoised.png", "z_denoised.png"] and len(json.loads(Path("run.json").read_text())) == 2
    assert "its name is too long" in capsys.readouterr().err


def test_so_is_a_photo_that_the_format_cannot_hold(tmp_path, model, capsys, evaluations):
    make_photo(Path("wide.png"), shape=(1, 16_400))
    assert main(["denoise", "wide.png", "-o", "wide.webp", "--model", model, *QUICK]) == 2
    assert "WebP holds at most 16383 pixels on a side" in capsys.readouterr().err and not evaluations


def test_a_folder_that_vanishes_or_fills_up_ends_no_batch(tmp_path, model, monkeypatch, capsys):
    for name in "abc":
        make_photo(Path(f"in/{name}.png"))
    true = photo_files.save_picture

    def full(path, *args, **how):
        if path.name.startswith("b"):
            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", no_room)
                return true(path, *args, **how)
        return true(path, *args, **how)

    def no_room(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(photo_files, "save_picture", full)
    assert main(["denoise", "in", "-o", "out", "--model", model, *QUICK]) == 1
    assert names("out") == ["a_denoised.png", "c_denoised.png"]
    assert "“b_denoised.png” was not saved: the disk is full" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["analyse photo.png", "export-onnx {model}"])
@pytest.mark.parametrize(("folder", "words"), [("photo.png/in", "does not exist"), ("x" * 300, "too long")])
def test_other_commands_know_it_too(tmp_path, photo, model, capsys, evaluations, command, folder, words):
    asked = command.format(model=model).split()
    assert main([*asked, "-o", folder]) == 2
    assert words in capsys.readouterr().err and not evaluations


def test_an_analysis_that_is_there_is_known_before_another_one(
    tmp_path, photo, model, monkeypatch, capsys, evaluations
):
    Path("about").mkdir()
    Path("about/analysis.json").write_text("precious")
    assert main(["analyse", "photo.png", "-o", "about", "--model", model]) == 2
    assert "exists already; choose another folder" in capsys.readouterr().err and not evaluations
    assert Path("about/analysis.json").read_text() == "precious"


@pytest.mark.skipif(os.name != "posix", reason="pipes as Unix has them")
def test_a_reader_that_goes_away_ends_no_batch(tmp_path, model):
    """`nerd-gui denoise … | head -1` once lost the run or the rest of the batch."""
    for name in "abc":
        make_photo(tmp_path / f"in/{name}.png")
    command = console("-m", "nerd_gui", "denoise", "in", "-o", "out", "--model", model, *QUICK, "--report", "run.json")
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command, cwd=tmp_path, env=environment(), stdout=write, stderr=write, timeout=100)
    finally:
        os.close(write)
    assert done.returncode == 0
    assert names(tmp_path / "out") == ["a_denoised.png", "b_denoised.png", "c_denoised.png"]
    assert len(json.loads((tmp_path / "run.json").read_text())) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a display")
@pytest.mark.parametrize("display", ["", ":987"])
def test_without_a_display_the_window_says_what_to_do(tmp_path, monkeypatch, display):
    """Qt used to abort the program (exit code 134)."""
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    done = run_python("-m", "nerd_gui", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("nerd-gui: The window cannot be shown: there is no display") and done.stderr.endswith(
        ".\n"
    )
    assert all(words in done.stderr for words in ("--screenshot", "nerd-gui denoise", "apt install libegl1"))

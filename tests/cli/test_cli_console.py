"""The console: help, interrupts, separate processes, and training."""

import errno
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from command_line import console, environment, expected, make_photo, recipe, rounded, run_python, tree
from PIL import Image

from nerd_gui import __version__
from nerd_gui.cli import main
from nerd_gui.nerd import NerdConfig, load_model
from nerd_gui.training.data import validation_names


@pytest.mark.parametrize("command", [[], ["denoise"], ["evaluate"], ["train"], ["tune"]])
def test_help_shows_examples(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "examples:" in shown and f"  {' '.join(['nerd-gui', *command])} " in shown


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_a_defect_keeps_its_traceback(photo, model, tmp_path, monkeypatch):
    def defect(*_, **__):
        raise ValueError("shapes differ")

    monkeypatch.setattr("nerd_gui.denoising.recorder.peak_memory_mb", defect)
    with pytest.raises(ValueError, match="shapes differ"):
        main(["denoise", str(photo), "-o", str(tmp_path / "a.png"), "--model", model, "--max-iter", "1"])


def test_interrupt_while_a_file_is_written(tmp_path, photo, model, capsys, monkeypatch):

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    before = tree(".")
    command = ["denoise", str(photo), "-o", "out.png", "--model", model, "--max-iter", "1", "--report", "run.json"]
    assert main(command) == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("nerd-gui: Interrupted")
    assert tree(".") == before


def test_a_report_that_came_up_meanwhile_is_kept(tmp_path, photo, model, capsys, monkeypatch):

    def another_program(*_):
        Path("run.json").write_text("another's")

    monkeypatch.setattr("nerd_gui.cli.denoise.tell", another_program)
    command = ["denoise", str(photo), "-o", "out.png", "--model", model, "--max-iter", "1", "--report", "run.json"]
    assert main(command) == 2
    assert capsys.readouterr().err.endswith(
        "nerd-gui: “run.json” was not written: it exists already; choose another name.\n"
    )
    assert Path("run.json").read_text() == "another's"
    assert main([*command, "--overwrite"]) == 0
    assert json.loads(Path("run.json").read_text())["solver"] == "broyden"


@pytest.mark.skipif(os.name != "posix", reason="pipes as Unix has them")
def test_a_report_goes_into_a_pipe(tmp_path, photo, model):
    """A pipe as a shell makes it for >(command), without --overwrite, since no file is replaced."""
    os.mkfifo("pipe")
    end = os.open("pipe", os.O_RDWR | os.O_NONBLOCK)
    try:
        command = ["denoise", str(photo), "-o", "out.png", "--model", model, "--max-iter", "1", "--report", "pipe"]
        assert main(command) == 0
        assert json.loads(os.read(end, 1 << 16))["solver"] == "broyden"
    finally:
        os.close(end)


def test_a_full_disk_is_said_with_what_to_do(tmp_path, photo, model, capsys, monkeypatch):
    make_photo(Path("clean/a.png"))
    Path("figures.json").write_text("precious")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    command = ["evaluate", "clean", "--sigma", "25", "--model", model, "--max-iter", "1", "--json", "figures.json"]
    assert main(command) == 2
    sentence = "nerd-gui: “figures.json” was not written: the disk is full; make room on it or choose another one.\n"
    assert capsys.readouterr().err.endswith(sentence)
    assert Path("figures.json").read_text() == "precious" and not list(tmp_path.rglob("*.part"))


def test_the_console(tmp_path, photo, model):
    done = run_python(
        "-m",
        "nerd_gui",
        "denoise",
        photo,
        "-o",
        "out.png",
        "--model",
        model,
        "--max-iter",
        3,
        "--precision",
        "float32",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out.png: ")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), rounded(expected(photo, model)[0], 255)[0])


@pytest.mark.skipif(sys.platform == "win32", reason="a console signal cannot be sent to one process there")
def test_the_interrupt_key(tmp_path, photo, model):
    before = tree(tmp_path)
    options = ["--solver", "plain", "--max-iter", "20000", "--tol", "0", "--report", "run.json"]
    command = console("-m", "nerd_gui", "denoise", photo, "-o", "out/", "--model", model, *options)
    keys = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # it may be ignored in the background
    how = {"cwd": tmp_path, "env": environment(), "stderr": subprocess.PIPE, "text": True, "preexec_fn": keys}
    with subprocess.Popen(command, **how) as process:
        told = iter(process.stderr.readline, "")
        assert any("iterate  0" in line for line in told)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130, rest
    assert rest.splitlines()[-1].startswith("nerd-gui: Interrupted") and "Traceback" not in rest
    assert tree(tmp_path) == before


def test_training_goes_on_and_releases(tmp_path, capsys, monkeypatch):
    for name in ("one", "two", "2018"):
        make_photo(tmp_path / "pictures" / f"{name}.png", shape=(96, 96))
    monkeypatch.setattr("nerd_gui.training.data.validation_names", lambda: ["2018"])
    Path("tiny.json").write_text(json.dumps(recipe()))
    common = ["--config", "tiny.json", "--data", "pictures", "--resume", "run", "--minutes", "0"]
    command = ["train", *common, "--device", "cpu", "--threads", "1"]
    assert main(command) == 0
    assert "run: trained on 2 samples" in capsys.readouterr().out
    assert main([*command, "--decay", "4", "--release", "net.safetensors"]) == 0
    assert "run: trained on 4 samples" in capsys.readouterr().out
    assert load_model("net.safetensors").config == NerdConfig(features=8, window=3)


def on_a_training_machine(folder, *commands):
    """Run commands in a process that has only torch, numpy, Pillow and safetensors; return exit codes and stderr."""
    absent = ["PySide6", "pyqtgraph", "superqt", "psutil", "skimage", "scipy", "tifffile", "imagecodecs", "llvmlite"]
    absent += ["torchdeq", "pywt", "shiboken6"]
    program = (
        "import os, sys\nos.environ.pop('NERD_GUI_COMPILED', None)\n"
        f"for name in {absent}: sys.modules[name] = None\n"
        "import json\nfrom nerd_gui.cli import main\n"
        f"codes = [main(command) for command in {list(commands)}]\njson.dump(codes, open('codes.json', 'x'))"
    )
    done = run_python("-c", program, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "codes.json").read_text()), done.stderr


def test_training_and_tuning_need_no_more_than_they_say(tmp_path):
    pictures = tmp_path / "pictures"
    for name in ["a", *validation_names()[:1]]:
        make_photo(pictures / f"{name}.png", shape=(96, 96))
    (tmp_path / "tiny.json").write_text(json.dumps(recipe()))
    without = ["train", "--config", "nerd-lite", "--data", ".", "--resume", "none", "--minutes", "0"]
    train = ["train", "--config", "tiny.json", "--data", "pictures", "--resume", "run", "--minutes", "1"]
    train += ["--decay", "2", "--release", "net.safetensors", "--keep", "out", "--device", "cpu", "--threads", "1"]
    tune = ["tune", "--seconds", "0.001", "--device", "cpu", "--out", "tune.json"]
    codes, said = on_a_training_machine(tmp_path, without, train, tune)
    assert codes == [2, 0, 1], said
    assert "holds no pictures" in said.splitlines()[0]
    assert "because no compiled code is used: llvmlite is not installed.\n" in said
    assert load_model(tmp_path / "net.safetensors").config == NerdConfig(features=8, window=3)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "curve.csv",
        "recipe.json",
        "state.safetensors",
    ]
    assert json.loads((tmp_path / "tune.json").read_text())["speed"] is None

"""The command line, from arguments to exit codes and files: commands that succeed."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import imagecodecs
import numpy as np
import pytest
from command_line import expected, make_photo, refused, rounded
from PIL import Image

from nerd_gui import __version__
from nerd_gui.cli import main
from nerd_gui.denoising import RunSettings, estimate_bytes, memory_plan
from nerd_gui.nerd import load_model

RECORD_KEYS = ["index", "residual", "relative_step", "residual_change", "noise_level", "psnr", "ssim", "seconds"]
REPORT_KEYS = ["model", "solver", "device", "window", "precision", "stop_reason", "result", "seconds", "evaluations"]


def test_result_and_report(tmp_path, photo, model, capsys):
    out, report = tmp_path / "out.png", tmp_path / "run.json"
    arguments = ["-o", out, "--add-noise", 25, "--seed", 4, "--max-iter", 3, "--model", model, "--report", report]
    assert main(["denoise", str(photo), *map(str, arguments)]) == 0

    pixels, trajectory = expected(photo, model, sigma=25)
    with Image.open(out) as saved:
        assert np.array_equal(np.asarray(saved), rounded(pixels, 255)[0])
        assert saved.text["Description"].startswith(f"NERD GUI {__version__}, tiny, broyden, ")
        assert "sigma 25, seed 4" in saved.text["Description"]
    told = json.loads(report.read_text())
    assert set(told) >= {*REPORT_KEYS, "peak_memory_mb", "iterations"}
    assert told["model"] == model and (told["solver"], told["device"], told["window"]) == ("broyden", "cpu", 5)
    assert told["stop_reason"] == "step limit" and told["evaluations"] == 4 and told["peak_memory_mb"] > 10
    assert told["photo"]["sigma"] == 25 and told["photo"]["seed"] == 4
    for record, iterate in zip(told["iterations"], trajectory.iterates, strict=True):
        assert set(record) == {*RECORD_KEYS, "restarted"}
        for key in ("index", "residual", "noise_level", "psnr", "ssim"):
            assert record[key] == getattr(iterate, key)
    assert told["result"] == int(np.argmin([record["residual"] for record in told["iterations"]]))
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == 4 and all(f"iterate  {i}" in line and " dB" in line for i, line in enumerate(lines))
    assert said.out.startswith(f"{out}: step limit, the result is iterate {told['result']} of 3: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "photo.png", "run.json", "tiny.safetensors"]


def test_options_reach_the_run(tmp_path, photo, model):
    report = tmp_path / "run.json"
    options = (
        "--solver anderson --max-iter 2 --tol 0 --memory 2 --window 3 --precision bfloat16 --device cpu --threads 1"
    )
    command = ["denoise", photo, "-o", tmp_path / "a.png", "--model", model, "--report", report, *options.split()]
    assert main([str(word) for word in command]) == 0
    told = json.loads(report.read_text())
    assert [told[key] for key in ("solver", "window", "precision", "evaluations")] == ["anderson", 3, "bfloat16", 3]
    assert (told["settings"]["tol"], told["settings"]["memory"]) == (0, 2)
    assert {record["psnr"] for record in told["iterations"]} == {None}  # the clean picture is not known


def test_clean_picture_is_compared_with(tmp_path, photo, model):
    clean = make_photo(tmp_path / "clean.png", seed=1)
    report = tmp_path / "run.json"
    command = ["denoise", photo, "-o", tmp_path / "out.png", "--clean", clean, "--model", model, "--report", report]
    assert main([*map(str, command), "--max-iter", "2"]) == 0
    told = json.loads(report.read_text())
    error = np.asarray(Image.open(tmp_path / "out.png"), float) - np.asarray(Image.open(clean), float)
    score = told["iterations"][told["result"]]["psnr"]
    # The saved noise estimate is in half precision, so a few pixels are rounded to the neighbouring level.
    assert score == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)), abs=2e-3)


def test_16_bit_colours_stay_16_bit(tmp_path, model):
    source, out = tmp_path / "deep.png", tmp_path / "out.tif"
    source.write_bytes(imagecodecs.png_encode(np.random.default_rng(0).integers(0, 2**16, (17, 19, 3), np.uint16)))
    assert main(["denoise", str(source), "-o", str(out), "--model", model, "--max-iter", "3"]) == 0
    saved = imagecodecs.imread(str(out))
    assert saved.dtype == np.uint16
    pixels, _ = expected(source, model)
    assert np.array_equal(saved, rounded(pixels, 65535).transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("options", "precision"),
    [
        ([], "bfloat16"),
        (["--precision", "float32"], "float32"),
        (["--tol", "1e-3"], "float32"),
        (["--stop-on", "picture"], "bfloat16"),
    ],
)
def test_a_run_for_the_picture_takes_the_faster_precision(tmp_path, photo, model, monkeypatch, options, precision):
    monkeypatch.setattr("nerd_gui.cli.denoise.fast_precision", lambda device: "bfloat16")
    report = tmp_path / "run.json"
    files = [str(photo), "-o", str(tmp_path / "out.png"), "--report", str(report)]
    assert main(["denoise", *files, "--model", model, "--max-iter", "2", *options]) == 0
    assert json.loads(report.read_text())["precision"] == precision


def test_losses_of_the_format_are_said(tmp_path, model, capsys):
    source = tmp_path / "deep.png"
    source.write_bytes(imagecodecs.png_encode(np.zeros((16, 16), np.uint16)))
    assert main(["denoise", str(source), "-o", str(tmp_path / "out.jpg"), "--model", model, "--max-iter", "1"]) == 0
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("nerd-gui: ") and "JPEG" in told and "16 bits" in told


def test_progress_stays_in_one_line_on_a_terminal(tmp_path, photo, model, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    assert main(["denoise", str(photo), "-o", str(tmp_path / "a.png"), "--model", model, "--max-iter", "2"]) == 0
    said = capsys.readouterr().err
    assert said.count("\r") == 3 and said.count("\n") == 1 and said.endswith("\n")
    assert all(len(line.removesuffix("\n").removesuffix("\x1b[K")) < 50 for line in said.split("\r"))


@pytest.mark.parametrize("place", ["there", f"new{os.sep}", f"new{os.sep}deep{os.sep}"])
def test_folder_as_destination(tmp_path, photo, model, place):
    (tmp_path / "there").mkdir()
    assert main(["denoise", str(photo), "-o", str(tmp_path) + os.sep + place, "--model", model, "--max-iter", "1"]) == 0
    assert [path.name for path in (tmp_path / place).iterdir()] == ["photo_denoised.png"]


def test_several_photos_and_a_bad_one(tmp_path, model, capsys):
    one, two = make_photo(tmp_path / "one.png", 1), make_photo(tmp_path / "two.bmp", 2)
    bad = tmp_path / "bad.png"
    bad.write_bytes(one.read_bytes()[:99])
    out, report = tmp_path / "out", tmp_path / "runs.json"
    # Options may be given between the photos.
    command = ["denoise", one, bad, "-o", out, two, "--report", report, "--model", model, "--max-iter", "3"]
    assert main([str(word) for word in command]) == 1
    said = capsys.readouterr()
    reason, summary = [line for line in said.err.splitlines() if line.startswith("nerd-gui: ")]
    assert "“bad.png”" in reason and summary == "nerd-gui: 2 saved, 1 failed, of 3 photos."
    assert said.err.endswith(f"{summary}\n  {bad}: {reason.removeprefix('nerd-gui: ')}\n")
    assert [line.partition(": ")[0] for line in said.out.splitlines()] == [
        str(out / "one_denoised.png"),
        str(out / "two_denoised.bmp"),
    ]
    assert sorted(path.name for path in out.iterdir()) == ["one_denoised.png", "two_denoised.bmp"]
    for source, saved in ((one, "one_denoised.png"), (two, "two_denoised.bmp")):
        assert np.array_equal(np.asarray(Image.open(out / saved)), rounded(expected(source, model)[0], 255)[0])
    assert [run["photo"]["name"] for run in json.loads(report.read_text())] == ["one", "two"]


def test_two_photos_of_one_name(tmp_path, model):
    sources = [make_photo(tmp_path / name / "x.png", seed) for seed, name in enumerate("ab")]
    command = ["denoise", *sources, "-o", tmp_path / "out", "--overwrite", "--model", model, "--max-iter", "3"]
    for _ in range(2):  # the second run replaces the files of the first
        assert main([str(word) for word in command]) == 0
    for source, name in zip(sources, ["x_denoised.png", "x_denoised-2.png"], strict=True):
        saved = np.asarray(Image.open(tmp_path / "out" / name))
        assert np.array_equal(saved, rounded(expected(source, model)[0], 255)[0])


def test_nothing_is_replaced_unasked(tmp_path, photo, model, capsys):
    other = make_photo(tmp_path / "photo_denoised.png", seed=5)
    common = ["--model", model, "--max-iter", "3"]
    assert "exists already" in refused(capsys, "denoise", photo, "-o", photo, *common)
    assert "exists already" in refused(capsys, "denoise", photo, "-o", other, *common)
    assert "exists already" in refused(capsys, "denoise", photo, "-o", ".", *common)
    assert "exists already" in refused(capsys, "denoise", photo, "-o", "a.png", "--report", other, *common)
    result = rounded(expected(photo, model)[0], 255)[0]
    assert main(["denoise", str(photo), "-o", str(photo), "--overwrite", *common]) == 0
    assert np.array_equal(np.asarray(Image.open(photo)), result)


@pytest.fixture
def window_calls(monkeypatch):
    """Replace the window's start by a function that records its calls and returns 7."""
    calls = []
    application = ModuleType("nerd_gui.window.application")
    application.run_window = lambda photo, screenshot=None, model=None: calls.append((photo, screenshot, model)) or 7
    monkeypatch.setitem(sys.modules, "nerd_gui.window", ModuleType("nerd_gui.window"))
    monkeypatch.setitem(sys.modules, "nerd_gui.window.application", application)
    return calls


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ("", (None, None, None)),
        ("a.png", (Path("a.png"), None, None)),
        ("./denoise", (Path("denoise"), None, None)),
        ("--screenshot w.png a.png --model nerd-lite", (Path("a.png"), Path("w.png"), "nerd-lite")),
    ],
)
def test_window(window_calls, arguments, call):
    assert main(arguments.split()) == 7
    assert window_calls == [call]


def test_window_does_not_open_for_odd_arguments(window_calls, tmp_path, capsys):
    assert "--frobnicate" in refused(capsys, "a.png", "--frobnicate")
    assert window_calls == []


def test_what_is_given_up_for_memory_is_said(tmp_path, photo, model, capsys, monkeypatch):
    needed = estimate_bytes(load_model(model).config, RunSettings(max_iter=9), 1, 24, 20)
    monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: needed - 1)
    report = tmp_path / "run.json"
    arguments = ["-o", tmp_path / "out.png", "--max-iter", 9, "--model", model, "--memory-limit", 3, "--report", report]
    assert main(["denoise", str(photo), *map(str, arguments)]) == 0
    sentence = "Broyden's pairs are kept in 8 bits instead of 16."
    assert f"nerd-gui: {sentence}\n" in capsys.readouterr().err
    told = json.loads(report.read_text())
    assert told["plan"] == [sentence] and told["settings"]["memory_limit"] == 3

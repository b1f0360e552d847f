"""The command line refuses invalid arguments with one sentence and exit code 2, and leaves no files."""

import json
import os
import struct
import zlib
from pathlib import Path

import pytest
from command_line import make_photo, recipe, refused


def png_header(cols, rows):
    header = b"IHDR" + struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, pixels, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bmp_header(cols, rows):
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54 + 300, 0, 54, 40, cols, rows, 1, 24, 0, 300, 0, 0, 0, 0) + bytes(
        300
    )


def truncated(path):
    make_photo(path, shape=(64, 64))
    path.write_bytes(path.read_bytes()[:2000])


BAD_PHOTOS = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "truncated": truncated,
    "text": lambda path: path.write_text("a shopping list"),
    "folder": lambda path: path.mkdir(),
    "png without width": lambda path: path.write_bytes(png_header(0, 20)),
    "bmp without width": lambda path: path.write_bytes(bmp_header(0, 20)),
    "png too wide": lambda path: path.write_bytes(png_header(40_000, 20)),
    "bmp too wide": lambda path: path.write_bytes(bmp_header(40_000, 20)),
}


@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_bad_photo(tmp_path, model, capsys, kind):
    BAD_PHOTOS[kind](tmp_path / "bad.png")
    common = ["-o", f"out{os.sep}", "--report", "run.json", "--model", model]
    assert "bad.png" in refused(capsys, "denoise", "bad.png", *common)


@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_bad_clean_picture(tmp_path, photo, model, capsys, kind):
    BAD_PHOTOS[kind](tmp_path / "bad.png")
    assert "bad.png" in refused(capsys, "denoise", photo, "--clean", "bad.png", "-o", "out.png", "--model", model)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickled", b"\xff" * 400, None])
@pytest.mark.parametrize("command", ["denoise", "evaluate"])
def test_unreadable_weights(tmp_path, photo, model, capsys, command, content):
    Path("bad.safetensors").write_bytes(Path(model).read_bytes()[:-50] if content is None else content)
    options = {"denoise": [photo, "-o", "out.png"], "evaluate": [".", "--sigma", 25, "--json", "out.json"]}[command]
    assert "bad.safetensors" in refused(capsys, command, *options, "--model", "bad.safetensors")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--add-noise -1", "noise level"),
        ("--add-noise nan", "noise level"),
        ("--add-noise inf", "noise level"),
        ("--add-noise much", "noise level"),
        ("--add-noise", "expected one argument"),
        ("--add-noise 25 --seed 1.5", "--seed"),
        ("--add-noise 25 --seed -1", "--seed"),
        ("--seed 1", "--add-noise"),
        ("--add-noise 25 --clean photo.png", "do not name another one"),
        ("--clean small.png", "small"),
        ("small.png --clean photo.png", "--clean"),
        ("--model none-such", "none-such"),
        ("--model none-such.safetensors", "none-such.safetensors"),
        ("--solver newton", "broyden, anderson, plain"),
        ("--max-iter 0", "--max-iter"),
        ("--max-iter many", "--max-iter"),
        ("--tol -1", "--tol"),
        ("--tol nan", "--tol"),
        ("--memory 0", "--memory"),
        ("--window 0", "--window"),
        ("--threads 0", "--threads"),
        ("--device tpu", "tpu"),
        ("--precision int8", "float32 or bfloat16"),
        ("--tolerance 1", "--tolerance"),
        ("-o results", "suffix"),
        ("-o out.gif", ".gif"),
        ("-o missing/out.png", "missing"),
        ("-o photo.png/out.png", "photo.png"),
        ("-o photo.png/", "photo.png"),
        ("small.png -o photo.png", "photo.png"),
        ("--report missing/run.json", "missing"),
        ("--report folder", "folder"),
        ("--report out.png", "picture"),
        ("--report photo.png --overwrite", "picture"),
    ],
)
def test_bad_options(tmp_path, photo, model, capsys, options, word):
    make_photo(tmp_path / "small.png", shape=(12, 12))
    Path("folder").mkdir()
    assert word in refused(capsys, "denoise", "photo.png", "-o", "out.png", "--model", model, *options.split())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("pictures --sigma 25 nan --model tiny.safetensors", "noise level"),
        ("pictures --sigma -3 --model tiny.safetensors", "noise level"),
        ("pictures --sigma 25 --model none-such", "none-such"),
        ("pictures --sigma 25 --model tiny.safetensors none-such", "none-such"),
        ("pictures --sigma 25", "--model"),
        ("pictures --model tiny.safetensors", "--sigma"),
        ("pictures --sigma 25 --model tiny.safetensors --limit 0", "--limit"),
        ("pictures --sigma 25 --model tiny.safetensors --solver newton", "newton"),
        ("pictures --sigma 25 --model tiny.safetensors --device tpu", "tpu"),
        ("pictures --sigma 25 --model tiny.safetensors --json missing/a.json", "missing"),
        ("pictures --sigma 25 --model tiny.safetensors --markdown pictures", "pictures"),
        ("pictures spoilt empty --sigma 25 --model tiny.safetensors", "empty"),
        ("pictures --sigma 25 --model tiny.safetensors --other-solver newton", "newton"),
        ("pictures --sigma 25 --model tiny.safetensors --other-solver broyden", "broyden"),
        ("pictures --sigma 25 --model tiny.safetensors --card pictures", "no card"),
        ("pictures --sigma 25 --model tiny.safetensors --card nowhere", "nowhere"),
        ("pictures --sigma 25 --model tiny.safetensors --readme README.md", "--card"),
        ("--figures a.json", "--card"),
        ("--sigma 25 --model tiny.safetensors", "name folders"),
        ("--model tiny.safetensors --card pictures", "name folders"),
        ("--card pictures --readme pictures", "pictures"),
        ("nowhere --sigma 25 --model tiny.safetensors", "nowhere"),
        ("empty --sigma 25 --model tiny.safetensors", "empty"),
        ("spoilt --sigma 25 --model tiny.safetensors --json a.json", "two"),
    ],
)
def test_bad_evaluations(tmp_path, model, capsys, arguments, word):
    for folder in ("pictures", "spoilt"):
        make_photo(tmp_path / folder / "one.png")
    Path("empty").mkdir()
    Path("spoilt/two.png").write_bytes(b"not a picture")
    assert word in refused(capsys, "evaluate", *arguments.split())  # before the run of the good picture, too


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--config none-such", "nerd-lite"),
        ("--config bad.json", "bad.json"),
        ("--config odd.json", "heads"),
        ("--data nowhere", "nowhere"),
        ("--data bad.json", "bad.json"),
        ("--minutes -1", "--minutes"),
        ("--minutes nan", "--minutes"),
        ("--decay 0", "--decay"),
        ("--fork nowhere", "nowhere"),
        ("--device tpu", "tpu"),
        ("--release net.pt", ".safetensors"),
        ("--release nowhere/net.safetensors", "nowhere"),
    ],
)
def test_bad_training(tmp_path, capsys, options, word):
    Path("pictures").mkdir()
    Path("bad.json").write_text("[1, 2]")
    Path("odd.json").write_text(json.dumps({**recipe(), "model": {"features": 6}}))
    common = ["--config", "nerd-lite", "--data", "pictures", "--resume", "run", "--minutes", "0"]
    assert word in refused(capsys, "train", *common, *options.split())

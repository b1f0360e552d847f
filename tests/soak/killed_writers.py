"""A program that repeatedly kills writers and reports what they left; `test_kills.py` reads the report.

It loads everything once, and forks for each writer, so that each takes milliseconds instead of seconds.
"""

import contextlib
import io
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tiny_session import photo_file, session_of

from nerd_gui.cli import main
from nerd_gui.denoising.session_file import SessionFolder, read_session, write_session
from nerd_gui.files import write_text
from nerd_gui.imaging import Photo, open_photo, save_picture
from nerd_gui.training.state import RunState

VARIANTS = 3


def picture(path, number):
    rows, cols = np.mgrid[:200, :180] / 200
    save_picture(path, Photo((rows * cols + number / 10).clip(0, 1).astype(np.float32)[None]), overwrite=True)


def session(path, number):
    folder = path.parent
    photo = open_photo(folder / "photo.png") if (folder / "photo.png").exists() else photo_file(folder / "photo.png")
    write_session(path, session_of(photo, seed=number), overwrite=True)


def kept_session(path, number):
    folder = path.parent
    photo = open_photo(folder / "photo.png") if (folder / "photo.png").exists() else photo_file(folder / "photo.png")
    SessionFolder(path).write(session_of(photo, seed=number))


def session_number(path):
    read = read_session(path)
    first = read.runs[0].trajectory[1].n_hat.tobytes()
    variants = [session_of(read.photo, seed=number).runs[0] for number in range(VARIANTS)]
    return [run.trajectory[1].n_hat.tobytes() for run in variants].index(first)


#: Each writes a file, and identifies the variant in a file; an exception means that the file is damaged.
WRITERS = {
    "a.png": (picture, lambda path: round(10 * float(open_photo(path).pixels[0, 0, 0]))),
    "b.tif": (picture, lambda path: round(10 * float(open_photo(path).pixels[0, 0, 0]))),
    "c.jpg": (picture, lambda path: round(10 * float(open_photo(path).pixels[0, 0, 0]))),
    "d.nerd": (session, session_number),
    "e": (kept_session, session_number),
    "f.safetensors": (
        lambda path, number: RunState({"model.x": torch.full((300_000,), float(number))}, numbers(number)).save(path),
        lambda path: int(RunState.load(path, torch.device("cpu")).numbers["samples"]),
    ),
    "g.json": (
        lambda path, number: write_text(path, json.dumps([number] * 100_000)),
        lambda path: set(json.loads(path.read_text())).pop(),
    ),
}


def numbers(samples):
    return {"samples": samples, "steps": 0, "seconds": 0.0, "decay_start": None, "decay_samples": 0}


def life(work, longest, chance):
    """Let a child work and kill it after a random time; return whether it was still working."""
    child = os.fork()
    if child == 0:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            work()
        os._exit(0)
    time.sleep(chance.uniform(0, longest))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_writers(folder, count):
    """Repeatedly kill a process that writes files of every kind."""
    chance, torn, killed, half = random.Random(0), [], 0, 0

    def write_all():
        while True:
            for name, (write, _) in WRITERS.items():
                write(folder / name, random.SystemRandom().randrange(VARIANTS))

    while killed < count:
        killed += life(write_all, 0.3, chance)
        half += any(folder.rglob(".*.part"))
        for name, (_, number_of) in WRITERS.items():
            if (folder / name).exists():
                try:
                    assert number_of(folder / name) in range(VARIANTS)
                except Exception as error:  # noqa: BLE001 - a torn file may raise anything
                    torn.append(f"{name}: {type(error).__name__}: {error}")
    for name, (write, _) in WRITERS.items():  # as the next start does
        write(folder / name, 0)
    left = [str(path) for path in folder.rglob(".*.part")]
    return {"killed": killed, "half-written": half, "torn": torn, "left": left}


def kill_batches(folder, model, count):
    """Kill a batch and restart it until it is done."""
    chance, killed = random.Random(1), 0
    for number in range(12):
        photo_file(folder / "in" / f"{number:02}.png", seed=number, rows=40, cols=36)
    options = ["--model", model, "--max-iter", "8", "--tol", "0", "--skip-existing"]

    def batch(out):
        return main(["denoise", str(folder / "in"), "-o", str(folder / out), *options])

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        batch("undisturbed")
    wanted = {path.name: path.read_bytes() for path in (folder / "undisturbed").iterdir()}
    torn = []
    while killed < count:
        killed += life(lambda: batch("out"), 0.4, chance)
        there = sorted((folder / "out").glob("[!.]*")) if (folder / "out").exists() else []
        for path in there:
            try:
                assert np.array_equal(open_photo(path).pixels, open_photo(folder / "undisturbed" / path.name).pixels)
            except Exception as error:  # noqa: BLE001 - a torn file may raise anything
                torn.append(f"{path.name}: {type(error).__name__}: {error}")
        if len(there) == len(wanted):
            for path in chance.sample(there, 9):
                path.unlink()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = batch("out")
    names = sorted(path.name for path in (folder / "out").iterdir())
    return {"killed": killed, "torn": torn, "code": code, "names": names, "wanted": sorted(wanted)}


def two_batches(folder, model, rounds):
    """Let two processes denoise the same photos into the same files with the same report; return the files."""
    found = []
    for number in range(8):
        photo_file(folder / "both" / f"{number:02}.png", seed=number, rows=40, cols=36)
    for one in range(rounds):
        out, children = folder / f"both-{one}", []
        report = str(folder / f"both-{one}.json")
        command = ["denoise", str(folder / "both"), "-o", str(out), "--model", model, "--max-iter", "6", "--tol", "0"]
        for _ in range(2):
            child = os.fork()
            if child == 0:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    code = main([*command, "--skip-existing", "--report", report])
                os._exit(code)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        names = sorted(os.listdir(out))
        shapes = {open_photo(out / name).pixels.shape for name in names}
        reports = json.loads(Path(report).read_text())
        found.append({"codes": codes, "names": names, "shapes": len(shapes), "reports": len(reports)})
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, model, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for name in ("in", "both"):
        (folder / name).mkdir()
    writers, batches = folder / "writers", max(1, count // 3)
    writers.mkdir()
    said = {
        "batches": kill_batches(folder, model, batches),
        "writers": kill_writers(writers, max(1, count - batches)),
        "both": two_batches(folder, model, max(1, count // 10)),
    }
    print(json.dumps(said))

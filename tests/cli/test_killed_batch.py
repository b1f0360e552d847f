"""A batch that is killed at any moment and restarted: takes long, run by hand (`-m soak`)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import console, environment
from PIL import Image

KILLS = 30


def make_photos(folder):
    """Make fifty photos in four formats; five are broken, each in a different way."""
    folder.mkdir()
    for number in range(45):
        pixels = np.random.default_rng(number).integers(0, 256, (48, 40, 3), dtype=np.uint8)
        suffix = ("png", "jpg", "tif", "webp")[number % 4]
        Image.fromarray(pixels if number % 3 else pixels[..., 0]).save(folder / f"{number:02}.{suffix}")
    (folder / "05-text.jpg").write_text("a shopping list")
    (folder / "15-empty.png").touch()
    (folder / "25-folder.png").mkdir()
    (folder / "35-cut.png").write_bytes((folder / "00.png").read_bytes()[:900])
    (folder / "40-cut.jpg").write_bytes((folder / "01.jpg").read_bytes()[:300])


def pixels_of(folder):
    """Return the pixels of each file that is not hidden; a truncated file is an error."""
    return {path.name: np.asarray(Image.open(path)) for path in Path(folder).glob("[!.]*")}


def assert_same(found, reference):
    for name, pixels in found.items():
        assert np.array_equal(pixels, reference[name]), name


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.skipif(sys.platform == "win32", reason="no process is killed like that there")
def test_a_batch_that_is_killed_thirty_times_gives_the_same_files(tmp_path, model):
    make_photos(tmp_path / "in")

    def command(out):
        options = ["--model", model, "--max-iter", "12", "--tol", "0", "--skip-existing"]
        return console("-m", "nerd_gui", "denoise", "in", "-o", out, *options)

    run = {"cwd": tmp_path, "env": environment(), "text": True}
    undisturbed = subprocess.run(command("reference"), capture_output=True, **run)
    assert undisturbed.returncode == 1, undisturbed.stderr
    reference, out = pixels_of(tmp_path / "reference"), tmp_path / "out"
    assert len(reference) == 45

    chance, kept, counts = random.Random(0), {}, {"kills": 0, "at work": 0, "half-written": 0, "restarts": 0}
    while counts["kills"] < KILLS:
        with subprocess.Popen(command("out"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **run) as process:
            if chance.random() < 0.8:  # otherwise it is killed during its start
                for _ in range(chance.randrange(3)):
                    process.stdout.readline()  # at least one photo is done
            time.sleep(chance.uniform(0, 0.5))
            ended = process.poll() is not None
            process.send_signal(signal.SIGKILL)
        if ended:  # everything was done: leave something to do
            counts["restarts"] += 1
            for name in chance.sample(sorted(kept), 30):
                (out / name).unlink()
                del kept[name]
            continue
        found = {path.name: path.read_bytes() for path in out.glob("[!.]*")} if out.exists() else {}
        counts["kills"] += 1
        counts["at work"] += len(found) > len(kept)
        counts["half-written"] += any(out.glob(".*.part"))
        assert {name: found.get(name) for name in kept} == kept, "what was done is as it was, to the byte"
        kept = found
        assert_same(pixels_of(out), reference)

    last = subprocess.run(command("out"), capture_output=True, **run)
    assert last.returncode == 1, last.stderr
    *_, summary, first, second, third, fourth, fifth = last.stderr.splitlines()
    assert "5 failed, of 50 photos." in summary
    reasons = [first, second, third, fourth, fifth]
    for name, reason in zip(("05-text", "15-empty", "25-folder", "35-cut", "40-cut"), reasons, strict=True):
        assert f"{os.sep}{name}" in reason and len(reason) > 40, reason
    assert sorted(os.listdir(out)) == sorted(reference) and len(reference) == 45, "nothing hidden is left either"
    assert_same(pixels_of(out), reference)
    assert {name: (out / name).read_bytes() for name in kept} == kept
    assert counts["at work"] > KILLS / 4
    print(f"\n{counts}\n{last.stderr}")

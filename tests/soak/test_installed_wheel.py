"""The wheel works in an empty environment, and in a place where its user may not write."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


NOBODY = 65534


def somebody_else():
    """What runs a command as another user than root: one who may read everything, but write only what is his own."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not there to become somebody else")
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reads = [f"--{kind}-caps=-all,+dac_read_search" for kind in ("inh", "ambient", "bounding")]
    return ["setpriv", *user, *(each.replace("bounding-caps", "bounding-set") for each in reads)]


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name != "posix", reason="permissions as Unix has them")
def test_a_wheel_in_a_read_only_place_denoises_and_shows_its_window(tmp_path):
    source, wheels, place = tmp_path / "source", tmp_path / "wheels", tmp_path / "place"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", "__pycache__", "tests", "shared", ".*_cache"))
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", str(source), "-w", str(wheels)], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-compile", "--target", str(place), str(wheel)], check=True)
    for path in (place, *place.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(place.rglob("*"))
    home = tmp_path / "home"
    home.mkdir()
    values = np.random.default_rng(0).integers(0, 256, (40, 36, 3), dtype=np.uint8)
    Image.fromarray(values).save(home / "a.png")
    if os.geteuid() == 0:
        for path in (home, *home.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(place), "QT_QPA_PLATFORM": "offscreen"}

    def run(*arguments):
        command = [*somebody_else(), sys.executable, *arguments]
        return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)

    where = run(
        "-c", f"import nerd_gui, os; print(nerd_gui.__file__, os.access({str(place)!r}, os.W_OK), os.geteuid())"
    )
    user = str(NOBODY if os.geteuid() == 0 else os.geteuid())
    assert where.stdout.split() == [str(place / "nerd_gui" / "__init__.py"), "False", user], where.stderr
    options = ["--model", "nerd-lite-colour", "--max-iter", "2", "--report", "run.json"]
    done = run("-m", "nerd_gui", "denoise", "a.png", "-o", "b.png", *options)
    assert done.returncode == 0, done.stderr
    assert not json.loads((home / "run.json").read_text())["foreign_weights"]
    done = run(
        "-m", "nerd_gui", "analyse", "b.png", "-o", "about", "--only", "whiteness", "--model", "nerd-lite-colour"
    )
    assert done.returncode == 0 and (home / "about" / "whiteness_figure.svg").exists(), done.stderr
    done = run("-m", "nerd_gui", "--screenshot", "window.png", "a.png")
    assert done.returncode == 0, done.stderr
    assert Image.open(home / "window.png").width > 800
    assert sorted(place.rglob("*")) == before
    for path in (place, *place.rglob("*")):  # so that the folder can be deleted
        path.chmod(0o755)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.name != "posix", reason="a script of the shell")
@pytest.mark.parametrize("installer", [[], ["pipx"], ["uv"]], ids=["pip", "pipx", "uv"])
def test_a_wheel_in_an_empty_environment_denoises_and_shows_its_window(installer):
    done = subprocess.run([ROOT / ".ci/wheel", *installer], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "denoised by" in done.stdout and "would write" in done.stdout

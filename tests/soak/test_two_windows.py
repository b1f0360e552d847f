"""Two windows and two `denoise` commands at once, with the same photo, results, settings and state."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerd_gui.denoising.session_file import read_session


def started(*command, **environment):
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here.parents[1]), str(here)])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, *map(str, command)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.soak
@pytest.mark.timeout(24 * 3600)
def test_nothing_is_lost_where_two_windows_and_two_denoise_write_the_same_files(tmp_path, in_memory, tiny_model_path):
    count = 100  # photos that each window opens, denoises and saves
    photo, place = tmp_path / "photo.png", in_memory
    values = np.random.default_rng(0).integers(60, 200, (40, 48)).astype(np.uint8)
    Image.fromarray(values).save(photo)
    window = (Path(__file__).parent / "window_process.py", photo, tiny_model_path, place, count)
    denoise = ("-m", "nerd_gui", "denoise", photo, "-o", place / "same.png", "--model", tiny_model_path, "--overwrite")
    windows = [started(*window) for _ in range(2)]
    runs = [started(*denoise) for _ in range(2)]
    for process in runs:
        said = process.communicate(timeout=300)[1]
        assert process.returncode == 0, said
    for process in windows:
        said, complaints = process.communicate(timeout=24 * 3600)
        assert process.returncode == 0, complaints
        assert json.loads(said.splitlines()[-1]) == {"said": [], "rounds": count}
    assert Image.open(place / "same.png").size == (48, 40)
    kept = read_session(place / "same.nerd")
    assert kept.photo.name == "photo" and len(kept.runs) >= 1
    assert sorted(path.name for path in place.iterdir()) == ["log", "same.nerd", "same.png", "settings.ini", "state"]
    assert not any(path.is_dir() for path in (place / "state").iterdir()), "each removes what it kept for itself"
    assert np.array_equal(np.asarray(Image.open(photo)), values)

"""A process that gets too little memory denoises with less of it, or says so; it never just dies."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerd_gui.imaging import open_photo

MEGABYTES = (3600, 2600, 2400, 2200, 2000, 1800, 1600, 1500, 1400, 1300, 1200, 1000)


@pytest.mark.soak
@pytest.mark.timeout(24 * 3600)
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space as Linux keeps them")
def test_memory_that_the_system_does_not_give_is_a_result_or_a_sentence(tmp_path):
    import resource

    values = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    options = ["--overwrite", "--model", "nerd-lite-colour", "--max-iter", "2"]
    command = [sys.executable, "-m", "nerd_gui", "denoise", "a.png", "-o", "b.png", *options]
    codes, again = [], 0
    for megabytes in MEGABYTES:

        def limit(size=megabytes << 20):
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, preexec_fn=limit, timeout=3600
        )
        assert "Traceback" not in done.stderr and done.returncode in (0, 2), f"{megabytes} MB: {done.stderr}"
        again += "Memory ran out; the photo" in done.stderr
        codes.append(done.returncode)
        if done.returncode == 0:
            assert open_photo(tmp_path / "b.png").pixels.shape == (3, 700, 700)
        else:
            assert done.stderr.splitlines()[-1].startswith("nerd-gui: ") and done.stderr.endswith(".\n")
    print(f"\n{dict(zip(MEGABYTES, codes, strict=True))}, {again} times in less than was planned")
    assert codes[0] == 0 and 2 in codes and again >= 2

import dataclasses
from pathlib import Path

import psutil
import pytest
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import DenoisingRun, RunError, RunSettings, Subject, estimate_bytes, memory, peak_memory_mb
from nerd_gui.nerd import NerdConfig

PAPER = NerdConfig()


def test_the_estimate_counts_broydens_vectors():
    """Of 537 MB each at 1024 x 1024 with the paper's width, two for each pair."""
    vector = 4 * 128 * 1024 * 1024
    by_memory = [estimate_bytes(PAPER, RunSettings(memory=m), 1, 1024, 1024) for m in (3, 4, 17, 99)]
    assert by_memory[1] - by_memory[0] == 2 * vector
    assert by_memory[2] == by_memory[3] == estimate_bytes(PAPER, RunSettings(), 1, 1024, 1024)  # 17 steps, no more
    assert by_memory[0] > 6 * vector


def test_the_estimate_grows_with_what_it_depends_on():
    settings = RunSettings()
    least = estimate_bytes(PAPER, settings, 1, 256, 256)
    assert estimate_bytes(PAPER, settings, 3, 256, 256) > 2.5 * least
    assert estimate_bytes(PAPER, settings, 1, 512, 512) > 3.5 * least
    assert estimate_bytes(NerdConfig(features=64), settings, 1, 256, 256) < 0.6 * least
    assert estimate_bytes(PAPER, dataclasses.replace(settings, solver="plain"), 1, 256, 256) < least


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_a_run_starts_only_if_its_memory_is_free(monkeypatch, share):
    net, subject = make_net(), Subject.of(make_photo(3, rows=512, cols=512))
    needed = estimate_bytes(net.config, RunSettings(), 3, 512, 512)
    free = type("Memory", (), {"available": int(share * needed)})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    if share < 1:
        with pytest.raises(
            RunError, match=rf"needs about {needed / 1e9:.1f} GB of memory and {share * needed / 1e9:.1f}"
        ):
            DenoisingRun(subject, RunSettings(), net)
    else:
        assert DenoisingRun(subject, RunSettings(), net).estimated_bytes == needed


def test_the_peak_is_that_of_the_process():
    assert peak_memory_mb("cpu") >= 0.9 * psutil.Process().memory_info().rss / 1e6
    assert peak_memory_mb("cpu") < psutil.virtual_memory().total / 1e6
    assert memory.free_bytes("cpu") < psutil.virtual_memory().total


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has this second source")
def test_the_peak_is_what_the_system_says():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    assert peak_memory_mb("cpu") == pytest.approx(int(status["VmHWM"].split()[0]) / 1e3, rel=0.05)

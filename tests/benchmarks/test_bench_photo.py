import numpy as np
import pytest

from nerd_gui.benchmarks import photo
from nerd_gui.benchmarks.photo import measure_photo, photo_lines, photo_of
from nerd_gui.denoising import RunSettings
from nerd_gui.denoising.whole_photo import cores, photo_plan


def test_the_photo_has_the_size_and_the_noise_that_were_asked_for():
    made = photo_of(0.6)
    assert made.rows * made.cols == pytest.approx(0.6e6, rel=0.01) and made.cols / made.rows == pytest.approx(
        1.5, abs=0.01
    )
    grain = np.diff(made.pixels[:, :, ::2], axis=2)
    assert 255 * np.median(np.abs(grain)) / 0.6745 / np.sqrt(2) == pytest.approx(10, rel=0.5)


@pytest.mark.parametrize("limit", [None, 4.0])
def test_what_a_photo_takes_is_told_beside_f(limit, tiny_model_path, monkeypatch):
    monkeypatch.setattr(photo, "SIDE", 64)
    monkeypatch.setattr(photo_plan, "CORES", (64,))
    monkeypatch.setattr(cores, "_LEAST", 4)
    report = measure_photo(RunSettings(model=str(tiny_model_path), max_iter=3, memory_limit=limit), 0.05)
    assert report["tiles"] == 15 and report["seconds"] > report["sample_seconds"] > 0
    expected = report["seconds"] / (
        report["f_seconds_per_pixel"] * report["evaluations"] * report["halo_share"] * report["rows"] * report["cols"]
    )
    assert report["ratio"] == pytest.approx(expected)
    assert 3 <= report["evaluations"] <= 4 and abs(report["time_left_error"]) < 10
    words = " ".join(photo_lines(report))
    assert (report["peak"] is None) == (limit is None) == ("Peak memory" not in words)
    assert f"{report['cols']} x {report['rows']} pixels" in words and "megapixels a minute" in words

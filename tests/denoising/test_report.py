import dataclasses
import json
from pathlib import Path

import pytest
from tiny_runs import make_net, make_photo, settings_of

from nerd_gui.denoising import CURVES, RunSettings, Subject, denoise

SETTINGS = RunSettings(model="tiny", max_iter=4, tol=0.0)
KEYS = {
    "model",
    "solver",
    "device",
    "window",
    "precision",
    "stop_reason",
    "result",
    "seconds",
    "evaluations",
    "peak_memory_mb",
    "compiled",
    "iterations",
}
ITERATION_KEYS = {
    "index",
    "residual",
    "relative_step",
    "residual_change",
    "noise_level",
    "psnr",
    "ssim",
    "seconds",
    "restarted",
}


def through_json(trajectory):
    return json.loads(json.dumps(trajectory.report(), allow_nan=False))


def test_a_report_says_all_of_a_run():
    photo = dataclasses.replace(make_photo(), path=Path("folder") / "tiny.png")
    trajectory = denoise(Subject.of(photo, sigma=25, seed=3, region=(1, 2, 16, 17)), SETTINGS, make_net())
    report = through_json(trajectory)
    assert report.keys() >= KEYS
    assert report["model"] == "tiny"
    assert (report["solver"], report["device"], report["precision"]) == ("broyden", "cpu", "float32")
    assert (report["window"], report["stop_reason"], report["evaluations"]) == (5, "step limit", 5)
    assert report["result"] == trajectory.result
    assert report["seconds"] == trajectory[-1].seconds
    assert report["peak_memory_mb"] > 10
    assert [iteration["index"] for iteration in report["iterations"]] == [0, 1, 2, 3, 4]
    for i, iteration in enumerate(report["iterations"]):
        assert iteration.keys() == ITERATION_KEYS
        for name in CURVES:
            assert iteration[name] == trajectory.curve(name)[i]
        assert iteration["restarted"] is False
    assert report["settings"] == {
        "max_iter": 4,
        "tol": 0.0,
        "stop_on": "residual",
        "memory": None,
        "safeguard": True,
        "damping": 1.0,
        "strength": None,
        "start": "zero",
        "start_seed": 0,
        "memory_limit": None,
    }
    assert report["plan"] == []
    assert report["photo"] == {
        "name": "tiny",
        "path": str(Path("folder") / "tiny.png"),
        "sha256": "0" * 64,
        "rows": 16,
        "cols": 17,
        "region": [1, 2, 16, 17],
        "sigma": 25.0,
        "seed": 3,
    }


def test_a_report_gives_back_every_setting():
    settings = RunSettings(
        model="tiny",
        solver="plain",
        max_iter=3,
        tol=0.5,
        stop_on="relative_step",
        memory=2,
        safeguard=False,
        damping=0.5,
        strength=20.0,
        window=3,
        precision="bfloat16",
        start="random",
        start_seed=9,
        memory_limit=512.0,
    )
    usual = RunSettings()
    alike = [name for name in vars(usual) if getattr(usual, name) == getattr(settings, name)]
    assert alike == ["device"]  # there is only one for certain
    told = make_net(level_input=True)
    assert settings_of(through_json(denoise(Subject.of(make_photo()), settings, told))) == settings
    own_window = through_json(denoise(Subject.of(make_photo()), SETTINGS, make_net()))
    assert settings_of(own_window) == dataclasses.replace(SETTINGS, window=5)  # the q that it had


@pytest.mark.parametrize("solver", ["anderson", "plain"])
def test_a_report_is_enough_to_run_again(solver):
    photo = make_photo()
    settings = dataclasses.replace(
        SETTINGS,
        solver=solver,
        memory=2,
        safeguard=False,
        window=3,
        start="random",
        start_seed=9,
        damping=0.7,
        stop_on="residual_change",
        tol=0.5,
    )
    first = denoise(Subject.of(photo, sigma=25, seed=3), settings, make_net())
    report = through_json(first)
    subject = Subject.of(photo, sigma=report["photo"]["sigma"], seed=report["photo"]["seed"])
    second = denoise(subject, settings_of(report), make_net())
    for name in CURVES:
        assert second.curve(name) == first.curve(name)


def test_what_is_undefined_is_null():
    picture = through_json(denoise(Subject.of(make_photo(rows=8, cols=8)), SETTINGS, make_net()))
    start = picture["iterations"][0]
    assert start["psnr"] is start["ssim"] is start["residual_change"] is start["relative_step"] is None
    assert picture["photo"]["path"] is picture["photo"]["sigma"] is picture["photo"]["region"] is None
    small = through_json(denoise(Subject.of(make_photo(rows=8, cols=8), sigma=25), SETTINGS, make_net()))
    assert small["iterations"][0]["psnr"] > 0
    assert small["iterations"][0]["ssim"] is None  # smaller than the window of SSIM


def test_infinity_is_null_too():
    photo = make_photo()
    net = make_net()
    net.f_decode.conv.weight.zero_()
    net.f_decode.conv.bias.zero_()
    exact = through_json(denoise(Subject.of(photo, sigma=0), SETTINGS, net))
    assert exact["iterations"][-1]["psnr"] is None  # infinite
    net = make_net(post_normalization=False)
    net.transformation.conv_out.weight.mul_(1e38)
    diverged = through_json(denoise(Subject.of(photo, sigma=25), SETTINGS, net))
    assert diverged["stop_reason"] == "diverged"
    assert diverged["iterations"][-1]["residual"] is None


def test_a_run_stopped_before_its_first_iterate_has_a_report():
    report = through_json(denoise(Subject.of(make_photo()), SETTINGS, make_net(), lambda: True))
    assert (report["stop_reason"], report["result"], report["iterations"]) == ("cancelled", None, [])
    assert report["evaluations"] == report["seconds"] == 0


@pytest.mark.parametrize("safeguard", [True, False])
def test_a_wild_step_is_marked_where_the_safeguard_acts(monkeypatch, safeguard):
    """From the fourth iterate on the network is another one, so that Broyden's stored pairs are misleading."""
    net, calls = make_net(), []
    implicit = net.implicit

    def changing(z, s, **how):
        calls.append(True)
        return implicit(z, s, **how) if len(calls) < 5 else implicit(z, s, **how) + 10.0 * len(calls)

    monkeypatch.setattr(net, "implicit", changing)
    settings = dataclasses.replace(SETTINGS, max_iter=6, safeguard=safeguard)
    trajectory = denoise(Subject.of(make_photo()), settings, net)
    marks = [iteration["restarted"] for iteration in through_json(trajectory)["iterations"]]
    assert any(marks) is safeguard

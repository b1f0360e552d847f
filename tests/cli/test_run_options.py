"""Every setting of a run has an option on the command line."""

import dataclasses

import pytest
from command_line import refused

from nerd_gui.cli import denoise, evaluate, settings
from nerd_gui.denoising import RunSettings, default_device, default_model

#: For every field of `RunSettings`: arguments that set it, and the value they set (not the default).
OPTIONS = {
    "model": ("--model nerd-lite-25", "nerd-lite-25"),
    "solver": ("--solver anderson", "anderson"),
    "max_iter": ("--max-iter 5", 5),
    "tol": ("--tol 0.25", 0.25),
    "stop_on": ("--stop-on relative_step", "relative_step"),
    "memory": ("--memory 3", 3),
    "safeguard": ("--no-safeguard", False),
    "damping": ("--damping 0.5 --solver plain", 0.5),
    "strength": ("--strength 12.5", 12.5),
    "window": ("--window 9", 9),
    "precision": ("--precision bfloat16", "bfloat16"),
    "device": ("--device cuda:7", "cuda:7"),
    "start": ("--start random", "random"),
    "start_seed": ("--start-seed 8 --start random", 8),
    "memory_limit": ("--memory-limit 2.5", 2.5),
}
COMMANDS = {"denoise": (denoise, "a.png -o b.png"), "evaluate": (evaluate, "folder --sigma 25")}


def parsed(command, options):
    room, words = COMMANDS[command]
    args = room.parser().parse_args([*words.split(), *options.split()])
    model = args.model[0] if isinstance(args.model, list) and args.model else args.model or None
    return settings.run_settings(args, model)


@pytest.fixture(autouse=True)
def any_device(monkeypatch):
    monkeypatch.setattr(settings, "check_device", lambda name: name)


def test_no_setting_is_left_out():
    assert list(OPTIONS) == [field.name for field in dataclasses.fields(RunSettings)]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", OPTIONS)
def test_every_setting_has_an_option_that_reaches_it(command, name):
    words, value = OPTIONS[name]
    usual = RunSettings(model=default_model(default_device()), device=default_device())
    assert value != getattr(usual, name)
    found = parsed(command, words)
    assert getattr(found, name) == value
    beside = {"damping": {"solver": "plain"}, "start_seed": {"start": "random"}}.get(name, {})
    assert dataclasses.replace(found, **{name: getattr(usual, name)}) == dataclasses.replace(usual, **beside)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_options_a_run_has_the_defaults(command):
    device = default_device()
    assert parsed(command, "") == RunSettings(model=default_model(device), device=device)
    assert parsed(command, "--strength auto").strength is None
    assert parsed(command, "--safeguard --memory 2") == RunSettings(default_model(device), device=device, memory=2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--start last", "has no last equilibrium to start from. Choose --start zero or random, or use"),
        ("--start best", "starts from zero, random, last or predicted, not from “best”"),
        ("--start predicted", "always have a predicted start; choose --start zero or random"),
        ("--start-seed 3", "--start-seed chooses the start of --start random; give both or neither"),
        ("--damping 0.5", "--damping has an effect on plain iteration only; add --solver plain"),
        ("--strength 8", "estimates the noise level itself; leave the strength out"),
        ("--strength -1", "“-1” is not a noise level, a number from 0 to 255"),
        ("--damping 0", "“0” is not a number above 0"),
        ("--start-seed -1", "“-1” is not a whole number of 0 or more"),
        (
            "--stop-on energy",
            "can stop on residual, relative_step, residual_change, picture; there is no measure “energy”",
        ),
    ],
)
def test_options_that_make_no_sense_are_sentences(photo, model, capsys, tmp_path, options, sentence):
    assert sentence in refused(capsys, "denoise", photo, "-o", "out.png", "--model", model, *options.split())


def test_damping_may_be_that_of_the_other_solver():
    found = parsed("evaluate", "--damping 0.5 --other-solver plain")
    assert (found.solver, found.damping) == ("broyden", 0.5)

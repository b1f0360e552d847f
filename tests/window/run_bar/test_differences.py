"""The sentence that names the settings that differ from those of the shown run."""

from dataclasses import fields, replace

import pytest

from nerd_gui.denoising import PICTURE, RunSettings
from nerd_gui.window.run_bar.controls import RunControls
from nerd_gui.window.run_bar.differences import _WORDS, Differences, changes
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session


@pytest.mark.parametrize(
    ("had", "now", "said"),
    [
        ({}, {}, []),
        ({}, {"model": "weights/nerd-lite-photo.safetensors"}, ["network nerd-lite-photo (was nerd-lite)"]),
        ({}, {"solver": "anderson", "max_iter": 30}, ["solver Anderson (was Broyden)", "most steps 30 (was 17)"]),
        ({}, {"tol": 0.0}, ["tolerance none (was 0.001)"]),
        ({"stop_on": PICTURE}, {"stop_on": PICTURE, "tol": 0.1}, []),  # for which the tolerance does not matter
        ({}, {"precision": "bfloat16"}, ["precision bfloat16 (was float32)"]),
        ({}, {"window": 33}, ["attention window q 33 (was the network's own)"]),
        ({}, {"damping": 0.5}, []),  # Broyden ignores it
        ({"solver": "plain"}, {"solver": "plain", "damping": 0.5}, ["damping 0.5 (was 1)"]),
        ({}, {"start_seed": 3}, []),
        ({"start": "random"}, {"start": "random", "start_seed": 3}, ["seed of the start 3 (was 0)"]),
        ({}, {"memory_limit": 2.0}, []),  # it does not change the result
    ],
)
def test_what_is_another_setting_is_said_where_it_matters(had, now, said):
    assert changes(RunSettings(**had), RunSettings(**now)) == said


def test_every_setting_is_said_or_makes_no_difference():
    assert set(_WORDS) | {"memory_limit"} == {field.name for field in fields(RunSettings)}


@pytest.fixture
def session(take_sample):
    made = Session()
    take_sample(made, "camera")
    return made


@pytest.fixture
def controls(qtbot, session, tiny_model_path):
    made = RunControls(session, str(tiny_model_path))
    qtbot.addWidget(made)
    return made


@pytest.fixture
def differences(session, controls):
    return Differences(session, controls)


def taken(session, settings, **run):
    """Show a run with these settings, without computing it."""
    made = Run(session.workspace.subject(), settings, over=True, **run)
    session.runs.add(made)
    session.show_run(made)


def test_the_sentence_follows_what_is_turned(qtbot, session, controls, differences):
    taken(session, controls.settings())
    assert differences.sentence == ""
    with qtbot.waitSignal(differences.compared) as said:
        controls.solver.setCurrentIndex(controls.solver.findData("plain"))
    assert said.args == ["Chosen now: solver Plain iteration (was Broyden)."]
    controls.settings_button.max_iter.setValue(5)
    assert differences.sentence == "Chosen now: solver Plain iteration (was Broyden), most steps 5 (was 17)."
    session.workspace.set_noise(add_noise=True, sigma=10, seed=0)
    assert differences.sentence.startswith("The noise is now σ 10") and "Plain iteration" in differences.sentence
    session.history.undo()
    controls.settings_button.max_iter.setValue(17)
    controls.solver.setCurrentIndex(controls.solver.findData("broyden"))
    assert differences.sentence == ""


def test_denoise_photo_stops_by_the_picture_whatever_is_chosen(session, controls, differences):
    taken(session, replace(controls.settings(for_photo=True), stop_on=PICTURE))
    assert differences.sentence == ""
    controls.settings_button.tolerance.setCurrentText("1e-1")
    assert differences.sentence == ""
    controls.settings_button.window_side.setValue(9)
    assert differences.sentence == "Chosen now: attention window q 9 (was the network's own)."


def test_the_grain_of_a_whole_photo_counts(session, controls, differences):
    taken(session, replace(controls.settings(for_photo=True), stop_on=PICTURE), in_tiles=True, grain=2)
    assert differences.sentence == "Chosen now: grain size 1 (was 2)."


def test_auto_counts_by_the_network_that_it_takes(qtbot, session):
    controls = RunControls(session)
    qtbot.addWidget(controls)
    differences = Differences(session, controls)
    network = controls.choice().model
    taken(session, controls.settings())
    assert controls.model.is_auto and differences.sentence == ""
    controls.model.choose(network)  # the same by hand
    assert differences.sentence == ""
    other = next(name for name in map(controls.model.itemData, range(1, 5)) if name not in (None, network))
    controls.model.choose(other)
    assert differences.sentence == f"Chosen now: network {other} (was {network})."

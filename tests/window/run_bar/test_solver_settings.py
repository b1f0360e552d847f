"""Every setting of a run can be chosen in the window."""

from dataclasses import fields, replace

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from nerd_gui.denoising import RunSettings
from nerd_gui.equilibrium import SOLVERS

#: For each field: its control, the choice, the resulting value, and what must be chosen before.
CONTROLS = {
    "model": ("modelCombo", "nerd-lite-25", "nerd-lite-25", {}),
    "solver": ("solverCombo", "Anderson", "anderson", {}),
    "max_iter": ("maxIterSpin", 23, 23, {}),
    "tol": ("toleranceCombo", "3e-4", 3e-4, {}),
    "stop_on": ("stopOnCombo", "the length of a step", "relative_step", {}),
    "memory": ("memorySpin", 6, 6, {}),
    "safeguard": ("safeguardCheck", False, False, {}),
    "damping": ("dampingSpin", 0.7, 0.7, {"solverCombo": "Plain iteration"}),
    "window": ("windowSpin", 33, 33, {}),
    "precision": ("precisionCombo", "bfloat16", "bfloat16", {}),
    "device": ("deviceCombo", "GPU (CUDA)", "cuda", {}),
    "start": ("startCombo", "last equilibrium", "last", {}),
    "start_seed": ("startSeedSpin", 12, 12, {"startCombo": "seeded random"}),
    "memory_limit": ("memoryLimitSpin", 3.5, 3.5, {}),
}


@pytest.fixture
def window(make_window, monkeypatch, tmp_path):
    monkeypatch.setattr("nerd_gui.window.run_bar.controls.devices", lambda: ["cpu", "cuda"])
    return make_window(tmp_path / "no photo.png", model="nerd-lite")


def choose(window, name, choice):
    widget = window.findChild(QWidget, name)
    assert widget.isEnabledTo(window), name
    if isinstance(widget, QComboBox):
        assert widget.findText(choice) >= 0
        widget.setCurrentText(choice)
    elif isinstance(widget, QCheckBox):
        widget.setChecked(choice)
    else:
        assert isinstance(widget, QSpinBox | QDoubleSpinBox)
        widget.setValue(choice)


def test_every_setting_of_a_run_has_a_control():
    told = {"strength"}  # only for networks with level input; see below
    assert set(CONTROLS) == {field.name for field in fields(RunSettings)} - told


def test_the_strength_is_for_networks_that_are_told_the_level(window, told_model_path):
    strength = window.findChild(QDoubleSpinBox, "strengthSpin")
    assert not strength.isEnabledTo(window) and window.controls.settings().strength is None
    window.controls.model.take(str(told_model_path))
    assert strength.text() == "the photo's own" and window.controls.settings().strength is None
    choose(window, "strengthSpin", 12.5)
    assert window.controls.settings().strength == 12.5
    assert window.controls.treatment(str(told_model_path)).settings.strength is None  # to each photo its own
    window.controls.model.take("nerd-lite")
    assert not strength.isEnabledTo(window) and window.controls.settings().strength is None


def test_the_controls_begin_with_the_defaults(window):
    assert window.controls.settings() == RunSettings()


def test_each_control_sets_its_field_and_no_other(window):
    for field, (name, choice, value, before) in CONTROLS.items():
        for other, other_choice in before.items():
            choose(window, other, other_choice)
        usual = window.controls.settings()
        assert getattr(usual, field) != value
        undone = {other: choice_of(window, other) for other in (name,)}
        choose(window, name, choice)
        assert window.controls.settings() == replace(usual, **{field: value}), field
        choose(window, name, undone[name])
        assert window.controls.settings() == usual
        window.findChild(QComboBox, "solverCombo").setCurrentIndex(0)
        window.findChild(QComboBox, "startCombo").setCurrentIndex(0)


def choice_of(window, name):
    widget = window.findChild(QWidget, name)
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.isChecked() if isinstance(widget, QCheckBox) else widget.value()


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_does_not_apply_to_the_solver_is_disabled_and_left_out(window, solver):
    finer, combo = window.controls.settings_button, window.controls.solver
    combo.setCurrentIndex(combo.findData("plain"))
    finer.damping.setValue(0.5)
    combo.setCurrentIndex(combo.findData("broyden"))
    finer.memory.setValue(4)
    finer.safeguard.setChecked(False)
    combo.setCurrentIndex(combo.findData(solver))
    plain, settings = solver == "plain", window.controls.settings()
    assert finer.damping.isEnabledTo(finer) == plain
    assert finer.memory.isEnabledTo(finer) == finer.safeguard.isEnabledTo(finer) == (not plain)
    assert (settings.damping, settings.memory, settings.safeguard) == ((0.5, None, True) if plain else (1.0, 4, False))


def test_the_seed_is_that_of_the_random_start_alone(window):
    finer = window.controls.settings_button
    for start, applies in (("random", True), ("last", False), ("zero", False)):
        finer.start.setCurrentIndex(finer.start.findData(start))
        assert finer.start_seed.isEnabledTo(finer) == applies


def test_the_solver_remembered_from_the_last_start_counts(window, make_window, tmp_path):
    window.controls.solver.setCurrentText("Plain iteration")
    window.close()
    again = make_window(tmp_path / "no photo.png", model="nerd-lite").controls
    assert again.settings().solver == "plain" and again.settings_button.damping.isEnabledTo(again)


def test_the_precision_of_a_whole_photo_is_the_faster_one_unless_another_is_chosen(window, monkeypatch):
    monkeypatch.setattr("nerd_gui.window.run_bar.controls.fast_precision", lambda device: "bfloat16")
    controls = window.controls
    assert controls.settings().precision == "float32"
    assert (
        controls.settings(for_photo=True).precision == controls.treatment("nerd-lite").settings.precision == "bfloat16"
    )
    choose(window, "precisionCombo", "float32")
    assert (
        controls.settings(for_photo=True).precision == controls.treatment("nerd-lite").settings.precision == "float32"
    )

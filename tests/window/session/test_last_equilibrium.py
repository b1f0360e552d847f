"""The start “last equilibrium” in the window: chosen, used, shown, and explained where it is not possible."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from window_person import run_to_the_end

from nerd_gui.imaging import open_sample, sample_names, save_picture
from nerd_gui.nerd import save_model


@pytest.fixture
def tiny_model_path(tmp_path, tiny_net):
    """A network that contracts, because the injection is larger than the post-normalized output."""
    tiny_net.f_inject.conv_out.weight.mul_(10)
    tiny_net.transformation.norm_post.weight.mul_(0.1)
    path = tmp_path / "tiny.safetensors"
    save_model(path, tiny_net, {"samples": 0, "validation_psnr": 20.0})
    return path


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    photo = open_sample(sample_names()[0]).crop(60, 60, 48, 40)
    path = tmp_path / "photo.png"
    save_picture(path, photo)
    made = make_window(path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.noise.mode.setCurrentText("Add noise")
    made.controls.settings_button.max_iter.setValue(6)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    return made


def choose_last(qtbot, window):
    combo = window.controls.settings_button.start
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_End)
    assert combo.currentText() == "last equilibrium"


def test_a_run_starts_from_the_last_equilibrium_after_the_noise_has_changed(qtbot, window):
    first = run_to_the_end(qtbot, window).trajectory
    choose_last(qtbot, window)
    window.noise.sigma.setValue(23)
    assert window.session.trajectory is first
    second = run_to_the_end(qtbot, window).trajectory
    assert second.subject.sigma == 23
    np.testing.assert_array_equal(second[0].features.z, first[first.result].features.z)
    saving = second.saving()
    assert saving.saved > 0
    assert f"7 evaluations, {saving.saved} fewer than from zero to " in window.summary.text()
    assert f"(photo, σ 25, q {first.window}, float32) took {saving.from_zero}." in window.summary.toolTip()
    assert window.notice_bar.sentence("run") == ""


def test_the_evaluations_saved_are_plain_when_both_runs_converged(qtbot, window):
    window.controls.settings_button.max_iter.setValue(60)
    window.controls.settings_button.tolerance.setCurrentText("1e-2")
    first = run_to_the_end(qtbot, window).trajectory
    choose_last(qtbot, window)
    second = run_to_the_end(qtbot, window).trajectory
    assert str(first.stop_reason) == str(second.stop_reason) == "converged"
    fewer = first[-1].evaluations - second[-1].evaluations
    assert f"| 1 evaluation, {fewer} fewer than from zero ·" in " ".join(window.summary.text().split())


def test_no_number_is_given_where_the_cost_from_zero_is_unknown(qtbot, window):
    run_to_the_end(qtbot, window)
    choose_last(qtbot, window)
    window.controls.solver.setCurrentIndex(window.controls.solver.findData("plain"))
    run_to_the_end(qtbot, window)
    assert "7 evaluations from the last equilibrium ·" in window.summary.text()
    assert "fewer" not in window.summary.text() and "took" not in window.summary.toolTip()


def test_without_one_the_run_starts_from_zero_and_says_so(qtbot, window):
    choose_last(qtbot, window)
    trajectory = run_to_the_end(qtbot, window).trajectory
    assert not trajectory[0].features.z.any()
    sentence = "There is no last equilibrium, so the run starts from zero."
    assert window.notice_bar.sentence("run") == sentence
    assert sentence in window.summary.toolTip()
    assert "7 evaluations from zero ·" in window.summary.text()
    assert trajectory.report()["settings"]["start"] == "zero"
    again = run_to_the_end(qtbot, window).trajectory  # now there is one
    assert again.settings.start == "last" and again.notice is None


def test_a_run_stopped_before_its_first_iterate_leaves_the_last_equilibrium_as_it_was(qtbot, window):
    first = run_to_the_end(qtbot, window).trajectory
    choose_last(qtbot, window)
    window.actions_.run.trigger()
    window.actions_.stop.trigger()
    assert window.session.trajectory is first
    second = run_to_the_end(qtbot, window).trajectory
    np.testing.assert_array_equal(second[0].features.z, first[first.result].features.z)


def test_another_photo_of_the_same_size_may_start_there_and_one_of_another_size_not(qtbot, window, open_file, tmp_path):
    run_to_the_end(qtbot, window)
    choose_last(qtbot, window)
    for rows, notice in ((48, None), (40, "The last equilibrium belongs to a photo of another size")):
        path = tmp_path / f"{rows}.png"
        save_picture(path, open_sample(sample_names()[0]).crop(80, 80, rows, 40))
        open_file(window, path)
        trajectory = run_to_the_end(qtbot, window).trajectory
        assert trajectory.subject.rows == rows
        assert (trajectory.notice or "").startswith(notice or "")
        assert (trajectory.notice is None) == (notice is None)

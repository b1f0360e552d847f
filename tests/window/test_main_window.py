"""The window as a person uses it: open, run, watch, scrub, click, save; every view shows the same iterate."""

import time

import numpy as np
import pytest
from dialog_person import Person, proposed, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QMessageBox, QSlider, QSpinBox, QWidget

from nerd_gui.denoising import DenoisingRun, estimate_bytes, memory_plan
from nerd_gui.imaging import add_noise, noise_level, open_photo, open_sample, sample_names, to_8_bit
from nerd_gui.nerd import NERD, load_model
from nerd_gui.window.picture.layers import Compare, Layer


@pytest.fixture
def photo_path(tmp_path):
    pixels = open_sample(sample_names()[0]).crop(60, 60, 48, 40).pixels
    path = tmp_path / "photo.png"
    Image.fromarray(to_8_bit(add_noise(pixels, 25, 0))[0]).save(path)
    return path


@pytest.fixture
def window(qtbot, make_window, photo_path):
    made = make_window(photo_path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(6)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    return made


def run_to_the_end(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.actions_.run.trigger()


def slider(window):
    return window.findChild(QSlider, "iterationSlider")


def shown_everywhere(window):
    """The index that each view shows, read from the view itself."""
    trajectory, view = window.session.trajectory, window.picture_view
    pictures = [to_8_bit(trajectory.picture(i)) for i in range(len(trajectory))]
    view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    shown = view.shown_picture()
    matching = [i for i, picture in enumerate(pictures) if np.array_equal(picture.squeeze(), shown.squeeze())]
    return {
        "slider": slider(window).value(),
        "spin": window.findChild(QSpinBox, "iterationSpin").value(),
        "residual cursor": window.findChild(QWidget, "residualPlot").cursor_index,
        "noise cursor": window.findChild(QWidget, "noiseLevelPlot").cursor_index,
        "picture": matching,
    }


def test_object_names(window):
    names = (
        "pictureView iterationSlider iterationSpin followButton residualPlot noiseLevelPlot attentionHead0 "
        "attentionHead1 attentionHead2 attentionHead3 modelCombo solverCombo deviceCombo sigmaSpin"
    )
    for name in names.split():
        widget = window.findChild(QWidget, name)
        assert widget is not None, name
    for name in ("openAction", "runAction", "stopAction", "exportAction"):
        assert window.findChild(type(window.actions_.run), name) is not None, name


def test_every_interactive_widget_says_what_it_is(window):
    kinds = (QComboBox, QSpinBox, QDoubleSpinBox, QSlider)
    for kind in kinds:
        for widget in window.findChildren(kind):
            assert widget.objectName() and widget.accessibleName() and widget.toolTip(), widget


def test_opening_a_file_does_not_run_it(window):
    assert not window.session.controller.running and window.session.trajectory is None
    assert window.actions_.run.isEnabled() and not window.actions_.stop.isEnabled()
    assert not window.actions_.export.isEnabled()
    assert not window.noise.adds_noise
    assert np.array_equal(window.picture_view.current()[0], to_8_bit(window.session.workspace.photo.pixels)[0])


def test_the_first_start_runs_a_sample_with_noise(qtbot, make_window):
    window = make_window()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 1)
    subject = window.session.trajectory.subject
    assert subject.sigma == 25 and subject.clean is not None
    assert np.array_equal(subject.noisy, add_noise(subject.clean, 25, 0))
    window.actions_.stop.trigger()


def test_iterates_arrive_one_by_one(qtbot, window):
    arrived = []
    window.session.controller.iterateAdded.connect(lambda i: arrived.append((i, slider(window).maximum())))
    run_to_the_end(qtbot, window)
    assert [index for index, _ in arrived] == list(range(7))
    assert slider(window).maximum() == 6


def test_all_views_show_one_iterate(qtbot, window):
    run_to_the_end(qtbot, window)
    for index in (6, 3, 0, 5):
        slider(window).setValue(index)
        shown = shown_everywhere(window)
        assert index in shown.pop("picture")
        assert set(shown.values()) == {index}, shown


def test_keys_move_the_iterate(qtbot, window):
    run_to_the_end(qtbot, window)
    window.picture_view.setFocus()
    canvas = window.picture_view.viewport()
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert window.session.index == 0
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert window.session.index == 1
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    assert window.session.index == 6


def test_a_click_shows_the_heads_maps_at_the_shown_iterate(qtbot, window, tiny_model_path):
    run_to_the_end(qtbot, window)
    slider(window).setValue(3)
    view = window.picture_view
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(10, 12))
    net, trajectory = load_model(tiny_model_path), window.session.trajectory
    for index in (3, 5):
        slider(window).setValue(index)
        features = trajectory[index].features
        expected = net.attention_maps(features.z.float(), features.s.float(), 10, 12).weights[0]
        for head in range(4):
            assert np.allclose(window.attention_panel.map_weights(head), expected[head], atol=1e-4)


def test_stop_frees_the_window_and_ends_the_worker(qtbot, window, held):
    run = window.actions_.run
    run.trigger()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 2)
    (worker,) = window.session.controller._workers
    began = time.perf_counter()
    window.actions_.stop.trigger()
    assert run.isEnabled() and not window.session.controller.running
    assert time.perf_counter() - began < 0.1
    count = len(window.session.trajectory)
    qtbot.waitUntil(lambda: not window.session.controller._workers, timeout=1000)
    assert worker is not None and len(window.session.trajectory) == count
    assert str(window.session.trajectory.stop_reason) == "cancelled"


def test_a_run_that_is_stopped_before_it_is_prepared_leaves_nothing(qtbot, window):
    run_to_the_end(qtbot, window)
    assert "σ" in window.curves.readout("sigma") and window.curves.export_action.isEnabled()
    window.actions_.run.trigger()
    assert window.summary.text().startswith("Loading")
    window.actions_.stop.trigger()  # before anything of the run has arrived
    assert window.session.trajectory is None and not window.session.controller.running
    assert window.summary.text().startswith("Ready") and not window.curves.export_action.isEnabled()
    run_to_the_end(qtbot, window)
    assert len(window.session.trajectory) > 1 and window.curves.export_action.isEnabled()


def test_a_new_run_drops_late_results_of_the_old_one(qtbot, window, held):
    finer = window.controls.settings_button
    window.run()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 2)
    old = window.session.trajectory
    finer.max_iter.setValue(4)
    with qtbot.waitSignal(window.session.controller.ended):
        window.session.controller.stop()
    held.set()
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    new = window.session.trajectory
    assert new is not old and [iterate.index for iterate in new.iterates] == list(range(5))
    reference = list(DenoisingRun(new.subject, new.settings).iterates())
    assert np.array_equal(new[4].n_hat, reference[4].n_hat)


def test_the_saved_file_is_the_shown_picture(qtbot, window, tmp_path, photo_path):
    run_to_the_end(qtbot, window)
    slider(window).setValue(2)
    view, target = window.picture_view, tmp_path / "out" / "x.png"
    target.parent.mkdir()
    before = photo_path.read_bytes()
    suggested = []
    with Person(proposed(suggested)):
        window.actions_.export.trigger()
    with Person(saves(str(target))):
        window.actions_.export.trigger()
    view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    assert np.array_equal(np.asarray(Image.open(target)), view.shown_picture())
    assert suggested == [("photo_denoised.png", "PNG (*.png)")]
    assert photo_path.read_bytes() == before


def test_a_failing_save_says_so_and_leaves_nothing(qtbot, window, tmp_path):
    run_to_the_end(qtbot, window)
    with Person(saves(str(tmp_path / "x.odt"))):
        window.actions_.export.trigger()
    assert ".odt" in dialog_text(window) and not list(tmp_path.glob("*.odt"))


def dialog_text(window):
    (box,) = window.findChildren(QMessageBox)
    text = box.text()
    box.close()
    return text


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "text", "folder", "wide"])
def test_a_bad_photo_is_a_dialog_and_the_open_one_stays(qtbot, window, open_file, tmp_path, photo_path, kind):
    bad = tmp_path / "bad.png"
    if kind == "empty":
        bad.write_bytes(b"")
    elif kind == "truncated":
        bad.write_bytes(photo_path.read_bytes()[:300])
    elif kind == "text":
        bad.write_text("not a picture")
    elif kind == "folder":
        bad.mkdir()
    elif kind == "wide":
        Image.new("L", (40_000, 1)).save(bad)
    photo = window.session.workspace.photo
    open_file(window, bad)
    assert "bad.png" in dialog_text(window)
    assert window.session.workspace.photo is photo and window.actions_.run.isEnabled()
    run_to_the_end(qtbot, window)


def test_a_bad_photo_at_the_start_is_a_dialog(qtbot, make_window, tmp_path):
    window = make_window(tmp_path / "nowhere.png")
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    assert "nowhere.png" in dialog_text(window)
    assert window.isVisible() and not window.actions_.run.isEnabled() and not window.banner.isVisible()


def test_an_unreadable_network_is_a_dialog(qtbot, window, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nonsense")
    window.open_dialogs.open_checkpoint(bad)
    assert "bad.safetensors" in dialog_text(window)
    assert window.controls.model.network.endswith("tiny.safetensors")


def test_a_network_that_vanishes_is_a_dialog(qtbot, window, tiny_model_path):
    tiny_model_path.unlink()
    with qtbot.waitSignal(window.session.controller.failed):
        window.actions_.run.trigger()
    assert "tiny" in dialog_text(window)
    assert window.actions_.run.isEnabled() and not window.session.controller.running


def test_an_unexpected_error_is_a_dialog_with_details(qtbot, window, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(NERD, "implicit", broken)
    with qtbot.waitSignal(window.session.controller.failed) as failure:
        window.actions_.run.trigger()
    assert "planted" in failure.args[0] and "Traceback" in failure.args[1]
    assert "planted" in dialog_text(window)


def test_a_run_that_fails_midway_keeps_its_iterates_and_does_not_run_on(qtbot, window, monkeypatch):
    evaluations, true = [], NERD.implicit

    def implicit(*args, **how):
        evaluations.append(None)
        if len(evaluations) > 3:
            raise ZeroDivisionError("planted")
        return true(*args, **how)

    monkeypatch.setattr(NERD, "implicit", implicit)
    with qtbot.waitSignal(window.session.controller.failed):
        window.actions_.run.trigger()
    assert "planted" in dialog_text(window) and window.summary.text() == "The run failed."
    assert len(window.session.trajectory) == 3 and not window.progress.isVisible()
    assert window.actions_.run.isEnabled() and window.actions_.export.isEnabled()
    slider(window).setValue(1)
    assert window.summary.text().startswith("Iterate 1:") and " · failed, result " in window.summary.text()
    report = window.session.trajectory.report()
    assert report["stop_reason"] == "failed" and report["peak_memory_mb"] > 0
    last = window.curves.residual_plot.plotItem.vb.viewRange()[0][1]
    assert last < 3, "no room is kept for iterates that will not come"


def test_changing_the_noise_takes_the_old_run_away(qtbot, window):
    run_to_the_end(qtbot, window)
    window.findChild(QComboBox, "noiseModeCombo").setCurrentIndex(0)
    assert window.session.trajectory is None
    assert slider(window).maximum() <= 0 and not window.actions_.export.isEnabled()
    window.findChild(QDoubleSpinBox, "sigmaSpin").setValue(40)
    run_to_the_end(qtbot, window)
    subject = window.session.trajectory.subject
    assert subject.sigma == 40 and subject.clean is not None
    assert window.session.trajectory[0].psnr is not None


def test_a_clean_reference_gives_psnr(qtbot, window, tmp_path, monkeypatch):
    clean = tmp_path / "clean.png"
    Image.fromarray(to_8_bit(open_sample(sample_names()[0]).crop(60, 60, 48, 40).pixels)[0]).save(clean)
    monkeypatch.setattr("nerd_gui.window.files.open_dialogs.QFileDialog.getOpenFileName", lambda *_: (str(clean), ""))
    window.actions_.open_clean.trigger()
    qtbot.waitUntil(lambda: not window.opener.busy)
    run_to_the_end(qtbot, window)
    assert window.session.trajectory[2].psnr is not None


def test_a_large_photo_is_run_by_region(qtbot, window, open_file, tmp_path):
    large = tmp_path / "large.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (1100, 1200), dtype=np.uint8)).save(large)
    window.session.workspace.region_side = 32
    open_file(window, large)
    assert window.banner.isVisible() and "region" in window.banner.text()
    view = window.picture_view
    window.actions_.region.trigger()
    assert view.current()[0].shape == (1100, 1200)
    with qtbot.waitSignal(view.regionChosen):
        qtbot.mouseMove(view.viewport(), view.position_of(500, 400))
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(500, 400))
    row, col, rows, cols = window.session.workspace.region
    assert (rows, cols) == (32, 32) and abs(row + 16 - 500) <= 3 and abs(col + 16 - 400) <= 3
    assert f"column {col}" in window.banner.text()
    run_to_the_end(qtbot, window)
    expected = open_photo(large).pixels[:, row : row + 32, col : col + 32]
    assert np.array_equal(window.session.trajectory.subject.noisy, expected)
    window.actions_.region.trigger()
    qtbot.keyClick(view.viewport(), Qt.Key.Key_Escape)  # the region stays, with all that was found of it
    for layer, index in ((Layer.ITERATE, window.session.index), (Layer.RESULT, window.session.trajectory.result)):
        view.set_compare(Compare.SINGLE, right=layer)
        assert np.array_equal(view.shown_picture(), to_8_bit(window.session.trajectory.picture(index))[0])


def test_the_channel_of_a_colour_photo(qtbot, window, open_file, tmp_path, tiny_model_path):
    path = tmp_path / "colour.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(path)
    combo = window.findChild(QComboBox, "channelCombo")
    assert not combo.isVisible()
    open_file(window, path)
    assert combo.isVisible()
    run_to_the_end(qtbot, window)
    view, trajectory = window.picture_view, window.session.trajectory
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.position_of(8, 9))
    features, net = trajectory[6].features, load_model(tiny_model_path)
    maps = net.attention_maps(features.z.float(), features.s.float(), 8, 9).weights.numpy()
    n_hat = trajectory[6].n_hat.astype(np.float32)
    for name, weights in {"Luma": (0.299, 0.587, 0.114), "Green": (0, 1, 0), "Blue": (0, 0, 1)}.items():
        combo.setCurrentText(name)
        weights = np.array(weights, np.float32)
        expected = noise_level(np.tensordot(weights, n_hat, 1))
        assert window.curves.noise_level_plot.points("noise_level")[1][-1] == pytest.approx(expected, rel=1e-3)
        assert np.allclose(window.attention_panel.map_weights(1), np.tensordot(weights, maps, 1)[1], atol=1e-4)


def test_closing_during_a_run_ends_its_thread(qtbot, window, held):
    window.actions_.run.trigger()
    qtbot.waitUntil(lambda: window.session.trajectory is not None and len(window.session.trajectory) > 0)
    (worker,) = window.session.controller._workers
    window.close()
    assert worker.isFinished()


def test_choices_and_recent_files_are_remembered(qtbot, window, make_window, photo_path):
    window.findChild(QComboBox, "solverCombo").setCurrentText("Anderson")
    window.close()
    again = make_window(photo_path)
    assert again.findChild(QComboBox, "solverCombo").currentText() == "Anderson"
    assert again.recent_files.paths == [photo_path.absolute()]
    qtbot.waitUntil(lambda: again.session.workspace.photo is not None)


def test_a_run_that_gives_something_up_for_memory_says_so(qtbot, window, monkeypatch):
    window.findChild(QDoubleSpinBox, "memoryLimitSpin").setValue(3)
    assert window.controls.settings().memory_limit == 3
    subject, net = window.session.workspace.subject(), load_model(window.controls.settings().model)
    needed = estimate_bytes(net.config, window.controls.settings(), subject.channels, subject.rows, subject.cols)
    monkeypatch.setattr(memory_plan, "budget_bytes", lambda settings: needed - 1)
    run_to_the_end(qtbot, window)
    sentence = "Broyden's pairs are kept in 8 bits instead of 16."
    assert window.statusBar().currentMessage() == sentence
    assert window.session.trajectory.report()["plan"] == [sentence]


def test_the_help_lists_every_shortcut_of_the_menu(window):
    written = QKeySequence.SequenceFormat.NativeText
    keys = [key for action in window.findChildren(QAction) if (key := action.shortcut().toString(written))]
    assert {"Ctrl+Return", "Esc", "H", "Ctrl+Backspace", "Ctrl+R"} <= set(keys) and len(set(keys)) == len(keys)
    window.actions_.shortcuts.trigger()
    text = dialog_text(window)
    assert [key for key in keys if f"<b>{key}</b>" not in text] == []

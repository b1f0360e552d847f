"""An error is one sentence in a dialog; what was open stays, and the window keeps working."""

import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtWidgets import QMessageBox
from safetensors.torch import save
from window_person import dialog_text, run_to_the_end, slider

from nerd_gui.nerd import NERD


def test_a_failing_save_says_so_and_leaves_nothing(qtbot, window, tmp_path):
    run_to_the_end(qtbot, window)
    with Person(saves(str(tmp_path / "x.odt"))):
        window.actions_.export.trigger()
    assert ".odt" in dialog_text(window) and not list(tmp_path.glob("*.odt"))


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
    bad.write_bytes(save({}, {"format": "nerd-gui/1", "config": "[" * 100_000, "record": "{}"}))
    with qtbot.waitSignal(window.opener.failed):
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

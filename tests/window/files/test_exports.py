"""Saving what a run found, comparing iterates and runs, and dropping files, in the main window."""

import csv
import json

import numpy as np
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox

from nerd_gui.imaging import add_noise, open_sample, sample_names, to_8_bit
from nerd_gui.window import MainWindow
from nerd_gui.window.picture.layers import Compare, Layer


@pytest.fixture
def window(qtbot, tmp_path, tiny_model_path):
    path = tmp_path / "photo.png"
    pixels = add_noise(open_sample(sample_names()[0]).crop(60, 60, 40, 36).pixels, 25, 0)
    Image.fromarray(to_8_bit(pixels)[0]).save(path)
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(path, model=str(tiny_model_path), settings=settings)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.controls.settings_button.max_iter.setValue(4)
    run(qtbot, window)
    yield window
    window.session.controller.wait()


def run(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()


def export(action, path):
    """Save with the dialog that the action opens."""
    with Person(saves(str(path))):
        action.trigger()


def test_all_iterates_are_saved_numbered(qtbot, window, tmp_path, monkeypatch):
    folder = tmp_path / "all"
    folder.mkdir()
    monkeypatch.setattr("nerd_gui.window.files.export_dialogs.QFileDialog.getExistingDirectory", lambda *_: str(folder))
    window.actions_.export_all.trigger()
    qtbot.waitUntil(lambda: not window.saver.busy)
    trajectory = window.session.trajectory
    assert sorted(path.name for path in folder.iterdir()) == [f"photo_iterate_{i:02d}.png" for i in range(5)]
    for i in range(5):
        saved = np.asarray(Image.open(folder / f"photo_iterate_{i:02d}.png"))
        assert np.array_equal(saved, to_8_bit(trajectory.picture(i))[0])


def test_the_noise_estimate_is_saved_around_mid_grey(window, tmp_path):
    window.session.go(3)
    export(window.actions_.export_noise, tmp_path / "noise.png")
    expected = to_8_bit(0.5 + window.session.trajectory[3].n_hat.astype(np.float32))[0]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "noise.png")), expected)


def test_the_report_and_the_curves_agree_with_the_run(window, tmp_path):
    trajectory = window.session.trajectory
    export(window.actions_.export_report, tmp_path / "run.json")
    report = json.loads((tmp_path / "run.json").read_text())
    assert report["result"] == trajectory.result and len(report["iterations"]) == 5
    assert report["peak_memory_mb"] > 0
    export(window.actions_.export_curves, tmp_path / "curves.csv")
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert [float(row["residual"]) for row in rows] == pytest.approx(trajectory.curve("residual"))


def test_saving_at_less_depth_says_what_is_lost(qtbot, window, open_file, tmp_path):
    deep = tmp_path / "deep.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 65535, (30, 30), dtype=np.uint16)).save(deep)
    open_file(window, deep)
    run(qtbot, window)
    export(window.actions_.export, tmp_path / "out.jpg")
    (box,) = window.findChildren(QMessageBox)
    assert "16" in box.text() and box.text().endswith(".") and ".." not in box.text()
    assert (tmp_path / "out.jpg").is_file()
    box.close()


def test_a_held_iterate_stays_while_others_are_shown(qtbot, window):
    trajectory, view = window.session.trajectory, window.picture_view
    window.session.go(1)
    qtbot.keyClick(window, Qt.Key.Key_H)
    window.session.go(4)
    view.set_compare(Compare.SIDE_BY_SIDE, Layer.COMPARED, Layer.ITERATE)
    left, right = view.current()
    assert np.array_equal(left.squeeze(), to_8_bit(trajectory.picture(1))[0])
    assert np.array_equal(right.squeeze(), to_8_bit(trajectory.picture(4))[0])


def test_dropping_a_file_opens_it(qtbot, window, tmp_path):
    other = tmp_path / "other.png"
    Image.new("L", (30, 20), 90).save(other)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(other))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "other")

"""A simulated user of the real save dialogs: files are replaced only if their names were confirmed."""

import numpy as np
import pytest
from dialog_person import NO, YES, Person, answers, enter, proposed, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox

from nerd_gui.imaging import add_noise, open_sample, sample_names, to_8_bit
from nerd_gui.window.files import export_dialogs
from nerd_gui.window.files.export import save_all_iterates
from nerd_gui.window.files.save_dialog import ask_target

EXPORTS = {
    "exportAction": ".png",
    "exportNoiseAction": ".png",
    "exportCurvesAction": ".csv",
    "exportReportAction": ".json",
}


@pytest.fixture(autouse=True)
def qt_s_own_dialogs(qapp):
    before = QApplication.testAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, before)


@pytest.fixture
def photo_path(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = add_noise(open_sample(sample_names()[0]).crop(60, 60, 24, 20).pixels, 25, 0)
    Image.fromarray(to_8_bit(pixels)[0]).save(folder / "photo.png")
    return folder / "photo.png"


@pytest.fixture
def window(qtbot, make_window, photo_path):
    window = make_window(photo_path)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.controls.settings_button.max_iter.setValue(3)
    run(qtbot, window)
    return window


def run(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()


def export(window, name, *steps):
    with Person(*steps) as person:
        next(action for action in window.actions_.exports if action.objectName() == name).trigger()
    return person.saw


def test_a_name_without_suffix_is_completed_before_the_question(window, photo_path):
    before = photo_path.read_bytes()
    for click in (True, False):
        saw = export(window, "exportAction", saves("photo", click=click), answers(NO), saves(leave=True))
        assert "photo.png" in saw[1] and photo_path.read_bytes() == before
        assert [path.name for path in photo_path.parent.iterdir()] == ["photo.png"]


def test_the_original_is_replaced_after_a_second_yes(window, photo_path):
    before = photo_path.read_bytes()
    saw = export(window, "exportAction", saves("photo"), answers(YES), answers(NO), saves(leave=True))
    assert "original" in saw[2] and photo_path.read_bytes() == before
    export(window, "exportAction", saves("photo"), answers(YES), answers(YES))
    assert np.array_equal(np.asarray(Image.open(photo_path)), shown(window))


def shown(window):
    return to_8_bit(window.session.trajectory.picture(window.session.index))[0]


def test_another_way_to_the_original_is_the_original(window, photo_path):
    link = photo_path.with_name("link.png")
    link.hardlink_to(photo_path)
    saw = export(window, "exportAction", saves("link"), answers(YES), answers(NO), saves(leave=True))
    assert "original" in saw[2]


def test_every_export_asks_about_the_completed_name(window, photo_path):
    for name, suffix in EXPORTS.items():
        there = photo_path.with_name(f"mine{suffix}")
        there.write_text("mine")
        saw = export(window, name, saves("mine"), answers(NO), saves(f"yours {name}"))
        assert there.name in saw[1] and there.read_text() == "mine"
        assert photo_path.with_name(f"yours {name}{suffix}").is_file()
        export(window, name, saves("mine"), answers(YES))
        assert there.read_bytes() != b"mine"


def test_a_file_that_appears_after_the_dialog_is_not_replaced(window, photo_path, monkeypatch):
    for name, suffix in EXPORTS.items():
        late = photo_path.with_name(f"late{suffix}")

        def ask_and_be_slow(*arguments, late=late):
            target = ask_target(*arguments)
            late.write_text("somebody's")
            return target

        monkeypatch.setattr(export_dialogs, "ask_target", ask_and_be_slow)
        export(window, name, saves("late"))
        (box,) = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
        assert "late" in box.text() and "exist" in box.text().lower()
        box.close()
        assert late.read_text() == "somebody's" and sorted(late.parent.iterdir()) == [late, photo_path]
        late.unlink()


def test_the_suffix_follows_the_chosen_kind(window, photo_path):
    for kind, typed, saved in (("TIFF", "x", "x.tif"), ("WebP", "x", "x.webp"), ("TIFF", "x.jpg", "x.jpg")):
        export(window, "exportAction", saves(typed, kind=kind))
        assert photo_path.with_name(saved).is_file()


def test_the_proposed_name_is_free_and_of_the_photo_s_kind(window, photo_path):
    seen = []
    export(window, "exportAction", saves())
    export(window, "exportAction", proposed(seen))
    export(window, "exportReportAction", proposed(seen))
    assert seen == [("photo_denoised-2.png", "PNG (*.png)"), ("photo_report.json", "JSON (*.json)")]


def test_the_iterate_shown_when_the_dialog_opened_is_saved(window, photo_path):
    window.session.go(1)
    expected = shown(window)

    def go_on_and_save(dialog):
        window.session.go(3)  # as by a run in progress
        saves("first")[1](dialog)

    export(window, "exportAction", (QFileDialog, go_on_and_save))
    assert not np.array_equal(expected, shown(window))
    assert np.array_equal(np.asarray(Image.open(photo_path.with_name("first.png"))), expected)


def test_leaving_saves_nothing(window, photo_path):
    for name in EXPORTS:
        export(window, name, saves("x", leave=True))
    assert list(photo_path.parent.iterdir()) == [photo_path]


def test_all_iterates_avoid_the_files_that_are_there(window, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "photo_iterate_02.png").write_text("mine")

    def choose(dialog):
        enter(dialog.findChild(QLineEdit, "fileNameEdit"), str(folder))
        button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    export(window, "exportAllAction", (QFileDialog, choose))
    expected = ["photo_iterate_02.png"] + [f"photo_iterate-2_{index:02d}.png" for index in range(4)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(expected)
    assert (folder / "photo_iterate_02.png").read_text() == "mine"
    assert str(folder) in window.statusBar().currentMessage()


def test_a_region_is_called_a_region(qtbot, window, open_file, tmp_path):
    large, exif = tmp_path / "large.jpg", Image.Exif()
    exif[0x010F], exif[0x8769] = "Canon", {0xA002: 1200, 0xA003: 1100}
    pixels = np.random.default_rng(0).integers(0, 255, (1100, 1200), dtype=np.uint8)
    Image.fromarray(pixels).save(large, exif=exif, icc_profile=b"profile")
    window.session.workspace.region_side = 32
    open_file(window, large)
    window.session.workspace.set_region((300, 500, 32, 32))
    run(qtbot, window)
    seen = []
    saw = export(window, "exportAction", proposed(seen))
    saw += export(window, "exportNoiseAction", proposed(seen))
    saw += export(window, "exportReportAction", proposed(seen))
    assert [name for name, _ in seen] == [
        "large_region_500_300_32x32.jpg",
        "large_region_500_300_32x32_noise.png",
        "large_region_500_300_32x32_report.json",
    ]
    assert saw == ["Save region 32 × 32", "Save noise estimate of region 32 × 32", "Save report of region 32 × 32"]
    export(window, "exportAction", saves())
    path = tmp_path / "large_region_500_300_32x32.jpg"
    sentence = window.statusBar().currentMessage()
    assert "region of 32 × 32 pixels at column 500, row 300" in sentence and str(path) in sentence
    saved = Image.open(path)
    details = saved.getexif().get_ifd(0x8769)
    assert saved.size == (32, 32) == (details[0xA002], details[0xA003])
    assert saved.getexif()[0x010F] == "Canon" and saved.info["icc_profile"] == b"profile"
    assert "region" in saved.info["comment"].decode()
    assert not list(tmp_path.glob("*denoised*"))


def test_all_iterates_of_a_region_are_called_so(qtbot, window, photo_path, tmp_path):
    window.session.workspace.set_region((2, 3, 16, 12))
    run(qtbot, window)
    paths = save_all_iterates(window.session.trajectory, tmp_path, ".png")
    assert [path.name for path in paths] == [f"photo_region_3_2_12x16_iterate_{index:02d}.png" for index in range(4)]

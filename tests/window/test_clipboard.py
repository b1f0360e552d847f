"""Copy and paste by keys and menus: what is copied, and what pasting does."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from nerd_gui.window.picture.layers import Compare, Layer

CTRL, LEFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton
Key = Qt.Key


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    window = make_window(path)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    window.controls.settings_button.max_iter.setValue(3)
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    QApplication.clipboard().clear()
    return window


def press(key, modifiers=CTRL):
    QTest.keyClick(QApplication.focusWidget(), key, modifiers)


def copied():
    """Return the picture in the clipboard, (rows, cols, 3)."""
    image = QApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_the_right_picture_is_copied_at_its_full_size(window):
    view = window.picture_view
    view.setFocus()
    view.set_compare(Compare.WIPE, Layer.NOISY, Layer.ITERATE)
    press(Key.Key_C)
    assert np.array_equal(copied()[..., 0], view.shown_picture()) and copied().shape == (40, 36, 3)
    assert "36 × 40 pixels" in window.statusBar().currentMessage()


def test_only_what_is_in_view_is_copied(window):
    view = window.picture_view
    view.set_zoom(32)
    row, col, rows, cols = view.part_in_view()
    assert rows < 40 and cols < 36
    window.clipboard.copy_picture.trigger()
    assert np.array_equal(copied()[..., 0], view.shown_picture()[row : row + rows, col : col + cols])


def test_the_curves_are_copied_as_a_table(qtbot, window):
    qtbot.mouseClick(window.curves.residual_plot.viewport(), LEFT, pos=window.curves.residual_plot.position_of(1))
    press(Key.Key_C)
    head, *lines = (line.split("\t") for line in QApplication.clipboard().text().splitlines())
    iterates = window.session.trajectory.iterates
    assert head[:3] == ["run", "index", "residual"] and len(lines) == len(iterates)
    for line, iterate in zip(lines, iterates, strict=True):
        assert line[0] == "Run 1" and float(line[2]) == pytest.approx(iterate.residual)
        assert line[head.index("psnr")] == "", "no clean picture is known"


def test_the_number_of_a_read_out_is_copied(qtbot, window):
    window.session.pins.put(20, 18)
    label = window.findChild(QLabel, "attentionReadout2")
    qtbot.mouseClick(label, LEFT)
    press(Key.Key_C)
    assert QApplication.clipboard().text() == label.text() and "bit" in label.text()


def test_the_maps_are_copied_as_a_picture(qtbot, window):
    window.session.pins.put(20, 18)
    window.findChild(QWidget, "attentionHead1").setFocus()
    press(Key.Key_C)
    qtbot.waitUntil(lambda: not QApplication.clipboard().image().isNull())
    assert copied().shape[0] > 300
    assert (copied() == (255, 255, 255)).all(axis=2).mean() > 0.2, "on white paper"


def test_what_is_missing_is_said(make_window, window):
    window.session.show_run(None)
    window.clipboard.copy_maps.trigger()
    assert "no maps to copy" in window.statusBar().currentMessage()
    QApplication.clipboard().setText("words")
    press(Key.Key_V)
    assert "The clipboard holds no picture" in window.statusBar().currentMessage()


@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_is_pasted_as_a_noisy_photo(qtbot, window, deep):
    pixels = np.random.default_rng(1).integers(0, 256, (30, 25, 3), dtype=np.uint8)
    image = QImage(np.ascontiguousarray(pixels).data, 25, 30, 75, QImage.Format.Format_RGB888).copy()
    if deep:
        image = image.convertToFormat(QImage.Format.Format_RGBX64)
    QApplication.clipboard().setImage(image)
    window.picture_view.setFocus()
    press(Key.Key_V)
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "pasted picture")
    photo = window.session.workspace.photo
    assert np.allclose(photo.pixels, np.moveaxis(pixels, -1, 0) / 255, atol=1e-6)
    assert photo.path is None and len(photo.sha256) == 64 and photo.alpha is None
    assert not window.noise.adds_noise and "pasted picture" in window.windowTitle()
    assert photo.bit_depth == (16 if deep else 8)


def test_a_grey_picture_with_transparency_is_pasted(qtbot, window):
    image = QImage(20, 20, QImage.Format.Format_ARGB32)
    image.fill(0x80404040)
    QApplication.clipboard().setImage(image)
    window.clipboard.paste.trigger()
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "pasted picture")
    photo = window.session.workspace.photo
    assert photo.channels == 1 and photo.alpha[3, 4] == pytest.approx(0x80 / 255)
    assert photo.pixels[0, 5, 6] == pytest.approx(0x40 / 255, abs=1 / 255)


def test_files_are_pasted(qtbot, window, tmp_path):
    path = tmp_path / "other.png"
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    QApplication.clipboard().setMimeData(data)
    press(Key.Key_V)
    qtbot.waitUntil(lambda: window.session.workspace.photo.name == "other")


def test_menus_come_up_over_picture_curves_and_maps(window):
    for widget, names in (
        (window.picture_view.viewport(), {"copyPictureAction", "pasteAction", "exportAction", "removePinAction"}),
        (window.curves, {"copyCurvesAction", "exportCurvesContextAction"}),
        (window.attention_panel, {"copyMapsAction", "saveMapsAction", "clearPinsAction"}),
    ):
        seen = []

        def look(seen=seen):
            menu = QApplication.activePopupWidget()
            seen += [action.objectName() for action in menu.actions()]
            menu.close()

        QTimer.singleShot(0, look)
        under = QApplication.widgetAt(widget.mapToGlobal(widget.rect().center()))  # such as a plot of the curves
        place = under.rect().center()
        reason = QContextMenuEvent.Reason.Mouse
        QApplication.sendEvent(under, QContextMenuEvent(reason, place, under.mapToGlobal(place)))
        assert names <= set(seen)

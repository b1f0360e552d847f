"""Light and dark, as chosen in the menu, whatever the system's own setting."""

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QApplication, QToolButton
from window_person import choose_scheme

from nerd_gui.window.style.scheme import set_colour_scheme
from nerd_gui.window.style.tokens import DARK, LIGHT

pytestmark = pytest.mark.usefixtures("_system_colours")


def lightness(window, role=QPalette.ColorRole.Window):
    return window.palette().color(role).lightness()


def test_the_menu_turns_the_window_dark_and_light(qtbot, window):
    before = lightness(window)
    choose_scheme(qtbot, window, "dark")
    assert lightness(window) < 60
    assert lightness(window, QPalette.ColorRole.WindowText) > 200
    picture = window.grab().toImage()
    assert picture.pixelColor(3, picture.height() - 3).lightness() < 60  # an empty corner of the window
    choose_scheme(qtbot, window, "light")
    assert lightness(window) > 200
    assert lightness(window, QPalette.ColorRole.WindowText) < 60
    choose_scheme(qtbot, window, "system")
    assert lightness(window) == before


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Dark, Qt.ColorScheme.Light])
def test_text_can_be_read(scheme):
    """Its contrast is at least 4.5 to 1, as required by WCAG 2.2 (1.4.3)."""
    set_colour_scheme(scheme)
    palette, role = QApplication.palette(), QPalette.ColorRole

    def luminance(colour):
        values = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
        return 0.2126 * values[0] + 0.7152 * values[1] + 0.0722 * values[2]

    def contrast(one, other):
        light, dark = sorted(
            (luminance(palette.color(one).getRgbF()[:3]), luminance(palette.color(other).getRgbF()[:3]))
        )[::-1]
        return (light + 0.05) / (dark + 0.05)

    for text, ground in ((role.WindowText, role.Window), (role.Text, role.Base), (role.ButtonText, role.Button)):
        assert contrast(text, ground) > 7
    assert contrast(role.PlaceholderText, role.Base) > 4.5


def test_the_choice_is_remembered(qtbot, make_window, photo_path):
    first = make_window(photo_path)
    choose_scheme(qtbot, first, "dark")
    first.close()
    set_colour_scheme(Qt.ColorScheme.Unknown)
    second = make_window(photo_path)
    assert lightness(second) < 60 and second.findChild(QAction, "darkAppearanceAction").isChecked()


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, widget, event):
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_the_window_is_painted_though_a_part_of_it_was_to_be_painted_before(qtbot, window):
    choose_scheme(qtbot, window, "light")
    paints = Paints(window.statusBar())
    window.menuBar().update()  # as when the menu closes in which the scheme was chosen
    choose_scheme(qtbot, window, "dark")
    qtbot.waitUntil(lambda: paints.count > 0)


@pytest.mark.parametrize(("name", "colours"), [("dark", DARK), ("light", LIGHT)])
def test_a_scheme_takes_hold_of_everything_at_once(qtbot, window, name, colours):
    window.messages.keep("left", "A sentence.")
    choose_scheme(qtbot, window, name)
    window.findChild(QAction, f"{'light' if name == 'dark' else 'dark'}AppearanceAction").trigger()
    QApplication.processEvents()
    assert not window.updatesEnabled()  # changed but hidden; then there is another change
    choose_scheme(qtbot, window, name)
    QApplication.processEvents()

    picture = window.grab().toImage()

    def at(widget, x, y):
        return picture.pixelColor(widget.mapTo(window, QPoint(x, y))).name()

    denoise, canvas = window.findChild(QToolButton, "denoiseButton"), window.picture_view.viewport()
    assert at(denoise, 4, denoise.height() // 2) == colours.filled  # the only filled button
    assert at(window.findChild(QToolButton, "exploreButton"), 4, 14) == colours.panel
    assert at(canvas, 2, canvas.height() // 2) == colours.picture
    for plot in (window.curves.residual_plot, window.curves.noise_level_plot):
        assert plot.theme.background.name() == colours.panel  # no boxes on the panel
    cross = window.notice_bar.findChild(QToolButton, "leftNoticeClose").icon().pixmap(48, 48).toImage()
    inks = {cross.pixelColor(x, x).name() for x in range(48) if cross.pixelColor(x, x).alpha() == 255}
    assert inks == {colours.text}

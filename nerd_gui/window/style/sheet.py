"""The style sheet, for what a palette cannot express. Its colours are the palette's, so both schemes have the same."""

import re
from string import Template

from PySide6.QtGui import QPalette

from nerd_gui.places import data_folder
from nerd_gui.window.style.tokens import CONTROL_HEIGHT, FILLED_HOVER, HANDLE, MEDIUM, RADIUS, SMALL, TIGHT, WARNING

_Role = QPalette.ColorRole

#: The palette's role for each colour of a scheme that the style sheet uses.
ROLES = {
    "window": _Role.Window,
    "panel": _Role.Base,
    "raised": _Role.Button,
    "hover": _Role.Midlight,
    "picked": _Role.Light,
    "line": _Role.Mid,
    "frame": _Role.Dark,
    "text": _Role.WindowText,
    "second": _Role.PlaceholderText,
    "accent": _Role.Accent,
    "filled": _Role.Highlight,
    "on_filled": _Role.HighlightedText,
}

_SHEET = Template("""
QToolTip { background: $raised; color: $text; border: 1px solid $frame; padding: 4px 6px; }
QToolBar { background: $panel; border: 0; border-bottom: 1px solid $line; padding: ${small}px; }
#moreTools { background: $panel; border: 1px solid $frame; }
#side { background: $panel; border-left: 1px solid $line; }
QMenuBar { background: $panel; }
QStatusBar { background: $panel; border-top: 1px solid $line; }
QStatusBar::item { border: 0; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $accent; }
#rightSplitter::handle { border-top: 1px solid $line; margin: 3px ${medium}px; }

QToolButton, QPushButton { border-radius: ${radius}px; padding: 0 ${tight}px;
    min-height: ${inner}px; max-height: ${inner}px; }
QPushButton { padding: 0 ${small}px; }
QToolButton, QPushButton { background: $raised; border: 1px solid $frame; }
QToolButton[autoRaise="true"] { background: transparent; border-color: transparent; }
QToolButton:hover, QPushButton:hover, QToolButton[autoRaise="true"]:hover { background: $hover; }
QToolButton:pressed, QPushButton:pressed, QToolButton:checked { background: $line; }
QToolButton:focus, QPushButton:focus, QToolButton[autoRaise="true"]:focus { border-color: $accent; }
QToolButton[heading="true"], QToolButton[heading="true"]:checked { background: transparent;
    border-color: transparent; padding: 0; }
QToolButton[heading="true"]:hover { background: $hover; }
QToolButton[heading="true"]:focus { border-color: $accent; }
QFrame[card="true"] { border: 0; border-top: 1px solid $line; }
QToolButton[popupMode="1"] { padding-right: 22px; }
QToolButton[popupMode="2"] { padding-right: 18px; }
QToolButton::menu-button { border: 0; width: 18px; border-radius: ${radius}px; }
QToolButton::menu-button:hover { background: $line; }
QToolButton::menu-arrow, QToolButton::menu-indicator { image: url("$icons/down.svg"); width: 14px; height: 14px; }
QToolButton::menu-indicator { subcontrol-origin: padding; subcontrol-position: center right; right: 3px; }
QToolButton[primary="true"]:enabled, QPushButton[primary="true"]:enabled { background: $filled; color: $on_filled;
    border-color: $filled; font-weight: 600; }
QToolButton[primary="true"]:enabled:hover, QPushButton[primary="true"]:enabled:hover { background: $filled_hover; }
QToolButton[primary="true"]:focus, QPushButton[primary="true"]:focus { border: 2px solid $text; }

QWidget[switch="true"] { background: $window; border: 1px solid $frame; border-radius: ${radius}px; }
QWidget[switch="true"] > QToolButton { border: 0; border-radius: 4px; min-height: 22px; max-height: 22px;
    color: $second; padding: 0 ${small}px; }
QWidget[switch="true"] > QToolButton:checked { background: $picked; color: $text; font-weight: 600; }
QWidget[switch="true"] > QToolButton:focus { border: 1px solid $accent; }

QComboBox, QAbstractSpinBox, QLineEdit { background: $raised; border: 1px solid $frame;
    border-radius: ${radius}px; padding: 0 0 0 ${small}px;
    min-height: ${inner}px; max-height: ${inner}px;
    selection-background-color: $filled; selection-color: $on_filled; }
QComboBox:hover, QAbstractSpinBox:hover, QLineEdit:hover { border-color: $second; }
QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus { border-color: $accent; }
QAbstractSpinBox QLineEdit { border: 0; background: transparent; padding: 0; min-height: 0; }
QLineEdit { padding-right: ${small}px; }
QComboBox:disabled, QAbstractSpinBox:disabled, QLineEdit:disabled { border-color: $line; background: transparent; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url("$icons/down.svg"); width: 14px; height: 14px; }
QComboBox::down-arrow:disabled { image: none; }
QComboBox QAbstractItemView { background: $raised; color: $text; border: 1px solid $frame; outline: 0;
    selection-background-color: $filled; selection-color: $on_filled; }
QAbstractSpinBox { padding-left: ${tight}px; }
QAbstractSpinBox[buttonSymbols="2"] { padding-right: ${small}px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 18px; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $line; }
QAbstractSpinBox::up-arrow { image: url("$icons/up.svg"); width: 11px; height: 11px; }
QAbstractSpinBox::down-arrow { image: url("$icons/down.svg"); width: 11px; height: 11px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::down-arrow:disabled { image: none; }

QFrame[notice] { background: $panel; border: 1px solid $line; border-left: 4px solid $accent;
    border-radius: ${radius}px; }
QFrame[notice="warning"] { border-left-color: $warning; }
QLabel[quiet="true"] { color: $second; }

QCheckBox { spacing: 6px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $second; border-radius: 4px; background: $raised; }
QCheckBox::indicator:checked { background: $filled; border-color: $filled; image: url("$icons/check.svg"); }
QCheckBox::indicator:focus { border-color: $accent; }

QSlider:horizontal { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $line; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $line; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: $handle;
    border: 1px solid $second; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { border-color: $accent; }
QSlider::handle:horizontal:disabled { background: $line; border-color: $line; }

QProgressBar { background: $line; border: 0; border-radius: 2px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $frame; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $second; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QHeaderView::section { background: $panel; color: $second; border: 0; border-bottom: 1px solid $line;
    padding: ${tight}px ${small}px; }
""")


def sheet() -> str:
    """Return the style sheet of both schemes."""
    named = {name: f"palette({re.sub('(?<=[a-z])(?=[A-Z])', '-', role.name).lower()})" for name, role in ROLES.items()}
    return _SHEET.substitute(
        named,
        filled_hover=FILLED_HOVER,
        handle=HANDLE,
        warning=WARNING,
        icons=(data_folder("resources") / "icons" / "style").as_posix(),
        inner=CONTROL_HEIGHT - 2,
        radius=RADIUS,
        small=SMALL,
        medium=MEDIUM,
        tight=TIGHT,
    )

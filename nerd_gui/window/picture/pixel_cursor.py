"""Reaches every pixel of the picture by keyboard: arrow keys move a cursor, and keys set pins at it."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from nerd_gui.window.picture.canvas import PictureCanvas
from nerd_gui.window.session.pins import PinBoard
from nerd_gui.window.shortcuts import Shortcut

_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
_ARROWS = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
_PART = 0.1  # length of the long step, as a fraction of the visible part


class PixelCursor:
    """Moves a cursor over the canvas and pins the pixel under it; moving the mouse ends the cursor.

    The pixel under the cursor counts as hovered, so that the read-out and the maps follow it.
    """

    def __init__(self, canvas: PictureCanvas, pins: PinBoard) -> None:
        self._canvas = canvas
        self._pins = pins

    def handle_key(self, event: QKeyEvent) -> bool:
        """Act on a key of the cursor or of the pins; return whether the key was one of them."""
        if self._canvas.comparison.layers.shape is None:
            return False
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        shift, long = modifiers in (_SHIFT, _SHIFT | _CTRL), bool(modifiers & _CTRL)
        if shift and event.key() in _ARROWS:
            self._move(*_ARROWS[Qt.Key(event.key())], long=long)
        elif shift and not long and event.key() in Shortcut.PIN_BESIDE.keys:
            self._pin(beside=True)
        elif modifiers:
            return False
        elif event.key() in Shortcut.PIN.keys:
            self._pin(beside=False)
        elif event.key() in Shortcut.REMOVE_PIN.keys:
            return self._remove()
        elif event.key() in Shortcut.MOVE_PIN.keys:
            return self._move_pin()
        else:
            return False
        return True

    def _move(self, down: int, across: int, *, long: bool) -> None:
        canvas, (rows, cols) = self._canvas, self._canvas.comparison.layers.shape or (1, 1)
        if canvas.pointed is None:
            canvas.show_cursor(*self._start())
            return
        seen = canvas.comparison.part_in_view() or (0, 0, rows, cols)
        row, col = canvas.shown(*canvas.pointed)
        row += down * (ceil(_PART * seen[2]) if long else 1)
        col += across * (ceil(_PART * seen[3]) if long else 1)
        canvas.show_cursor(*canvas.in_photo(min(max(row, 0), rows - 1), min(max(col, 0), cols - 1)))

    def _start(self) -> tuple[int, int]:
        """Return the pixel of the selected pin, or the middle of the visible part."""
        canvas, pin = self._canvas, self._pins.selected
        rows, cols = canvas.comparison.layers.shape or (1, 1)
        if pin is not None:
            row, col = canvas.shown(*pin.pixel)
            if 0 <= row < rows and 0 <= col < cols:
                return pin.pixel
        top, left, height, width = canvas.comparison.part_in_view() or (0, 0, rows, cols)
        return canvas.in_photo(top + height // 2, left + width // 2)

    def _pin(self, *, beside: bool) -> None:
        canvas = self._canvas
        if canvas.candidate() is not None:
            canvas.take_candidate()
        elif canvas.pointed is None:
            canvas.show_cursor(*self._start())
        elif (there := self._pins.at(*canvas.pointed)) is not None:
            self._pins.select(there)
        else:
            self._pins.put(*canvas.pointed, beside=beside)

    def _remove(self) -> bool:
        if self._pins.selected is None:
            return False
        self._pins.remove(self._pins.selected)
        return True

    def _move_pin(self) -> bool:
        if self._pins.selected is None or self._canvas.pointed is None:
            return False
        self._pins.move(self._pins.selected, *self._canvas.pointed)
        return True

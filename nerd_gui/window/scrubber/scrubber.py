"""The scrubber: it holds the current iterate that every view shows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QToolButton, QWidget

from nerd_gui.window.scrubber.slider import IterateSlider
from nerd_gui.window.scrubber.transport_icons import lamp_icon, transport_icon

PLAY_INTERVAL_MS = 250
_NONE = "–"


class Scrubber(QWidget):
    """Moves through the iterates 0 ... N of a run, live while it goes on.

    With *follow* on, the index is that of the newest iterate. A step back by hand turns it off, going to the newest by
    End or its button turns it on again. While the slider is held the index never moves by itself.

    Signals
    -------
    indexChanged(int)
        Once for each change, whoever caused it. Never emitted for “no iterate” (-1).
    followChanged(bool)
    """

    indexChanged = Signal(int)
    followChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scrubber")
        self.setAccessibleName("Iterates")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._index = -1
        self._maximum = -1
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_INTERVAL_MS)
        self._timer.timeout.connect(self._play_on)
        self._build()
        self._icons()
        self._show_state()

    # ---- construction -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._buttons = {
            name: self._button(f"{name}IterateButton", accessible, tip, do)
            for name, accessible, tip, do in (
                ("first", "First iterate", "Go to iterate 0, the start z₀ of the solver (Home)", self.go_first),
                ("previous", "Previous iterate", "One iterate back (Left)", lambda: self._step(-1)),
                ("next", "Next iterate", "One iterate on (Right)", lambda: self._step(1)),
                ("last", "Newest iterate", "Go to the newest iterate and follow the solver (End)", self.go_last),
            )
        }
        for name in ("previous", "next"):
            self._buttons[name].setAutoRepeat(True)
        self._play = self._button("playButton", "", "", self.toggle_play)
        first, previous, following, last = self._buttons.values()
        for button in (first, previous, self._play, following, last):
            row.addWidget(button)
        row.addSpacing(6)
        self._spin = QSpinBox()
        self._spin.setObjectName("iterationSpin")
        self._spin.setAccessibleName("Iteration")
        self._spin.setToolTip("Number of the iterate shown: 0 is the start z₀, 1 is f(z₀). Type one to go there")
        self._spin.setKeyboardTracking(False)
        self._spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setMinimumWidth(self._spin.fontMetrics().horizontalAdvance("0000") + 16)
        self._spin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._spin.valueChanged.connect(self._go)
        # A number half typed would be overwritten by the next iterate.
        self._spin.lineEdit().textEdited.connect(lambda _: self._take_over())
        row.addWidget(self._spin)
        self._total = QLabel()
        self._total.setObjectName("iterationTotal")
        self._total.setToolTip("Number of the newest iterate that has arrived")
        row.addWidget(self._total)
        row.addSpacing(6)
        self._slider = IterateSlider()
        self._slider.setObjectName("iterationSlider")
        self._slider.setAccessibleName("Iterate shown")
        self._slider.setToolTip("Every iterate of the solver, 0 to the newest. ▲ marks the result, ○ a restarted step")
        self._slider.setMinimumWidth(70)
        self._slider.installEventFilter(self)
        self._slider.valueChanged.connect(self._go)
        self._slider.sliderPressed.connect(self._stop_playing)
        self._slider.sliderReleased.connect(self._catch_up)
        row.addWidget(self._slider, 1)
        row.addSpacing(6)
        self._follow = QToolButton()
        self._follow.setObjectName("followButton")
        self._follow.setAccessibleName("Follow the newest iterate")
        self._follow.setText("Follow")
        self._follow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._follow.setToolTip("Always show the newest iterate while the solver seeks the equilibrium")
        self._follow.setCheckable(True)
        self._follow.setChecked(True)
        self._follow.toggled.connect(self._on_follow)
        row.addWidget(self._follow)

    def _button(self, name: str, accessible: str, tip: str, do: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setAccessibleName(accessible)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.clicked.connect(lambda _=False: do())
        return button

    def _icons(self) -> None:
        colour = self.palette().buttonText().color()
        for name, button in self._buttons.items():
            button.setIcon(transport_icon(name, colour))
        self._follow.setIcon(lamp_icon(colour, self.palette().highlight().color()))
        self._show_play()

    # ---- what others see ----------------------------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The current iterate, -1 while there is none."""
        return self._index

    @index.setter
    def index(self, index: int) -> None:
        self.set_index(index)

    def set_index(self, index: int) -> None:
        """Go to an iterate (the nearest there is), as if the person did: an older one than the newest ends *follow*."""
        self._go(index)

    @property
    def maximum(self) -> int:
        """The newest iterate that has arrived, -1 while there is none."""
        return self._maximum

    def set_maximum(self, maximum: int) -> None:
        """Say which iterate is the newest; -1 takes them all away."""
        if maximum < 0:
            self.reset()
            return
        self._maximum = maximum
        self._show_state()
        held = self._slider.isSliderDown()
        self._move(maximum if self._index < 0 or (self.follow and not held) else self._index)

    def reset(self) -> None:
        """Back to no iterates; the next run is followed."""
        self._stop_playing()
        self._index = self._maximum = -1
        self._slider.setSliderDown(False)
        self.set_marks(None, [])
        self._follow.setChecked(True)
        self._show_state()

    def set_marks(self, result: int | None, restarted: list[int]) -> None:
        """Mark the result, and the iterates where the safeguard dropped the step, under the slider's groove."""
        self._slider.set_marks(result, restarted)

    @property
    def follow(self) -> bool:
        """Whether the index is latched to the newest iterate."""
        return self._follow.isChecked()

    @property
    def playing(self) -> bool:
        """Whether the iterates are being played."""
        return self._timer.isActive()

    def go_first(self) -> None:
        """Go to the start."""
        self._go(0)

    def go_last(self) -> None:
        """Go to the newest iterate and stay with the solver."""
        self._go(self._maximum)
        self._follow.setChecked(True)

    def toggle_play(self) -> None:
        """Play the iterates from here to the newest, from the start when there already; or pause."""
        if self.playing or self._maximum < 1:
            self._stop_playing()
            return
        if self._index == self._maximum:
            self._go(0)
        self._follow.setChecked(False)
        self._timer.start()
        self._show_play()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Act on Left, Right, Home, End and Space; return whether the key was one of them and there are iterates."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        do = {
            Qt.Key.Key_Left: lambda: self._step(-1),
            Qt.Key.Key_Right: lambda: self._step(1),
            Qt.Key.Key_Home: self.go_first,
            Qt.Key.Key_End: self.go_last,
            Qt.Key.Key_Space: self.toggle_play,
        }.get(Qt.Key(event.key()))
        if do is None or not plain or self._maximum < 0:
            return False
        if not (event.isAutoRepeat() and event.key() == Qt.Key.Key_Space):
            do()
        return True

    # ---- moving -------------------------------------------------------------------------------------------------

    def _move(self, index: int) -> None:
        """The one place where the index changes."""
        index = min(max(index, 0), self._maximum)
        changed = index != self._index
        self._index = index
        self._show_index()
        if changed:
            self.indexChanged.emit(index)

    def _go(self, index: int) -> None:
        """Go to an iterate by hand."""
        if self._maximum < 0:
            return
        if min(index, self._maximum) < self._maximum:
            self._take_over()
        self._stop_playing()
        self._move(index)

    def _step(self, by: int) -> None:
        self._go(self._index + by)

    def _take_over(self) -> None:
        self._stop_playing()
        self._follow.setChecked(False)

    def _catch_up(self) -> None:
        if self.follow and self._maximum >= 0 and not self._slider.isSliderDown():
            self._move(self._maximum)

    def _on_follow(self, on: bool) -> None:
        if on:
            self._stop_playing()
        self.followChanged.emit(on)
        self._catch_up()
        self._show_index()

    def _play_on(self) -> None:
        if self._index < self._maximum:
            self._move(self._index + 1)
        if self._index >= self._maximum:
            self._stop_playing()

    def _stop_playing(self) -> None:
        if self.playing:
            self._timer.stop()
            self._show_play()

    # ---- showing ------------------------------------------------------------------------------------------------

    def _show_state(self) -> None:
        """Range, enabled or not, and the total."""
        some = self._maximum >= 0
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            self._slider.setRange(0, max(self._maximum, 0))
            if some == bool(self._spin.specialValueText()):  # setting it anew would undo a number half typed
                self._spin.setSpecialValueText("" if some else _NONE)
            self._spin.setRange(0 if some else -1, self._maximum)
        for widget in (self._slider, self._spin, self._follow, self._total):
            widget.setEnabled(some)
        self._total.setText(f"of {self._maximum if some else _NONE}")
        self._show_index()

    def _show_index(self) -> None:
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            if self._slider.value() != self._index:
                self._slider.setValue(max(self._index, 0))
            if self._spin.value() != self._index:
                self._spin.setValue(self._index)
        for name, enabled in (
            ("first", self._index > 0),
            ("previous", self._index > 0),
            ("next", self._index < self._maximum),
            ("last", self._index < self._maximum or (self._maximum >= 0 and not self.follow)),
        ):
            self._buttons[name].setEnabled(enabled)
        self._play.setEnabled(self._maximum > 0)

    def _show_play(self) -> None:
        verb = "Pause" if self.playing else "Play"
        self._play.setAccessibleName(f"{verb} the iterates")
        self._play.setToolTip(f"{verb} the solver's way to the equilibrium, 4 iterates a second (Space)")
        self._play.setIcon(transport_icon(verb.lower(), self.palette().buttonText().color()))

    # ---- events -------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the scrubber's keys."""
        if not self.handle_key(event):
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the slider's keys the meaning they have everywhere: End follows, Space plays."""
        if watched is self._slider and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self.handle_key(event)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._icons()

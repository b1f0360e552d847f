"""The scrubber: it moves the current iterate, which every view shows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QToolButton, QWidget

from nerd_gui.window.scrubber.play_rate import PlayRate
from nerd_gui.window.scrubber.slider import IterateSlider
from nerd_gui.window.scrubber.transport_icons import lamp_icon, transport_icon
from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut, by_key

_NONE = "–"


class Scrubber(QWidget):
    """Moves through the iterates 0 ... N of a run, also while the run continues.

    With *follow* on, the newest iterate is shown. A step back by hand turns *follow* off; going to the newest iterate
    by End or its button turns it on again. While a person holds the slider, the iterate never moves by itself.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scrubber")
        self.setAccessibleName("Iterates")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._session = session
        self._plays = False  # whether the player is changing the index
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._play_on)
        self._build()
        self._icons()
        self._show_state()
        session.trajectoryChanged.connect(self._on_trajectory)
        session.iterateAdded.connect(self._show_state)
        session.progressed.connect(self._show_state)
        session.indexChanged.connect(self._on_index)
        session.followChanged.connect(self._on_follow)

    # ---- construction -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._buttons = {
            name: self._button(f"{name}IterateButton", accessible, f"{tip} ({shortcut.text})", do)
            for name, accessible, tip, shortcut, do in (
                (
                    "first",
                    "First iterate",
                    "Go to iterate 0, the start z₀: y + f_decode(z₀), which removes nothing yet if z₀ = 0",
                    Shortcut.FIRST,
                    self._go_to_first,
                ),
                ("previous", "Previous iterate", "Go one iterate back", Shortcut.PREVIOUS, self._go_back),
                ("next", "Next iterate", "Go one iterate forward", Shortcut.NEXT, self._go_on),
                (
                    "last",
                    "Newest iterate",
                    "Go to the newest iterate and follow the solver",
                    Shortcut.NEWEST,
                    self._go_to_newest,
                ),
            )
        }
        for name in ("previous", "next"):
            self._buttons[name].setAutoRepeat(True)
        self._play = self._button("playButton", "", "", self.toggle_play)
        first, previous, following, last = self._buttons.values()
        self._rate = PlayRate()
        self._rate.rateChanged.connect(self._take_rate)
        for button in (first, previous, self._play, following, last, self._rate):
            row.addWidget(button)
        row.addSpacing(6)
        self._spin = QSpinBox()
        self._spin.setObjectName("iterationSpin")
        self._spin.setAccessibleName("Iteration")
        self._spin.setToolTip("Number of the iterate shown: 0 is the start z₀, 1 is f(z₀). Type a number to go there")
        self._spin.setKeyboardTracking(False)
        self._spin.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setMinimumWidth(self._spin.fontMetrics().horizontalAdvance("0000") + 16)
        self._spin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._spin.valueChanged.connect(self._go)
        # The next iterate would overwrite a half-typed number.
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
        self._slider.valueChanged.connect(self._go)
        self._slider.sliderPressed.connect(self._hold)
        self._slider.sliderReleased.connect(self._session.release)
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
        self._follow.toggled.connect(self._session.set_follow)
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

    # ---- playing and keys ---------------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether the iterates are being played."""
        return self._timer.isActive()

    def toggle_play(self) -> None:
        """Play the iterates from the current one to the newest, or from the start if the newest is shown; or pause.

        If they repeat, playing continues with the start after the newest iterate.
        """
        if self.playing or self._session.newest < 1:
            self._stop_playing()
            return
        if self._session.index == self._session.newest:
            self._go(0)
        self._session.set_follow(False)
        self._timer.start(1000 // self._rate.rate)
        self._show_play()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Act on the keys of the scrubber; return whether the key was one of them and there are iterates."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        deeds: dict[Shortcut, Callable[[], object]] = {
            Shortcut.PREVIOUS: self._go_back,
            Shortcut.NEXT: self._go_on,
            Shortcut.FIRST: self._go_to_first,
            Shortcut.NEWEST: self._go_to_newest,
            Shortcut.PLAY: self.toggle_play,
        }
        do = by_key(deeds).get(event.key())
        if do is None or not plain or self._session.newest < 0:
            return False
        if not (event.isAutoRepeat() and event.key() in Shortcut.PLAY.keys):
            do()
        return True

    # ---- moving -------------------------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        self._stop_playing()
        self._session.go(index)

    def _go_back(self) -> None:
        self._go(self._session.index - 1)

    def _go_on(self) -> None:
        self._go(self._session.index + 1)

    def _go_to_first(self) -> None:
        self._go(0)

    def _go_to_newest(self) -> None:
        self._stop_playing()
        self._session.go_to_newest()

    def _take_over(self) -> None:
        self._stop_playing()
        self._session.set_follow(False)

    def _hold(self) -> None:
        self._stop_playing()
        self._session.hold()

    def _play_on(self) -> None:
        self._plays = True
        over = self._session.index >= self._session.newest
        self._session.go(0 if over else self._session.index + 1)
        self._plays = False
        if self._session.index >= self._session.newest and not self._rate.loops:
            self._stop_playing()

    def _take_rate(self) -> None:
        if self.playing:
            self._timer.start(1000 // self._rate.rate)
        self._show_play()

    def _stop_playing(self) -> None:
        if self.playing:
            self._timer.stop()
            self._show_play()

    # ---- following the session ----------------------------------------------------------------------------------

    def _on_trajectory(self) -> None:
        self._stop_playing()
        with QSignalBlocker(self._slider):  # the session no longer counts the slider as held
            self._slider.setSliderDown(False)
        self._show_state()

    def _on_index(self) -> None:
        if not self._plays:  # a person has chosen another iterate
            self._stop_playing()
        self._show_index()

    def _on_follow(self, on: bool) -> None:
        if on:
            self._stop_playing()
        self._show_index()

    # ---- showing ------------------------------------------------------------------------------------------------

    def _show_state(self) -> None:
        """Update the range, the marks, the total, and which controls are enabled."""
        newest, trajectory = self._session.newest, self._session.trajectory
        some = newest >= 0
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            self._slider.setRange(0, max(newest, 0))
            if some == bool(self._spin.specialValueText()):  # setting it again would undo a half-typed number
                self._spin.setSpecialValueText("" if some else _NONE)
            self._spin.setRange(0 if some else -1, newest)
        restarted = [iterate.index for iterate in trajectory.iterates if iterate.restarted] if trajectory else []
        self._slider.set_marks(trajectory.result if trajectory else None, restarted)
        for widget in (self._slider, self._spin, self._follow, self._total):
            widget.setEnabled(some)
        self._total.setText(f"of {newest if some else _NONE}")
        self._show_index()

    def _show_index(self) -> None:
        index, newest, follow = self._session.index, self._session.newest, self._session.follow
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin), QSignalBlocker(self._follow):
            if self._slider.value() != index:
                self._slider.setValue(max(index, 0))
            if self._spin.value() != index:
                self._spin.setValue(index)
            self._follow.setChecked(follow)
        for name, enabled in (
            ("first", index > 0),
            ("previous", index > 0),
            ("next", index < newest),
            ("last", index < newest or (newest >= 0 and not follow)),
        ):
            self._buttons[name].setEnabled(enabled)
        self._play.setEnabled(newest > 0)

    def _show_play(self) -> None:
        verb = "Pause" if self.playing else "Play"
        self._play.setAccessibleName(f"{verb} the iterates")
        rate = f"{self._rate.rate} iterate{'s' if self._rate.rate > 1 else ''} a second"
        self._play.setToolTip(f"{verb} the solver's way to the equilibrium, {rate} ({Shortcut.PLAY.text})")
        self._play.setIcon(transport_icon(verb.lower(), self.palette().buttonText().color()))

    # ---- events -------------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._icons()

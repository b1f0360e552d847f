"""The attention panel: where each head looks from the pinned or hovered pixel, at the current iterate."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QToolButton, QWidget

from nerd_gui.window.attention.figure import MappedPixel, MapsFigure
from nerd_gui.window.attention.maps_panel import USUAL_HEADS, MapsPanel
from nerd_gui.window.attention.measures import LOG_FLOOR
from nerd_gui.window.attention.over_iterates import OverIterates
from nerd_gui.window.attention.pixel_maps import OUTSIDE, PixelMaps, has_features, read_maps, why_none
from nerd_gui.window.described import described
from nerd_gui.window.session.pins import Pin
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import scientific

_HOVER_MS = 30
_SEVERAL = 2  # from this number of pins on, a table shows them


class AttentionPanel(MapsPanel):
    """The maps of the session's active pixel, and of several pins side by side.

    Without a pin, or while a person previews other pixels, the maps follow the pointer with a short delay. The active
    pixel's maps are read at once; those of the other pins follow one at a time.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attentionPanel")
        self.setAccessibleName("Attention maps")
        self._session = session
        self._previewed = False
        self._found: dict[tuple[int, int], PixelMaps] = {}  # the maps that are shown
        self._waiting: list[int] = []  # numbers of the pins whose maps have not been read yet
        self._hover_timer = QTimer(self, singleShot=True, interval=_HOVER_MS)
        self._hover_timer.timeout.connect(self._refresh)
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._read_next)
        session.pins.hoveredChanged.connect(self._on_hovered)
        for changed in (session.trajectoryChanged, session.indexChanged, session.channelChanged, session.pins.changed):
            changed.connect(self._refresh)
        self.table.chosen.connect(self._on_chosen)
        self.over_iterates = OverIterates(session)
        self.over_iterates.hide()
        self.over_iterates.head.currentIndexChanged.connect(self._show_bar)
        self._column.insertWidget(self._column.indexOf(self.table), self.over_iterates, 1)
        self.over_button = described(
            QToolButton(),
            "overIteratesButton",
            "Over the iterates",
            "Entropy, radius and maps of the pin at every iterate",
        )
        self.over_button.setText("Over the iterates")
        self.over_button.setCheckable(True)
        self.over_button.toggled.connect(self._refresh)
        self._head.addWidget(self.over_button)
        for changed in (self._scale.currentIndexChanged, self._range.currentIndexChanged):
            changed.connect(self._scale_strip)

    def figure(self) -> MapsFigure | None:
        """Return the shown maps as a figure: those of all pins, or of the active pixel; None without maps."""
        session, pins = self._session, self._session.pins
        run = session.run
        wanted = [(pin.number, pin.pixel) for pin in sorted(pins.all, key=lambda pin: pin.number)]
        if not wanted and pins.active is not None:
            wanted = [(0, pins.active)]
        found = [(number, pixel, self._found.get(pixel) or self._read(run, pixel)) for number, pixel in wanted]
        pixels = tuple(MappedPixel(number, *pixel, maps) for number, pixel, maps in found if maps is not None)
        if run is None or not pixels:
            return None
        return MapsFigure(run.name, session.index, pixels, log=self.is_log, shared=self.is_shared)

    # ---- inside -------------------------------------------------------------------------------------------------

    def _on_hovered(self) -> None:
        pins = self._session.pins
        follows = pins.selected is None and pins.hovered is not None
        if (follows or pins.previews or self._previewed) and not self._hover_timer.isActive():
            self._hover_timer.start()

    def _refresh(self) -> None:
        """Show the active pixel's maps, and begin to read those of the other pins."""
        session, pins = self._session, self._session.pins
        run, pixel = session.run, pins.active
        self._previewed = pins.previews
        self._found = {}
        found = self._read(run, pixel)
        if found is None or pixel is None:
            self.clear(why_none(run, pixel))
        else:
            self.set_maps(found.maps, found.window, caption=self._caption_of(pixel))
            self.set_neighbourhood(found.rgb)
        several = len(pins.all) >= _SEVERAL and run is not None and has_features(run)
        over = self.over_button.isChecked() and pins.selected is not None and found is not None
        several = several and not over
        self._waiting = []
        if several and pins.selected is not None:
            self._fill_table(pins.selected, found)
        self.show_large(not several and not over)
        self.show_table(several)
        self.over_iterates.setVisible(over)
        self._show_bar()

    def _scale_strip(self) -> None:
        self.over_iterates.scale(log=self.is_log, shared=self.is_shared)
        self._show_bar()

    def _show_bar(self) -> None:
        """Label the colour bar; the rollout has a scale of its own."""
        if not self.over_iterates.isHidden() and self.over_iterates.followed_back:
            self._bar.set_range(f"{scientific(LOG_FLOOR)} × max", "max of each map (log)")
        else:
            self._show()

    def _fill_table(self, selected: Pin, found: PixelMaps | None) -> None:
        pins, run = self._session.pins, self._session.run
        heads = run.net.heads if run is not None and run.net is not None else USUAL_HEADS
        self.table.set_pins(pins.all, selected.number, heads)
        self._show_row(selected, found)
        self._waiting = [pin.number for pin in pins.all if pin is not selected]
        self._next.start()

    def _read_next(self) -> None:
        """Read the maps of one more pin; reading several at once would make the window stutter."""
        pin = next((pin for pin in self._session.pins.all if pin.number in self._waiting), None)
        if pin is None:
            return
        self._waiting.remove(pin.number)
        self._show_row(pin, self._read(self._session.run, pin.pixel))
        if self._waiting:
            self._next.start()
        else:
            self.scale_table()

    def _show_row(self, pin: Pin, found: PixelMaps | None) -> None:
        if found is not None:
            self.table.show_maps(pin.number, found)
            return
        why = why_none(self._session.run, pin.pixel)
        self.table.say(pin.number, why.replace("The pin", f"Pin {pin.number}") if why == OUTSIDE else why)

    def _read(self, run: Run | None, pixel: tuple[int, int] | None) -> PixelMaps | None:
        if run is None or pixel is None:
            return None
        found = read_maps(run, self._session.index, pixel, self._session.channel)
        if found is not None:
            self._found[pixel] = found
        return found

    def _caption_of(self, pixel: tuple[int, int]) -> str:
        pins, index = self._session.pins, self._session.index
        words = f"pixel row {pixel[0]}, column {pixel[1]} · iterate {index}"
        if pins.selected is None:
            return words
        return f"{words} · in place of pin {pins.selected.number}" if pins.previews else words

    def _on_chosen(self, number: int, head: int) -> None:
        pin = next((pin for pin in self._session.pins.all if pin.number == number), None)
        if pin is not None:
            self._session.pins.select(pin)
        if head >= 0:
            self.choose_head(head)

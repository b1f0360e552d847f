"""The analyses of the shown run, in cards below each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from nerd_gui.analysis.catalogue import CATALOGUE
from nerd_gui.window.analyses.card import AnalysisCard
from nerd_gui.window.analyses.figure import AnalysisFigure
from nerd_gui.window.analyses.value_picture import ValuePicture, overlay_of
from nerd_gui.window.analyses.words import duration
from nerd_gui.window.described import described
from nerd_gui.window.messages import Messages
from nerd_gui.window.screen import scrolled
from nerd_gui.window.session.analyst import FROM_FILE, NO_FEATURES, Analyst
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import SMALL, TIGHT

_TICK = 200  # milliseconds between updates of an analysis's progress
_OPACITY = 0.6


class AnalysesPanel(QWidget):
    """Asks for analyses of the shown run, and shows their answers.

    Signals
    -------
    overlayChanged
        `overlay` has changed.
    saveWanted : AnalysisFigure
    """

    overlayChanged = Signal()
    saveWanted = Signal(object)

    def __init__(self, session: Session, analyst: Analyst, messages: Messages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "analysesPanel", "Analyses of the shown run", "")
        self._session, self._analyst, self._messages = session, analyst, messages
        self._over: ValuePicture | None = None
        self._laid: tuple[NDArray[np.float32], int, int, float] | None = None
        self.cards: dict[str, AnalysisCard] = {}  # made when the panel is first shown, since many never are
        self._build()
        self._tick = QTimer(self, interval=_TICK)
        self._tick.timeout.connect(self._show_progress)
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._show_next)
        self._stale: list[str] = []
        self._awaited = ""  # the analysis whose answer a person waits for
        for changed in (session.trajectoryChanged, session.runs.changed, session.pins.changed):
            changed.connect(self._refresh_soon)
        session.controller.runningChanged.connect(self._refresh_soon)
        analyst.changed.connect(self._refresh_soon)
        analyst.soFar.connect(self._on_so_far)
        analyst.found.connect(self._on_found)
        analyst.failed.connect(self._on_failed)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        self._why = QLabel()
        self._why.setObjectName("analysesState")
        self._why.setTextFormat(Qt.TextFormat.PlainText)
        self._why.setWordWrap(True)
        self._why.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.again = described(
            QPushButton("Run again"),
            "analysesRunAgain",
            "Run again",
            "Run again with the same settings and result; this time the run keeps what analyses need",
        )
        self.again.clicked.connect(self._run_again)
        self.all_button = described(
            QPushButton("Analyse all"), "analyseAllButton", "Analyse all", "Make all analyses, one after another"
        )
        self.all_button.clicked.connect(self._ask_all)
        head = QHBoxLayout()
        head.setContentsMargins(SMALL, SMALL, SMALL, 0)
        head.setSpacing(SMALL)
        head.addWidget(self._why, 1)
        head.addWidget(self.again)
        head.addWidget(self.all_button)
        listed = QWidget()
        self._column = QVBoxLayout(listed)
        self._column.setContentsMargins(SMALL, TIGHT, SMALL, SMALL)
        self._column.setSpacing(SMALL)
        self._area = scrolled(listed)
        self._area.setObjectName("analysesArea")
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(TIGHT)
        whole.addLayout(head)
        whole.addWidget(self._area, 1)

    def _make_cards(self) -> None:
        if self.cards:
            return
        self.cards = {name: AnalysisCard(analysis) for name, analysis in CATALOGUE.items()}
        for name, card in self.cards.items():
            card.wanted.connect(lambda name=name: self.ask(name))
            card.stopWanted.connect(self._analyst.stop)
            card.saveWanted.connect(lambda name=name: self._save(name))
            card.chosen.connect(self._choose)
            card.iterateRequested.connect(self._session.go)
            self._session.indexChanged.connect(card.show_iterate)
            self._column.addWidget(card)
        self._column.addStretch(1)

    # ---- public methods -----------------------------------------------------------------------------------------

    @property
    def why_not(self) -> str:
        """A sentence that says why the shown run cannot be analysed; empty if it can."""
        return self._analyst.why_not(self._session.run)

    def ask(self, name: str) -> None:
        """Ask for an analysis of the shown run."""
        run = self._session.run
        if run is not None and not self.why_not:
            self._make_cards()
            self._analyst.ask(run, name, self._pixel(run)[0], self._session.channel)

    def overlay(self) -> tuple[NDArray[np.float32], int, int, float] | None:
        """Return the picture that lies over the photo: values in [0, 1], row and column of the first, and opacity."""
        return self._laid

    def figure(self, name: str) -> AnalysisFigure | None:
        """Return the answer of an analysis of the shown run as a figure; None without an answer."""
        card, run = self.cards[name], self._session.run
        if card.found is None or card.shown is None or run is None:
            return None
        return AnalysisFigure(run.label, card.analysis, card.found, card.shown)

    def scroll_to(self, name: str) -> None:
        """Scroll the card of an analysis to the top, or as far up as possible."""
        self._area.verticalScrollBar().setValue(self.cards[name].y() - TIGHT)

    # ---- asking -------------------------------------------------------------------------------------------------

    def _ask_all(self) -> None:
        run = self._session.run
        answered = run.trajectory.analyses if run is not None and run.trajectory is not None else {}
        for name in CATALOGUE:
            if name not in answered:
                self.ask(name)

    def _run_again(self) -> None:
        if self._session.run is not None:
            self._session.repeat(self._session.run)

    def _pixel(self, run: Run) -> tuple[tuple[int, int], str]:
        """Return the pixel to analyse, in rows and columns of the run's picture, and its name."""
        subject, pin = run.subject, self._session.pins.selected
        if pin is not None:
            row, col = pin.row - subject.corner[0], pin.col - subject.corner[1]
            if 0 <= row < subject.rows and 0 <= col < subject.cols:
                return (row, col), f"pin {pin.number}"
        return (subject.rows // 2, subject.cols // 2), "the middle pixel"

    def _on_so_far(self, run: Run, name: str, sentence: str) -> None:
        if run is self._session.run and name in self.cards:
            self.cards[name].say(sentence, run)

    def _on_found(self, run: Run, name: str) -> None:
        if run is self._session.run:
            self._refresh()
            self.cards[name].unfold()
            # While more answers are to come, do not scroll: the person may be reading one.
            self._awaited = "" if self._analyst.asked is not None else name
        self._session.runs.changed.emit()

    def _on_failed(self, run: Run, name: str, sentence: str, details: str) -> None:
        if details:
            self._messages.show_error(sentence, details)
        if run is self._session.run:
            self._refresh()
            self.cards[name].say(sentence, run)

    def _save(self, name: str) -> None:
        if (figure := self.figure(name)) is not None:
            self.saveWanted.emit(figure)

    # ---- showing ------------------------------------------------------------------------------------------------

    def _refresh_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has changed while the panel was hidden."""
        super().showEvent(event)
        self._make_cards()
        self._refresh()

    def _refresh(self) -> None:
        """Update the state of all cards; changed answers follow one after another."""
        if not self.isVisible():
            return
        run, why, busy = self._session.run, self.why_not, self._analyst.asked
        answers = run.trajectory.analyses if run is not None and run.trajectory is not None else {}
        self._stale = [
            name
            for name, card in self.cards.items()
            if card.found is not answers.get(name) or card.said_of not in (None, run)
        ]
        if self._stale:
            self._next.start()
        self._show_head(run, why)
        waiting = {each.name for each in self._analyst.waiting if each.run is run}
        of = f"of {self._pixel(run)[1]}" if run is not None and run.trajectory is not None else ""
        for name, card in self.cards.items():
            if name in self._stale:
                continue
            self._show_state(card, run, why, of)
            if busy is not None and busy.run is run and busy.name == name:
                self._show_progress()
            elif name in waiting:
                card.show_waiting()
        if busy is not None and not self._tick.isActive():
            self._tick.start()
        elif busy is None:
            self._tick.stop()

    def _show_head(self, run: Run | None, why: str) -> None:
        missing = [card.analysis for name, card in self.cards.items() if run is not None and not self._answered(name)]
        needs_again = run is not None and why in (FROM_FILE, NO_FEATURES)
        self.again.setVisible(needs_again)
        self.all_button.setVisible(not why)
        self.all_button.setEnabled(bool(missing) and self._analyst.asked is None)
        expected = (
            self._analyst.expected_seconds(run, sum(each.evaluations for each in missing)) if run is not None else None
        )
        takes = f" · all of them: about {duration(expected)}" if expected is not None and missing else ""
        self._why.setText(why or f"Analyses of {run.name if run is not None else ''}{takes}")

    def _answered(self, name: str) -> bool:
        trajectory = self._session.trajectory
        return trajectory is not None and name in trajectory.analyses

    def _show_state(self, card: AnalysisCard, run: Run | None, why: str, of: str) -> None:
        expected = self._analyst.expected_seconds(run, card.analysis.evaluations) if run is not None else None
        card.show_state(can=why, expected=expected, of=of if card.analysis.of_pixel else "")

    def _show_next(self) -> None:
        """Show one more answer; showing all at once would make the window stutter."""
        if not self._stale:
            return
        name = self._stale.pop(0)
        trajectory = self._session.trajectory
        card = self.cards[name]
        if self._over is not None and card.view is not None and self._over in card.view.pictures:
            self._lay_over(None)
        card.show_answer(trajectory.analyses.get(name) if trajectory is not None else None)
        if name == self._awaited:
            self._awaited = ""
            QTimer.singleShot(0, card, lambda: self._bring_into_view(card))
        if self._stale:
            self._next.start()
        else:
            self._refresh()

    def _bring_into_view(self, card: AnalysisCard) -> None:
        bar, height = self._area.verticalScrollBar(), self._area.viewport().height()
        top, bottom = card.y() - TIGHT, card.y() + card.height()
        if top < bar.value() or bottom > bar.value() + height:
            bar.setValue(min(top, max(bottom - height, 0)) if card.height() < height else top)

    def _show_progress(self) -> None:
        asked = self._analyst.asked
        if asked is not None and asked.run is self._session.run and self.isVisible():
            card = self.cards[asked.name]
            card.show_progress(
                self._analyst.seconds, self._analyst.expected_seconds(asked.run, card.analysis.evaluations)
            )

    # ---- over the photo -----------------------------------------------------------------------------------------

    def _choose(self, chosen: ValuePicture) -> None:
        self._lay_over(None if chosen is self._over else chosen)

    def _lay_over(self, chosen: ValuePicture | None) -> None:
        """Lay a picture over the photo in place of the present one; None removes it."""
        if self._over is not None:
            self._over.set_selected(False)
        self._over = chosen
        self._laid = None
        if chosen is not None and chosen.picture.corner is not None:
            chosen.set_selected(True)
            self._laid = overlay_of(chosen.picture), *chosen.picture.corner, _OPACITY
        self.overlayChanged.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

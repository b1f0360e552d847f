"""One analysis in the panel: what it will show, its button, how far it has come, and its answer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nerd_gui.analysis.catalogue import Analysis, Shown, Table
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.window.analyses.answer_view import AnswerView
from nerd_gui.window.analyses.words import duration
from nerd_gui.window.described import described, in_lines
from nerd_gui.window.icons import icon
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, colours, sized

_ICON = QSize(18, 18)
_LEAST_ASIDE = 48  # pixels of words beside a heading that say something still
_ALMOST = 0.97  # of the bar that an analysis fills which takes longer than was thought
_UNREADABLE = "This answer is of another version of the program and cannot be shown; analyse the run again."


class AnalysisCard(QFrame):
    """An analysis of the catalogue.

    Signals
    -------
    wanted
        It is to be asked.
    stopWanted
        It is to be given up.
    saveWanted
        Its answer is to be saved.
    chosen : ValuePicture
        A picture of it was clicked.
    iterateRequested : int
        A point of an iterate was clicked in its plot.
    """

    wanted = Signal()
    stopWanted = Signal()
    saveWanted = Signal()
    chosen = Signal(object)
    iterateRequested = Signal(int)

    def __init__(self, analysis: Analysis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.analysis = analysis
        self.found: Analysed | None = None
        self.view: AnswerView | None = None
        self._busy = self._waits = False
        self._index = -1
        name = analysis.name
        described(self, f"{name}Card", analysis.title, "")
        self.setProperty("card", True)
        self._heading = described(
            QToolButton(), f"{name}Heading", f"Show or hide: {analysis.title}", f"{analysis.shows}\n{analysis.equation}"
        )
        self._heading.setText(analysis.title)
        self._heading.setCheckable(True)
        self._heading.setChecked(True)
        self._heading.setProperty("heading", True)
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setIconSize(QSize(10, 10))
        self._heading.setFont(sized(self.font(), self.font().pixelSize(), strong=True))
        self._heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._heading.toggled.connect(self._fold)
        self._side = _Aside()
        self._side.setObjectName(f"{name}State")
        self._side.setProperty("quiet", True)
        self._side.setFont(sized(self.font(), CAPTION_PIXELS))
        self.save_button = described(
            QToolButton(), f"{name}SaveButton", f"Save: {analysis.title}", "Save the answer as a figure or as data"
        )
        self.save_button.setAutoRaise(True)
        self.save_button.setIconSize(_ICON)
        self.save_button.clicked.connect(lambda _: self.saveWanted.emit())
        self.button = described(QPushButton("Analyse"), f"{name}Button", f"Analyse: {analysis.title}", "")
        self.button.clicked.connect(lambda _: (self.stopWanted if self._busy else self.wanted).emit())
        self._bar = QProgressBar()
        self._bar.setObjectName(f"{name}Progress")
        self._bar.setAccessibleName(f"Progress: {analysis.title}")
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._says = QLabel()
        self._says.setObjectName(f"{name}Says")
        self._says.setTextFormat(Qt.TextFormat.PlainText)
        self._says.setWordWrap(True)
        self._says.setToolTip(in_lines(analysis.equation))
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for widget, stretch in ((self._heading, 1), (self._side, 0), (self.save_button, 0), (self.button, 0)):
            row.addWidget(widget, stretch)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, SMALL, 0, SMALL)
        self._column.setSpacing(TIGHT)
        self._column.addLayout(row)
        self._column.addWidget(self._bar)
        self._column.addWidget(self._says)
        self._shown: Shown | None = None
        self._colour()
        self.show_answer(None)
        self.show_state(can="", expected=None)

    @property
    def says(self) -> str:
        """The sentence under the heading."""
        return self._says.text()

    @property
    def shown(self) -> Shown | None:
        """What is to be seen of the answer; None without one."""
        return self._shown

    def show_answer(self, found: Analysed | None) -> None:
        """Show an answer, or what the analysis would show."""
        if found is self.found and (found is None) == (self.view is None) and self.says:
            return
        self.found = found
        self._shown = None if found is None else _readable(self.analysis, found)
        if self.view is not None:
            self._column.removeWidget(self.view)
            self.view.setParent(None)
            self.view.deleteLater()
            self.view = None
        if self._shown is not None:
            self.view = AnswerView(self.analysis.name, self._shown)
            self.view.chosen.connect(self.chosen)
            self.view.iterateRequested.connect(self.iterateRequested)
            self.view.show_iterate(self._index)
            self._column.addWidget(self.view)
        self._say(self.analysis.shows if self._shown is None else self._shown.says, quiet=self._shown is None)
        self._fold()

    def show_iterate(self, index: int) -> None:
        """Mark an iterate in its plots."""
        self._index = index
        if self.view is not None:
            self.view.show_iterate(index)

    def say_failed(self, sentence: str) -> None:
        """Say why there is no answer."""
        self._say(sentence, quiet=False)

    def show_state(self, *, can: str, expected: float | None, of: str = "") -> None:
        """Say whether it can be asked.

        Parameters
        ----------
        can : str
            Why not, as a sentence; empty where it can.
        expected : float or None
            Seconds that it takes.
        of : str
            What it is of, beside the run.
        """
        self._busy = self._waits = False
        self._bar.hide()
        self.button.setEnabled(not can)
        self.button.setText("Analyse" if self.found is None else "Again")
        words = [of] if of else []
        if not can and expected is not None:
            words.append(f"about {duration(expected)}")
        self._tell(" · ".join(words) if self.found is None or of else "")
        self.save_button.setVisible(self._shown is not None)
        self.button.setToolTip(in_lines(can or f"{self.analysis.shows}\n{self.analysis.equation}"))

    def show_waiting(self) -> None:
        """Say that others come first."""
        self.show_state(can="It waits for the analysis under way.", expected=None)
        self._waits = True
        self._tell("waits")

    def show_progress(self, seconds: float, expected: float | None) -> None:
        """Say how far it has come."""
        self._busy = True
        self.button.setEnabled(True)
        self.button.setText("Stop")
        self.button.setToolTip("Give this analysis up, and those that wait (Esc)")
        self.save_button.hide()
        share = 0.0 if not expected else min(seconds / expected, _ALMOST)
        self._bar.setRange(0, 1000 if expected else 0)
        self._bar.setValue(round(1000 * share))
        self._bar.show()
        left = None if not expected or seconds > expected else expected - seconds
        self._tell(f"{duration(seconds)} so far" if left is None else f"about {duration(left)} left")

    # ---- inside -------------------------------------------------------------------------------------------------

    def _colour(self) -> None:
        self.save_button.setIcon(icon("export", self.palette().windowText().color()))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "save_button"):
            self._colour()

    def _tell(self, words: str) -> None:
        """Write beside the heading, as much of it as has room."""
        self._side.setText(words)
        self._side.setToolTip(words)
        self._side.setVisible(bool(words))

    def _say(self, words: str, *, quiet: bool) -> None:
        self._says.setText(words)
        self._says.setProperty("quiet", quiet)
        self._says.style().unpolish(self._says)
        self._says.style().polish(self._says)

    def _fold(self) -> None:
        open_ = self._heading.isChecked()
        self._heading.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self._says.setVisible(open_)
        if self.view is not None:
            self.view.setVisible(open_)

    def unfold(self) -> None:
        """Show what is under the heading."""
        self._heading.setChecked(True)


class _Aside(QLabel):
    """Words that are cut short where they have no room; all of them are in the tool tip."""

    elideMode = Qt.TextElideMode.ElideRight

    def minimumSizeHint(self) -> QSize:
        """Some of them."""
        usual = super().minimumSizeHint()
        return QSize(min(usual.width(), _LEAST_ASIDE), usual.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as many as have room."""
        painter = QPainter(self)
        painter.setPen(QColor(colours(self.palette()).second))
        words = painter.fontMetrics().elidedText(self.text(), self.elideMode, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


def _readable(analysis: Analysis, found: Analysed) -> Shown:
    """What is to be seen of an answer, which may come from a file of any version."""
    try:
        return analysis.show(found)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Shown(_UNREADABLE, Table((), ()))

"""One analysis in the panel: its description, its button, its progress and its answer."""

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
from nerd_gui.window.session.run import Run
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, colours, sized

_ICON = QSize(18, 18)
_LEAST_ASIDE = 48  # pixels, the least width of the text beside a heading that is still useful
_ALMOST = 0.97  # most that the bar is filled while an analysis takes longer than expected
_UNREADABLE = "This answer comes from another version of the program and cannot be shown; analyse the run again."


class AnalysisCard(QFrame):
    """The card of one analysis from the catalogue.

    Signals
    -------
    wanted
        A person asks for the analysis.
    stopWanted
        A person cancels the analysis.
    saveWanted
        A person saves the answer.
    chosen : ValuePicture
        A person clicked a picture of the answer.
    iterateRequested : int
        A person clicked an iterate's point in a plot of the answer.
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
        self.said_of: Run | None = None  # the run that `say` was about
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
        """The sentence below the heading."""
        return self._says.text()

    @property
    def shown(self) -> Shown | None:
        """What is shown of the answer; None without an answer."""
        return self._shown

    def show_answer(self, found: Analysed | None) -> None:
        """Show an answer; None shows what the analysis would answer."""
        if found is self.found and (found is None) == (self.view is None) and self.says and self.said_of is None:
            return
        self.found, self.said_of = found, None
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
        """Mark an iterate in the plots of the answer."""
        self._index = index
        if self.view is not None:
            self.view.show_iterate(index)

    def say(self, sentence: str, run: Run) -> None:
        """Say why there is no answer for a run, or what is known of it so far."""
        self.said_of = run
        self._say(sentence, quiet=False)

    def show_state(self, *, can: str, expected: float | None, of: str = "") -> None:
        """Show whether a person can ask for the analysis.

        Parameters
        ----------
        can : str
            A sentence that says why not; empty if the analysis is possible.
        expected : float or None
            The expected time in seconds.
        of : str
            The pixel that the analysis is about, in words.
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
        """Show that the analysis waits for another one."""
        self.show_state(can="This analysis waits for the one under way.", expected=None)
        self._waits = True
        self._tell("waits")

    def show_progress(self, seconds: float, expected: float | None) -> None:
        """Show the time so far, or the time that is left."""
        self._busy = True
        self.button.setEnabled(True)
        self.button.setText("Stop")
        self.button.setToolTip("Stop this analysis and those that wait (Esc)")
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
        """Write a text beside the heading, shortened to the available width."""
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
        """Show the content below the heading."""
        self._heading.setChecked(True)


class _Aside(QLabel):
    """A text that is shortened to the available width; the tooltip shows all of it."""

    elideMode = Qt.TextElideMode.ElideRight

    def sizeHint(self) -> QSize:
        """Space for the text and a little beside it."""
        return super().sizeHint() + QSize(TIGHT, 0)

    def minimumSizeHint(self) -> QSize:
        """Space for the beginning of the text."""
        usual = super().minimumSizeHint()
        return QSize(min(usual.width(), _LEAST_ASIDE), usual.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(QColor(colours(self.palette()).second))
        room = self.rect().adjusted(0, 0, -TIGHT // 2, 0)
        words = painter.fontMetrics().elidedText(self.text(), self.elideMode, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


def _readable(analysis: Analysis, found: Analysed) -> Shown:
    """Return what to show of an answer, which may come from a file of another version."""
    try:
        return analysis.show(found)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Shown(_UNREADABLE, Table((), ()))

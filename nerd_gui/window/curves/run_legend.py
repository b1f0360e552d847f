"""A table of the runs in the plots: a row for each run, with its colour and its values at the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from superqt import QElidingLabel

from nerd_gui.window.curves.legend import NO_VALUE, line_sample
from nerd_gui.window.curves.theme import Theme
from nerd_gui.window.session.run import Run
from nerd_gui.window.style.tokens import CAPTION_PIXELS, MEDIUM, SMALL, TIGHT, sized

#: Returns a run's value at the cursor as text, given the name of the curve.
Reader = Callable[[Run, str], str]
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SHOWN_WIDTH, _WIDTH = 2.2, 1.2


class RunLegend(QWidget):
    """A table of the drawn runs with colour, name and values; hidden if there is only one run.

    Parameters
    ----------
    columns : dict
        The heading of each column, by the name of its curve.
    """

    def __init__(self, columns: dict[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runLegend")
        self.setAccessibleName("Runs in the plots")
        self._columns = columns
        self._runs: list[Run] = []
        self._names: list[QElidingLabel] = []
        self._samples: list[QLabel] = []
        self._values: dict[tuple[int, str], QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(SMALL, 0, SMALL, TIGHT)
        self._grid.setHorizontalSpacing(MEDIUM)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)

    def show_runs(self, runs: Sequence[Run], shown: Run | None, read: Reader, theme: Theme) -> None:
        """List runs with their values; `shown` is the shown one."""
        self.setVisible(len(runs) > 1)
        if list(runs) != self._runs:
            self._build(runs)
        for run, name, sample in zip(runs, self._names, self._samples, strict=True):
            name.setText(run.label)
            name.setToolTip(run.label)
            name.setFont(sized(self.font(), CAPTION_PIXELS, strong=run is shown))
            width = _SHOWN_WIDTH if run is shown else _WIDTH
            sample.setPixmap(line_sample(self.devicePixelRatioF(), theme.of_run(run.number - 1), width))
        self.show_values(read)

    def show_values(self, read: Reader) -> None:
        """Show the values at the cursor; a column without any value is hidden."""
        for key in self._columns:
            words = [read(run, key) for run in self._runs]
            known = any(word != NO_VALUE for word in words) or key == "residual"
            for run, word in zip(self._runs, words, strict=True):
                self._values[run.number, key].setText(word)
                self._values[run.number, key].setVisible(known)
            if self._runs:
                self._values[0, key].setVisible(known)

    def rows(self) -> list[list[str]]:
        """Return the table's text row by row: name and values."""
        return [[run.label, *(self._values[run.number, key].text() for key in self._columns)] for run in self._runs]

    def _build(self, runs: Sequence[Run]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        self._runs, self._names, self._samples, self._values = list(runs), [], [], {}
        for column, heading in enumerate(self._columns.items()):
            self._values[0, heading[0]] = self._number(0, column + 2, heading[1])
        for row, run in enumerate(runs, 1):
            sample, name = QLabel(), QElidingLabel()
            name.setObjectName(f"runLegendName{run.number}")
            name.setMinimumWidth(40)
            self._grid.addWidget(sample, row, 0)
            self._grid.addWidget(name, row, 1)
            self._samples.append(sample)
            self._names.append(name)
            for column, key in enumerate(self._columns):
                self._values[run.number, key] = self._number(row, column + 2)

    def _number(self, row: int, column: int, text: str = NO_VALUE) -> QLabel:
        label = QLabel(text)
        label.setFont(sized(self.font(), CAPTION_PIXELS))
        label.setAlignment(_RIGHT)
        self._grid.addWidget(label, row, column)
        return label

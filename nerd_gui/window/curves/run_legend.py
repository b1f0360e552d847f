"""A table of the runs in the plots: a row for each run, with its colour and its values at the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
        self._runs: list[Run] = []
        self._rows: list[_Row] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(SMALL, 0, SMALL, TIGHT)
        self._grid.setHorizontalSpacing(MEDIUM)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)

        self._headings = {key: self._number(0, place, heading) for place, (key, heading) in enumerate(columns.items())}

    def show_runs(self, runs: Sequence[Run], shown: Run | None, read: Reader, theme: Theme) -> None:
        """List runs with their values; `shown` is the shown one."""
        self._runs = list(runs)
        self.setVisible(len(runs) > 1)
        while len(self._rows) < len(runs):
            self._rows.append(self._add_row(1 + len(self._rows)))
        for row in self._rows[len(runs) :]:
            row.hide()
        for run, row in zip(runs, self._rows, strict=False):
            row.name.setObjectName(f"runLegendName{run.number}")
            row.name.setText(run.label)
            row.name.setToolTip(run.label)
            row.name.setFont(sized(self.font(), CAPTION_PIXELS, strong=run is shown))
            width = _SHOWN_WIDTH if run is shown else _WIDTH
            row.sample.setPixmap(line_sample(self.devicePixelRatioF(), theme.of_run(run.number - 1), width))
            row.sample.show()
            row.name.show()
        self.show_values(read)

    def show_values(self, read: Reader) -> None:
        """Show the values at the cursor; a column without any value is hidden."""
        for key, heading in self._headings.items():
            words = [read(run, key) for run in self._runs]
            known = any(word != NO_VALUE for word in words) or key == "residual"
            for word, row in zip(words, self._rows, strict=False):
                row.values[key].setText(word)
                row.values[key].setVisible(known)
            heading.setVisible(known)

    def rows(self) -> list[list[str]]:
        """Return the table's text row by row: name and values."""
        return [
            [run.label, *(value.text() for value in row.values.values())]
            for run, row in zip(self._runs, self._rows, strict=False)
        ]

    def _add_row(self, place: int) -> _Row:
        """Make the labels of a row. They are reused for other runs, since new labels would lay out the plots twice."""
        row = _Row(
            QLabel(self),
            QElidingLabel(self),
            {key: self._number(place, column) for column, key in enumerate(self._headings)},
        )
        row.name.setMinimumWidth(40)
        self._grid.addWidget(row.sample, place, 0)
        self._grid.addWidget(row.name, place, 1)
        return row

    def _number(self, row: int, column: int, text: str = NO_VALUE) -> QLabel:
        label = QLabel(text, self)
        label.setFont(sized(self.font(), CAPTION_PIXELS))
        label.setAlignment(_RIGHT)
        self._grid.addWidget(label, row, column + 2)
        return label


@dataclass(frozen=True)
class _Row:
    """The labels of a run: its line, its name, and its values by curve."""

    sample: QLabel
    name: QElidingLabel
    values: dict[str, QLabel]

    def hide(self) -> None:
        for label in (self.sample, self.name, *self.values.values()):
            label.hide()

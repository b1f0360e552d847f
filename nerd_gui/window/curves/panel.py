"""The curves of the runs over their iterates: residual, estimated noise level, PSNR and SSIM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QPen
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from nerd_gui.denoising import RunSettings, Trajectory
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.window.curves.export import Figure, save_csv, save_picture
from nerd_gui.window.curves.legend import NO_VALUE, LegendEntry, LegendRow
from nerd_gui.window.curves.lines import SYMBOLS
from nerd_gui.window.curves.plot import CurvePlot, Series
from nerd_gui.window.curves.run_legend import RunLegend
from nerd_gui.window.curves.theme import Theme
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.placeholder import Placeholder
from nerd_gui.window.style.tokens import TIGHT
from nerd_gui.window.wording import scientific

#: For each curve: its name, the function that formats its values, and its tooltip.
_CURVES: dict[str, tuple[str, Callable[[float], str], str]] = {
    "residual": ("residual", scientific, "‖g‖/‖f(z)‖ with g = f(z) − z: how far the iterate is from the fixed point"),
    "relative_step": ("relative step", scientific, "How far the solver moves in a step: ‖zᵢ₊₁ − zᵢ‖/‖zᵢ‖ (Fig. 10)"),
    "residual_change": (
        "residual change",
        scientific,
        "Change of the residual ‖gᵢ − gᵢ₋₁‖/‖gᵢ₋₁‖ (Sec. V-A); it need not tend to 0 even if the run converges",
    ),
    "noise_level": (
        "noise level",
        "{:.2f}".format,
        "Estimated noise level: mean standard deviation of n̂ = f_decode(z) in patches, 0–255 units (Fig. 8)",
    ),
    "psnr": ("PSNR", "{:.2f} dB".format, "Peak signal-to-noise ratio of the iterate's picture against the clean one"),
    "ssim": ("SSIM", "{:.4f}".format, "Structural similarity of the iterate's picture and the clean one"),
}
_OPTIONAL = {
    "relative_step": ("relativeStepCheck", "Show the relative step", True),
    "residual_change": ("residualChangeCheck", "Show the change of the residual", False),
}
_LEVELS = {
    "tol": ("tolerance", "{:g}".format, "The run has converged when the measure that it stops on has fallen to this"),
    "sigma": ("true σ", "{:.4g}".format, "Standard deviation of the noise that was added, 0–255 units"),
    "attainable": (
        "attainable √(σ² − MSE)",
        "{:.1f}".format,
        "The noise level that a least-squares denoiser with this error estimates (MSE is that of the result)",
    ),
}
#: A value of each curve that is as wide as any.
_WIDEST = {
    "residual": "8.8e-8",
    "relative_step": "8.8e-8",
    "residual_change": "8.8e-8",
    "noise_level": "88.88",
    "psnr": "88.88 dB",
    "ssim": "0.8888",
}
_IN_TABLE = {"residual": "residual", "noise_level": "noise level", "psnr": "PSNR"}
_EMPTY = "Explore runs the solver and draws here, step by step, how it finds the noise."
_FIRST_STEPS = RunSettings.max_iter  # the axis has room for this many iterates from the start, so that it need not move


class Curves(QWidget):
    """Three plots over the iterates of the shown run and the overlaid ones, with a cursor at the current iterate.

    A curve's colour tells the run, and its line style the quantity. A click or a drag in a plot goes to the iterate
    under the pointer.

    Signals
    -------
    exportRequested
        A person chose “Export curves…” in the context menu; `export` then saves the curves.
    """

    exportRequested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("curves")
        self.setAccessibleName("Curves over the iterates")
        self._session = session
        self._attainable: WeakKeyDictionary[Run, tuple[tuple[int, int | None], float | None]] = WeakKeyDictionary()
        self._entries: dict[str, LegendEntry] = {}
        self._blocks: dict[str, QWidget] = {}
        self._told: list[tuple[int, str, bool, int]] = []
        self._build()
        self._colour()
        self._refresh()
        session.trajectoryChanged.connect(self._refresh)
        session.channelChanged.connect(self._refresh)
        session.runs.changed.connect(self._follow_runs)
        session.iterateAdded.connect(self._refresh)
        session.progressed.connect(self._refresh)
        session.controller.ended.connect(self._refresh)
        session.controller.failed.connect(self._refresh)
        session.indexChanged.connect(self._show_cursor)

    # ---- construction -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.residual_plot = CurvePlot(
            "residualPlot",
            "Residual over the iterates",
            "How the solver approaches the fixed point z* = f(z*). ▲ is the result; click to see an iterate",
            "residual",
            log=True,
        )
        self.noise_level_plot = CurvePlot(
            "noiseLevelPlot",
            "Estimated noise level over the iterates",
            "Noise level of n̂ (Fig. 8). A least-squares denoiser leaves √(σ² − MSE), not σ. Click to see an iterate",
            "noise level",
        )
        self.quality_plot = CurvePlot(
            "qualityPlot",
            "PSNR and SSIM over the iterates",
            "PSNR and SSIM of the iterates' pictures against the clean one. Click to see an iterate",
            "PSNR",
            "SSIM",
        )
        self._plots = {
            self.residual_plot: ("residual", "relative_step", "residual_change"),
            self.noise_level_plot: ("noise_level",),
            self.quality_plot: ("psnr", "ssim"),
        }
        self._levels = {
            "tol": (self.residual_plot, Qt.PenStyle.DashLine),
            "sigma": (self.noise_level_plot, Qt.PenStyle.DashLine),
            "attainable": (self.noise_level_plot, Qt.PenStyle.DotLine),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(TIGHT)
        self._empty = Placeholder("curvesEmpty", _EMPTY)
        column.addWidget(self._empty, 10)
        self.run_legend = RunLegend(_IN_TABLE)
        column.addWidget(self.run_legend)
        for plot, keys in self._plots.items():
            legend = LegendRow()
            for key in keys:
                plot.add_curve(key, right=key == "ssim")
                legend.add(self._entry(plot, key))
            for key, (of, style) in self._levels.items():
                if of is plot:
                    plot.add_level(key, style)
                    self._entries[key] = LegendEntry(f"{key}Readout", _LEVELS[key][0], _LEVELS[key][2])
                    legend.add(self._entries[key])
            block = QWidget()
            inner = QVBoxLayout(block)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.setSpacing(0)
            inner.addWidget(legend)
            inner.addWidget(plot, 1)
            self._blocks[plot.objectName()] = block
            column.addWidget(block, 4 if plot is self.residual_plot else 3)
            plot.iterateRequested.connect(self._session.go)
        self.export_action = QAction("Export curves…", self)
        self.export_action.setObjectName("exportCurvesContextAction")
        self.export_action.setToolTip("Save the curves as numbers (CSV) or as a picture (PNG, SVG)")
        self.export_action.triggered.connect(lambda _=False: self.exportRequested.emit())
        self.addAction(self.export_action)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _entry(self, plot: CurvePlot, key: str) -> LegendEntry:
        name, _, tip = _CURVES[key]
        check = None
        if key in _OPTIONAL:
            object_name, accessible, shown = _OPTIONAL[key]
            check = QCheckBox()
            check.setObjectName(object_name)
            check.setAccessibleName(accessible)
            check.setChecked(shown)
            check.toggled.connect(lambda on: self._on_check(key, on))
            plot.show_curve(key, shown)
        entry = LegendEntry(f"{key}Readout", name, tip, _WIDEST[key], check)
        self._entries[key] = entry
        return entry

    # ---- public methods -----------------------------------------------------------------------------------------

    def readout(self, name: str) -> str:
        """Return the legend's text for a curve, or for a level (tol, sigma, attainable): the name and the value."""
        return self._entries[name].text

    def export(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Save the curves: their numbers as .csv, or a picture of the plots as .png or .svg, depending on the suffix.

        Raises
        ------
        ValueError
            If there are no curves, if the suffix is none of these, if the file cannot be written, or if it exists and
            may not be replaced.
        """
        path = Path(path)
        if self._session.trajectory is None or not len(self._session.trajectory):
            raise ValueError("There are no curves to save yet; run the denoiser first.")
        suffix = path.suffix.lower()
        if suffix == ".csv":
            drawn = [(run.name, run.trajectory) for run in self._drawn() if run.trajectory]
            save_csv(path, drawn, overwrite=overwrite)
        elif suffix in (".png", ".svg"):
            save_picture(path, self._named_runs(), self._figures(), overwrite=overwrite)
        else:
            raise ValueError(f"Curves cannot be saved as “{path.name}”; let the name end in .csv, .png or .svg.")

    # ---- inside -------------------------------------------------------------------------------------------------

    def _drawn(self) -> list[Run]:
        """Return the runs whose curves are drawn, the shown one and the overlaid ones, in the order of the list."""
        shown = self._session.run
        listed = [run for run in self._session.runs if run.overlaid or run is shown]
        return listed if shown is None or shown in listed else [*listed, shown]

    def _follow_runs(self) -> None:
        """Draw the runs again if the list has changed what is drawn; progress of the shown run has its own signal."""
        if self._others() != self._told:
            self._refresh()

    def _others(self) -> list[tuple[int, str, bool, int]]:
        """Return what the plots show of the list of runs, apart from the shown run's iterates."""
        shown = self._session.run
        return [
            (run.number, run.name, run.overlaid and run is not shown, -1 if run is shown else run.newest)
            for run in self._session.runs
        ]

    def _refresh(self) -> None:
        """Draw the runs in their present state."""
        self._told = self._others()
        run, trajectory = self._session.run, self._session.trajectory
        result = trajectory.result if trajectory is not None and len(trajectory) else None
        series = {each: self._series(each) for each in self._drawn()}
        others = [drawn for each, drawn in series.items() if each is not run]
        for plot in self._plots:
            plot.set_series(series[run] if run is not None else None, others)
            plot.set_result(result)
        if trajectory is not None or run is None or run.over:  # otherwise the levels will follow soon
            self._set_levels(trajectory, result)
        quality = any(each.subject.clean is not None for each in series)
        self._empty.setVisible(run is None)
        for name, block in self._blocks.items():
            block.setVisible(run is not None and (quality or name != "qualityPlot"))
        bottom = self.quality_plot if quality else self.noise_level_plot
        for plot in self._plots:
            plot.set_frame(right=quality, bottom=plot is bottom)
        self.export_action.setEnabled(result is not None)
        self._fit()
        self._show_samples()
        self.run_legend.show_runs(list(series), run, self._value, self._theme)
        self._show_cursor()

    def _set_levels(self, trajectory: Trajectory | None, result: int | None) -> None:
        values: dict[str, list[tuple[float, int | None]]] = {key: [] for key in _LEVELS}
        if trajectory is not None and trajectory.settings.stop_on != PICTURE and trajectory.settings.tol:
            values["tol"] = [(trajectory.settings.tol, None)]
        values["sigma"] = self._true_levels()
        run = self._session.run
        if trajectory is not None and result is not None and run is not None and not run.in_tiles:
            key = result, self._session.channel
            if run not in self._attainable or self._attainable[run][0] != key:  # takes a pass over all pixels
                self._attainable[run] = key, trajectory.attainable_noise_level(self._session.channel)
            if (attainable := self._attainable[run][1]) is not None:
                values["attainable"] = [(attainable, None)]
        for name, levels in values.items():
            self._levels[name][0].set_levels(name, levels)
            self._entries[name].setVisible(bool(levels))
            if levels:
                self._entries[name].set_value(", ".join(_LEVELS[name][1](value) for value, _ in levels))

    def _true_levels(self) -> list[tuple[float, int | None]]:
        """Return the runs' different true noise levels; if there are several, each with the slot of its first run."""
        levels: dict[float, int] = {}
        for run in self._drawn():
            level = run.trajectory.true_noise_level(self._session.channel) if run.trajectory is not None else None
            if level is not None:
                levels.setdefault(level, run.number - 1)
        return [(level, slot if len(levels) > 1 else None) for level, slot in levels.items()]

    def _fit(self) -> None:
        trajectory = self._session.trajectory
        newest = len(trajectory) - 1 if trajectory is not None else -1
        last = max([0, *(run.newest for run in self._drawn())])
        if trajectory is None or trajectory.stop_reason is None:
            run = self._session.run
            last = max(last, _FIRST_STEPS if run is None else min(run.settings.max_iter, _FIRST_STEPS))
        for plot in self._plots:
            plot.fit(newest, last)

    def _show_cursor(self) -> None:
        for plot, keys in self._plots.items():
            plot.set_cursor_index(self._session.index if self._session.index >= 0 else None)
            for key in keys:
                self._entries[key].set_value(self._value(self._session.run, key))
            plot.setAccessibleDescription(", ".join(self._entries[key].text for key in keys))
        self.run_legend.show_values(self._value)

    def _series(self, run: Run) -> Series:
        return Series(run.number - 1, {key: self._curve(run, key) for keys in self._plots.values() for key in keys})

    def _curve(self, run: Run, key: str) -> list[float | None]:
        return run.trajectory.curve(key, self._session.channel) if run.trajectory is not None else []

    def _value(self, run: Run | None, key: str) -> str:
        """Return a run's value at the cursor as text."""
        index = self._session.index
        if run is None or not 0 <= index <= run.newest:
            return NO_VALUE
        value = self._curve(run, key)[index]
        return NO_VALUE if value is None else _CURVES[key][1](value)

    def _on_check(self, key: str, shown: bool) -> None:
        self.residual_plot.show_curve(key, shown)
        self._fit()

    def _figures(self) -> list[Figure]:
        """Return the visible plots with the names of their lines."""
        figures: list[Figure] = []
        for plot, keys in self._plots.items():
            if self._blocks[plot.objectName()].isHidden():
                continue
            shown = [key for key in keys if (check := self._entries[key].check) is None or check.isChecked()]
            with plot.as_figure():
                legend = [(_CURVES[key][0], plot.pen(key)) for key in shown]
                levels = [key for key, (of, _) in self._levels.items() if of is plot and plot.levels(key)]
                legend += [(self._entries[key].text, plot.level_pen(key)) for key in levels]
            figures.append((plot, legend))
        return figures

    def _named_runs(self) -> list[tuple[str, QPen]]:
        with self.residual_plot.as_figure():
            return [(run.label, self.residual_plot.pen("residual", run.number - 1)) for run in self._drawn()]

    def _colour(self) -> None:
        self._theme = Theme.of(self.palette())
        for plot in self._plots:
            plot.set_theme(self._theme)

    def _show_samples(self) -> None:
        """Draw the line samples of the legends, in the shown run's colour."""
        slot = self._session.run.number - 1 if self._session.run is not None else None
        for plot, keys in self._plots.items():
            for key, symbol in zip(keys, SYMBOLS, strict=False):
                self._entries[key].set_pen(plot.pen(key, slot), symbol)
        for key, (plot, _) in self._levels.items():
            self._entries[key].set_pen(plot.level_pen(key))

    def changeEvent(self, event: QEvent) -> None:
        """Adopt the window's new colours or font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._colour()
            self._refresh()

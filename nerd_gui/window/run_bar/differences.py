"""Finds the settings in which a run started now would differ from the shown one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import PICTURE, RunError, RunSettings
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.window.run_bar.controls import RunControls
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import short_name, solver_name

_STOPS = {
    "residual": "the residual",
    "relative_step": "the length of a step",
    "residual_change": "the change of the residual",
    "picture": "the picture",
}
_STARTS = {"zero": "zero", "random": "a seeded random start", "last": "the last equilibrium", "predicted": "predicted"}


class Differences(QObject):
    """Says why a run started now would have another result than the shown run.

    Parameters
    ----------
    session : Session
    controls : RunControls

    Attributes
    ----------
    sentence : str
        On the picture (noise, region) and the settings (network, solver …); empty if nothing differs.

    Signals
    -------
    compared : str
        `sentence`, which may have changed or belong to another run.
    """

    compared = Signal(str)

    def __init__(self, session: Session, controls: RunControls, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._controls = controls
        self.sentence = ""
        for moved in (session.runChanged, session.trajectoryChanged, session.subjectChanged, session.regionChanged):
            moved.connect(self._compare)
        session.controller.runningChanged.connect(self._compare)
        controls.changed.connect(self._compare)

    def _compare(self) -> None:
        run = self._session.run
        sentences = [self._session.differs, self._of_settings(run) if run is not None else ""]
        self.sentence = " ".join(sentence for sentence in sentences if sentence)
        self.compared.emit(self.sentence)

    def _of_settings(self, run: Run) -> str:
        try:
            now, for_photo = self._controls.settings(), self._controls.settings(for_photo=True)
        except RunError:  # no run can start, and the list of networks shows the reason
            return ""
        wished = [now]
        if run.settings.stop_on == PICTURE:  # Denoise photo has its own stop rule and precision
            wished.append(replace(for_photo, stop_on=PICTURE))
        chosen = not (run.continues or run.in_tiles)  # else nobody chose its start
        had = run.settings if chosen else replace(run.settings, start=now.start)
        found = min((changes(had, settings) for settings in wished), key=len)
        grain = self._controls.choice().grain
        if run.in_tiles and grain != run.grain:
            found.append(f"grain size {grain} (was {run.grain})")
        return f"Chosen now: {', '.join(found)}." if found else ""


def changes(had: RunSettings, now: RunSettings) -> list[str]:
    """Return the changed settings that matter to one of the two runs, such as “most steps 30 (was 17)”.

    Parameters
    ----------
    had, now : RunSettings
        The settings of the run, and those chosen now.
    """
    return [
        f"{_words(name, now)} (was {_words(name, had, short=True)})"
        for name in _WORDS
        if getattr(had, name) != getattr(now, name) and (_counts(name, had) or _counts(name, now))
    ]


def _counts(name: str, settings: RunSettings) -> bool:
    """Whether a setting has an effect on a run with these settings."""
    solver = SOLVERS[settings.solver]
    storage = solver.storage(max_iter=settings.max_iter, safeguard=True)
    return {
        "tol": settings.stop_on != PICTURE,
        "safeguard": storage.safeguard,
        "memory": storage.pairs > 0,
        "damping": "damping" in solver.own_keywords,
        "start_seed": settings.start == "random",
    }.get(name, True)


#: For each setting, its name and the function that formats its value.
_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "model": ("network", short_name),
    "solver": ("solver", solver_name),
    "max_iter": ("most steps", str),
    "stop_on": ("stop on", _STOPS.__getitem__),
    "tol": ("tolerance", lambda tol: f"{tol:g}" if tol else "none"),
    "safeguard": ("safeguard", lambda on: "on" if on else "off"),
    "memory": ("pairs kept", lambda pairs: str(pairs) if pairs else "the solver's choice"),
    "damping": ("damping", "{:g}".format),
    "strength": ("strength", lambda level: f"σ {level:g}" if level is not None else "the photo's own"),
    "start": ("start", _STARTS.__getitem__),
    "start_seed": ("seed of the start", str),
    "window": ("attention window", lambda side: f"q {side}" if side else "the network's own"),
    "precision": ("precision", str),
    "device": ("device", str.upper),
}


def _words(name: str, settings: RunSettings, *, short: bool = False) -> str:
    label, written = _WORDS[name]
    value = written(getattr(settings, name))
    return value if short else f"{label} {value}"

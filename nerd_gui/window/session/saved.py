"""Converts a session to the form that a file holds, and back."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

from nerd_gui.denoising import PhotoProgress
from nerd_gui.denoising.session_file import SavedRun, SavedSession
from nerd_gui.imaging import PhotoNoise
from nerd_gui.window.session.pins import MOST, Pin
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.session.workspace import Table


def saved(session: Session, view: dict[str, Any], *, under_way: bool = True) -> SavedSession | None:
    """Return what a file has to hold of a session now; None without a photo.

    Large arrays are not copied, so this is fast. A run that continues meanwhile is saved with its present iterates.

    Parameters
    ----------
    view : dict
        The state of the views, JSON-ready.
    under_way : bool
        Whether to include a run of a whole photo that is being solved, all of whose data change with every tile.
    """
    table = session.workspace.table
    if table is None:
        return None
    controller = session.controller
    running = controller.run if controller.running and not controller.paused else None
    runs = {
        run: kept
        for run in session.runs
        if (kept := _saved_run(run)) is not None and (under_way or run is not running or not run.in_tiles)
    }
    shown, compared, selected = session.run, session.compared, session.pins.selected
    return SavedSession(
        table.photo,
        table.clean,
        table.add_noise,
        table.sigma,
        table.seed,
        table.region,
        tuple(runs.values()),
        shown.number if shown in runs else None,
        session.follow,
        tuple((pin.number, pin.row, pin.col) for pin in session.pins.all),
        selected.number if selected is not None else None,
        (compared.run.number, compared.index, compared.look) if compared and compared.run in runs else None,
        session.look,
        session.channel,
        view,
    )


def take_up(session: Session, kept: SavedSession, noise: PhotoNoise) -> None:
    """Continue a session that was read from a file; the photo open until now can be returned to.

    Parameters
    ----------
    noise : PhotoNoise
        The noise estimate of the session's photo.
    """
    sigma, seed, region = kept.sigma, kept.seed, kept.region
    runs = {run.number: _run(run) for run in kept.runs}
    pins = tuple(Pin(*pin) for pin in kept.pins[:MOST])
    table = Table(kept.photo, kept.clean, noise, kept.add_noise, sigma, seed, region)
    session.bring(table, runs.values(), None if kept.shown is None else runs[kept.shown], pins)
    if any(pin.number == kept.selected for pin in pins):
        session.pins.set(pins, kept.selected)
    session.set_channel(kept.channel)
    if kept.compared is not None:
        number, index, look = kept.compared
        session.set_look(look)
        session.compare(runs[number], index)
    session.set_look(kept.look)
    session.set_follow(kept.follow)


def _saved_run(run: Run) -> SavedRun | None:
    """Return a run as it is now; None if it has no iterate."""
    if not run.trajectory:
        return None
    trajectory = run.trajectory.as_it_is()
    progress = run.progress
    return SavedRun(
        run.number,
        run.name,
        trajectory,
        run.settings,
        run.overlaid,
        min(run.index, len(trajectory) - 1),
        run.started,
        run.in_tiles,
        (progress.done, progress.count) if progress is not None else None,
        run.photo_run.standing_still if run.photo_run is not None else partial(nullcontext, run.stopped),
        run.continues,
    )


def _run(kept: SavedRun) -> Run:
    trajectory, progress = kept.trajectory, None
    if kept.tiles is not None:
        done, count = kept.tiles
        progress = PhotoProgress("tiles", done, count, done / max(1, count))
    return Run(
        trajectory.subject,
        kept.asked,
        trajectory=trajectory,
        over=True,
        in_tiles=kept.in_tiles,
        grain=trajectory.grain,
        progress=progress,
        number=kept.number,
        name=kept.name,
        overlaid=kept.overlaid,
        index=kept.index,
        started=kept.started,
        stopped=kept.stopped,
        continues=kept.continues,
    )

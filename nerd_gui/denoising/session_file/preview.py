"""A small preview picture of a session, for file managers."""

import io

import numpy as np
from PIL import Image

from nerd_gui.denoising.session_file.record import SavedSession
from nerd_gui.imaging import to_8_bit

_SIDE = 512  # pixels at most


def preview_png(session: SavedSession) -> bytes:
    """Make a PNG of the shown picture, or of the photo if there is no run, at most 512 pixels wide and high."""
    run = next((run for run in session.runs if run.number == session.shown), None)
    if run is None:
        _, rows, cols = session.photo.pixels.shape
    else:
        rows, cols = run.trajectory.subject.rows, run.trajectory.subject.cols
        index = min(max(run.index, 0), len(run.trajectory) - 1)
    block = -(-max(rows, cols) // _SIDE)  # averaged band by band, so that the whole picture is never in memory
    bands = []
    for row in range(0, max(rows - block + 1, 1), block):
        part = row, 0, min(block, rows), cols
        if run is None:
            band = session.photo.pixels[:, row : row + part[2]]
        else:
            band = run.trajectory.picture(index, session.look, part)
        whole = band[..., : max(cols // block, 1) * block]
        bands.append(whole.reshape(len(band), part[2], -1, min(block, cols)).mean(axis=(1, 3)))
    levels = to_8_bit(np.nan_to_num(np.stack(bands, axis=1)))
    stream = io.BytesIO()
    Image.fromarray(levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)).save(stream, "PNG")
    return stream.getvalue()

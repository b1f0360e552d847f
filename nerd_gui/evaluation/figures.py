"""What is measured of a network on a folder of pictures: one entry, and the files that keep such entries."""

from pathlib import Path
from typing import Any

from nerd_gui import files

#: An entry of the list that `evaluate` returns, or one of its images.
Figures = dict[str, Any]
#: The figures of an entry that are means over those of its images.
MEANS = (
    "psnr",
    "ssim",
    "residual_best",
    "residual_last",
    "noise_level",
    "psnr_last",
    "psnr_noisy",
    "ssim_noisy",
    "agreement",
)
#: What every entry holds, besides "partial".
ENTRY_KEYS = ("model", "sigma", *MEANS, "images", "folder", "weights", "settings", "other_solver", "device", "plan")
#: The settings of a run that decide its figures; the device and the memory limit do not.
SETTINGS = ("solver", "max_iter", "tol", "memory", "window", "precision")
#: More of them, which an entry names only where they are not the defaults.
RARE_SETTINGS = ("stop_on", "safeguard", "damping", "strength", "start", "start_seed")


class EvaluationError(ValueError):
    """Pictures, figures or cards that cannot be used; the message says where, why and what to do."""


def write_document(path: Path, text: str) -> None:
    """Write figures, or what tells of them, as a whole or not at all.

    Raises
    ------
    EvaluationError
        If it cannot be written.
    """
    try:
        files.write_text(path, text)
    except OSError as error:
        raise EvaluationError(f"“{path}” was not written: {files.why_not(error, path)}.") from error


def read_entries(path: Path) -> list[Figures]:
    """The complete entries that `nerd-gui evaluate --json` wrote, here or on another machine.

    Raises
    ------
    EvaluationError
        If the file holds something else.
    """
    try:
        kept = files.from_json(path.read_bytes())
        if not isinstance(kept, list):
            raise TypeError("no list of entries")
        entries = [entry for entry in kept if not entry["partial"]]
        missing = {name for entry in entries for name in ENTRY_KEYS if name not in entry}
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"“{path}” holds no figures of “nerd-gui evaluate --json” ({error}); measure again."
        ) from error
    if missing:
        raise EvaluationError(f"The figures in “{path}” lack {', '.join(sorted(missing))}; measure again.")
    return entries

"""The figures of a network on a folder of pictures, called an entry, and the files that store entries."""

from pathlib import Path
from typing import Any

from nerd_gui import files

#: An entry of the list that `evaluate` returns, or one of its images.
Figures = dict[str, Any]
#: Keys of an entry whose values are means over its images.
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
#: All keys of an entry except "partial".
ENTRY_KEYS = ("model", "sigma", *MEANS, "images", "folder", "weights", "settings", "other_solver", "device", "plan")
#: The settings of a run that influence its figures; the device and the memory limit do not.
SETTINGS = ("solver", "max_iter", "tol", "memory", "window", "precision")
#: Further such settings, which an entry only contains if they differ from the defaults.
RARE_SETTINGS = ("stop_on", "safeguard", "damping", "strength", "start", "start_seed")


class EvaluationError(ValueError):
    """Pictures, figures or cards cannot be used; the message says where, why and what to do."""


def write_document(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises
    ------
    EvaluationError
        If the file cannot be written.
    """
    try:
        files.write_text(path, text)
    except OSError as error:
        raise EvaluationError(f"“{path}” was not written: {files.why_not(error, path)}.") from error


def read_entries(path: Path) -> list[Figures]:
    """Read the complete entries from a file of `nerd-gui evaluate --json`.

    Raises
    ------
    EvaluationError
        If the file is not such a file.
    """
    try:
        kept = files.from_json(path.read_bytes())
        if not isinstance(kept, list):
            raise TypeError("no list of entries")
        entries = [entry for entry in kept if not entry["partial"]]
        missing = {name for entry in entries for name in ENTRY_KEYS if name not in entry}
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"“{path}” is not a file of “nerd-gui evaluate --json” ({error}); name another file."
        ) from error
    if missing:
        raise EvaluationError(f"The figures in “{path}” lack {', '.join(sorted(missing))}; measure again.")
    return entries

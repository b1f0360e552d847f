"""Table I of the paper, and which of our figures may stand beside it: those of the whole test set."""

from statistics import fmean

from nerd_gui.evaluation.figures import Figures

#: Table I of the paper, trained on BSD: PSNR (dB) / SSIM of DnCNN and of NERD.
TABLE_I = {
    ("set12", 15): ("32.86 / 0.9031", "33.20 / 0.9118"),
    ("set12", 25): ("30.44 / 0.8622", "30.84 / 0.8736"),
    ("set12", 50): ("27.18 / 0.7829", "27.72 / 0.8075"),
    ("bsd68", 15): ("31.73 / 0.8907", "31.91 / 0.8975"),
    ("bsd68", 25): ("29.23 / 0.8278", "29.43 / 0.8370"),
    ("bsd68", 50): ("26.23 / 0.7189", "26.49 / 0.7389"),
}
_SIZES = {"set12": 12, "bsd68": 68}
#: Pictures of which training pictures show more: Set12's starfish is a cut of 12003 of BSDS500.
SEEN = {"set12": "04"}


def is_whole(entry: Figures) -> bool:
    """Whether an entry is of all the pictures of its folder."""
    size = _SIZES.get(entry["folder"].lower(), len(entry["images"]))
    return not entry["partial"] and entry["settings"]["limit"] is None and len(entry["images"]) == size


def paper_figures(entry: Figures) -> tuple[str, str] | None:
    """Table I's PSNR / SSIM of DnCNN and NERD for an entry's folder and sigma; None unless the whole set was taken."""
    return TABLE_I.get((entry["folder"].lower(), entry["sigma"])) if is_whole(entry) else None


def without_seen(entry: Figures) -> tuple[str, float] | None:
    """The picture of a test set that training may have seen a part of, and the mean PSNR (dB) of the others."""
    name = SEEN.get(entry["folder"].lower())
    rest = [image["psnr"] for image in entry["images"] if image["name"] != name]
    if name is None or not is_whole(entry) or None in rest:
        return None
    return name, fmean(rest)

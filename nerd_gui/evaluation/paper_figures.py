"""All figures of the paper's tables, and the check whether our figures are comparable to Table I."""

from statistics import fmean
from typing import NamedTuple

from nerd_gui.evaluation.figures import Figures


class Score(NamedTuple):
    """PSNR (dB) and SSIM."""

    psnr: float
    ssim: float

    def __str__(self) -> str:
        return f"{self.psnr:.2f} / {self.ssim:.4f}"


def _scores(methods: str, text: str) -> dict[str, Score]:
    """Parse a row of the paper's tables to scores by method; "-" means that there is none."""
    scores = {}
    for method, printed in zip(methods.split(), text.split(), strict=True):
        if printed != "-":
            psnr, ssim = printed.split("/")
            scores[method] = Score(float(psnr), float(ssim))
    return scores


_METHODS = "BM3D WNNM DnCNN NLRN N3Net GCDN NERD"
#: Table I, networks trained on BSD: by test set and sigma, then by method.
TABLE_I: dict[tuple[str, float], dict[str, Score]] = {
    ("set12", 15): _scores(_METHODS, "32.37/0.8952 32.70/0.8982 32.86/0.9031 33.16/0.9070 - 33.14/0.9072 33.20/0.9118"),
    ("set12", 25): _scores(
        _METHODS, "29.97/0.8504 30.28/0.8557 30.44/0.8622 30.79/0.8689 30.50/0.8702 30.78/0.8687 30.84/0.8736"
    ),
    ("set12", 50): _scores(
        _METHODS, "26.72/0.7676 27.05/0.7775 27.18/0.7829 27.64/0.7980 27.41/0.8022 27.60/0.7957 27.72/0.8075"
    ),
    ("bsd68", 15): _scores(_METHODS, "31.07/0.8717 31.37/0.8766 31.73/0.8907 31.88/0.8932 - 31.83/0.8933 31.91/0.8975"),
    ("bsd68", 25): _scores(
        _METHODS, "28.57/0.8012 28.83/0.8087 29.23/0.8278 29.41/0.8331 29.30/0.8379 29.35/0.8332 29.43/0.8370"
    ),
    ("bsd68", 50): _scores(
        _METHODS, "25.62/0.6864 25.87/0.6982 26.23/0.7189 26.47/0.7298 26.39/0.7378 26.38/0.7389 26.49/0.7389"
    ),
    ("urban100", 15): _scores(
        _METHODS, "32.34/0.9220 32.97/0.9271 32.68/0.9255 33.42/0.9348 - 33.47/0.9358 33.48/0.9341"
    ),
    ("urban100", 25): _scores(
        _METHODS, "29.70/0.8777 30.39/0.8885 29.97/0.8797 30.86/0.9003 30.19/0.8921 30.95/0.9020 31.03/0.9013"
    ),
    ("urban100", 50): _scores(
        _METHODS, "25.95/0.7791 26.83/0.8047 26.28/0.7874 27.40/0.8244 26.83/0.8158 27.41/0.8160 27.62/0.8292"
    ),
}
#: Table II, networks trained on DIV2K (DeamNet also on BSD).
TABLE_II: dict[tuple[str, float], dict[str, Score]] = {
    key: _scores("DAGL DeamNet NERD", text)
    for key, text in {
        ("set12", 15.0): "33.24/0.9137 33.19/0.9097 33.20/0.9111",
        ("set12", 25.0): "30.89/0.8773 30.81/0.8717 30.83/0.8724",
        ("set12", 50.0): "27.77/0.8116 27.74/0.8057 27.64/0.8053",
        ("bsd68", 15.0): "31.82/0.8890 31.91/0.8957 31.88/0.8957",
        ("bsd68", 25.0): "29.41/0.8278 29.44/0.8373 29.38/0.8345",
        ("bsd68", 50.0): "26.56/0.7228 26.54/0.7368 26.47/0.7358",
        ("urban100", 15.0): "33.28/0.9298 33.37/0.9372 33.77/0.9389",
        ("urban100", 25.0): "31.01/0.8974 30.85/0.9048 31.22/0.9035",
        ("urban100", 50.0): "27.78/0.8283 27.53/0.8373 27.96/0.8384",
    }.items()
}
_DEPTH_MAPS = "Aloe Bowling Flowerpots Lampshade Midd Monopoly Plastic Average"
#: Table III, depth maps: by sigma and method, then by picture.
TABLE_III: dict[tuple[float, str], dict[str, Score]] = {
    key: _scores(_DEPTH_MAPS, text)
    for key, text in {
        (15.0, "NLRN"): "40.57/0.9849 43.48/0.9906 42.82/0.9900 43.32/0.9906 42.64/0.9897 44.02/0.9918 45.54/0.9933 "
        "43.20/0.9900",
        (15.0, "GCDN"): "40.36/0.9870 43.24/0.9922 42.67/0.9938 43.16/0.9929 42.38/0.9921 43.31/0.9923 45.10/0.9949 "
        "42.89/0.9922",
        (15.0, "NERD"): "40.93/0.9865 43.85/0.9908 43.13/0.9867 43.72/0.9910 43.29/0.9899 44.30/0.9920 46.17/0.9936 "
        "43.63/0.9901",
        (25.0, "NLRN"): "37.25/0.9722 39.91/0.9823 38.98/0.9816 39.63/0.9819 39.06/0.9805 40.15/0.9835 42.12/0.9878 "
        "39.59/0.9814",
        (25.0, "GCDN"): "37.11/0.9769 39.95/0.9868 38.95/0.9874 39.73/0.9877 38.95/0.9857 39.90/0.9871 41.95/0.9919 "
        "39.51/0.9862",
        (25.0, "NERD"): "37.50/0.9736 40.17/0.9818 39.13/0.9805 39.94/0.9819 39.36/0.9805 40.37/0.9838 42.72/0.9866 "
        "39.88/0.9812",
        (50.0, "NLRN"): "33.34/0.9454 35.58/0.9666 34.13/0.9550 35.19/0.9617 34.26/0.9547 35.25/0.9669 36.95/0.9767 "
        "34.96/0.9610",
        (50.0, "GCDN"): "33.37/0.9538 35.28/0.9713 33.91/0.9692 35.03/0.9711 34.14/0.9680 35.03/0.9693 36.75/0.9811 "
        "34.79/0.9691",
        (50.0, "NERD"): "33.81/0.9494 36.03/0.9646 34.40/0.9584 35.39/0.9618 34.65/0.9603 35.60/0.9649 37.43/0.9711 "
        "35.33/0.9615",
    }.items()
}
#: Table IV, Set12: by sigma, and whether the equilibrium is the noise or the image.
TABLE_IV = {
    (15.0, "noise"): Score(33.20, 0.9118),
    (15.0, "image"): Score(31.92, 0.8883),
    (25.0, "noise"): Score(30.84, 0.8736),
    (25.0, "image"): Score(30.40, 0.8663),
    (50.0, "noise"): Score(27.72, 0.8075),
    (50.0, "image"): Score(26.55, 0.7440),
}
#: Table V, Set12, sigma 25: score, Frobenius norm and variance of z*, with and without post-normalization.
TABLE_V = {"with": (Score(30.84, 0.8736), 11173.89, 8.28), "without": (Score(30.78, 0.8735), 36920.28, 88.78)}
#: Given in the text about Fig. 8 for the picture monarch, sigma 25.
MONARCH = {"with": Score(30.67, 0.9273), "without": Score(30.64, 0.9261)}
#: Table VI, Set12, sigma 25: by number of attention heads.
TABLE_VI = {1: Score(30.79, 0.8736), 4: Score(30.84, 0.8736), 8: Score(30.78, 0.8735)}
#: Table VII, Set12, sigma 25: by the parts of the implicit module.
TABLE_VII = {
    "non-local block": Score(30.10, 0.8558),
    "transformation block": Score(30.62, 0.8716),
    "both": Score(30.84, 0.8736),
}
#: Table VIII, Set12, sigma 25: by window q.
TABLE_VIII = {
    50: Score(30.79, 0.8737),
    55: Score(30.81, 0.8745),
    60: Score(30.82, 0.8739),
    65: Score(30.84, 0.8736),
    70: Score(30.83, 0.8735),
}

_SIZES = {"set12": 12, "bsd68": 68, "urban100": 100}
#: Test pictures that are parts of training pictures: Set12's starfish is a crop of picture 12003 of BSDS500.
SEEN = {"set12": "04"}


def is_whole(entry: Figures) -> bool:
    """Whether an entry covers the whole test set."""
    size = _SIZES.get(entry["folder"].lower(), len(entry["images"]))
    return not entry["partial"] and entry["settings"]["limit"] is None and len(entry["images"]) == size


def paper_figures(entry: Figures) -> tuple[str, str] | None:
    """Return Table I's PSNR / SSIM of DnCNN and NERD for an entry; None if there are none or the set is not whole."""
    printed = TABLE_I.get((entry["folder"].lower(), entry["sigma"])) if is_whole(entry) else None
    return None if printed is None else (str(printed["DnCNN"]), str(printed["NERD"]))


def without_seen(entry: Figures) -> tuple[str, float] | None:
    """Return the name of the test picture that training may have seen, and the mean PSNR (dB) of the others."""
    name = SEEN.get(entry["folder"].lower())
    rest = [image["psnr"] for image in entry["images"] if image["name"] != name]
    if name is None or not is_whole(entry) or None in rest:
        return None
    return name, fmean(rest)

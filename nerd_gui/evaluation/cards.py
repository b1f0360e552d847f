"""The cards of released networks: a handwritten head, and below it a generated part with training data and figures."""

import csv
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerd_gui.evaluation.criteria import criteria, row
from nerd_gui.evaluation.curve_picture import curve_svg
from nerd_gui.evaluation.figures import EvaluationError, Figures, write_document
from nerd_gui.evaluation.tables import Table, as_markdown, markdown, short
from nerd_gui.files import from_json
from nerd_gui.nerd import load_record, weights_sha256

#: The line of a card below which everything is generated.
MARKER = "<!-- Made by `nerd-gui evaluate --card` from here on; what is written below by hand is lost. -->"
_CURVE = ("samples", "seconds", "validation_psnr", "validation_residual", "learning_rate")
_ROWS = 20  # approximate number of rows in a curve's table


@dataclass(frozen=True)
class Card:
    """The card NAME.md of the network NAME.safetensors in the same folder; NAME.json holds the network's figures.

    Attributes
    ----------
    path : Path
        The card. Its head, above `MARKER`, is written by hand; `purpose` is the row "for" of the head's table.
    """

    path: Path

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.path.stem

    @property
    def network(self) -> Path:
        """The file of the network's weights."""
        return self.path.with_suffix(".safetensors")

    @property
    def purpose(self) -> str:
        """The purpose of the network according to the head; empty if it is missing."""
        return row(self._head(), "for")

    def figures(self) -> list[Figures]:
        """Read all figures of exactly these weights.

        Raises
        ------
        EvaluationError
            If the file of the figures is invalid.
        """
        path = self.path.with_suffix(".json")
        if not path.exists():
            return []
        try:
            kept = from_json(path.read_bytes())
            figures, weights = kept["figures"], kept["weights"]
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(
                f"The figures in “{path}” cannot be read ({error}); remove the file and measure again."
            ) from error
        return figures if weights == weights_sha256(self.network) else []

    def add(self, entry: Figures) -> None:
        """Add an entry of `evaluate` and render the card; an older entry with the same folder and settings is replaced.

        Raises
        ------
        EvaluationError
            If the entry is for other weights, or a file cannot be written.
        """
        self.check(entry["weights"])
        ours = {key: value for key, value in entry.items() if key != "weights"} | {"model": self.name}
        kept = [other for other in self.figures() if _key(other) != _key(ours)]
        figures = sorted([*kept, ours], key=lambda one: (one["folder"], one["sigma"] or 0))
        text = json.dumps({"weights": entry["weights"], "figures": figures}, indent=1, allow_nan=False)
        # Write the figures of each image on one line.
        text = re.sub(r"\{[^{}]*\}", lambda found: re.sub(r"\n *", " ", found[0]), text)
        write_document(self.path.with_suffix(".json"), f"{text}\n")
        self.render()

    def check(self, weights: str) -> None:
        """Check that weights, given by their SHA-256, are those of the card.

        Raises
        ------
        EvaluationError
            If they are not.
        """
        if weights != weights_sha256(self.network):
            raise EvaluationError(
                f"The figures are for other weights than those in “{self.network}”, so they do not belong in its card."
            )

    def render(self) -> None:
        """Generate the part below `MARKER`, and the picture of the curve.

        Raises
        ------
        EvaluationError
            If the figures or the curve are invalid, or a file cannot be written.
        """
        figures, curve = self.figures(), self._curve()
        parts = [self._head() + MARKER]
        parts += ["## Licence and origin", as_markdown(criteria(self._head(), load_record(self.network)))]
        parts += ["## Training", as_markdown(self._record())]
        parts += ["## Figures", markdown(figures).rstrip() if figures else "These weights have not been measured yet."]
        if curve:
            picture = self.path.with_name(f"{self.name}-curve.svg")
            samples, _, psnr, residual, _ = zip(*curve, strict=True)
            write_document(picture, curve_svg(samples, psnr, residual))
            parts += ["## Curve", _CURVE_WORDS.format(name=self.name), as_markdown(_thinned(curve))]
        write_document(self.path, "\n\n".join(parts) + "\n")

    def _head(self) -> str:
        return self.path.read_text(encoding="utf-8").partition(MARKER)[0]

    def _record(self) -> Table:
        record = load_record(self.network)
        recipe = record.get("recipe", {})
        rows = {
            "samples": _thousands(record.get("samples")),
            "steps": _thousands(record.get("steps")),
            "hours": record.get("hours"),
            "device": record.get("device"),
            "threads": record.get("threads"),
            "learning rate decayed": record.get("decayed"),
            "validation PSNR (dB)": record.get("validation_psnr"),
            "validation residual": record.get("validation_residual"),
            "noise of the last session": _in_words(recipe.get("noise")),
            "network": _in_words(recipe.get("model")),
            "SHA-256": weights_sha256(self.network),
        }
        return [["", ""], *([name, str(value)] for name, value in rows.items() if value is not None)]

    def _curve(self) -> list[tuple[float, ...]]:
        """Read the points of the curve, with values in the order of `_CURVE`; empty if there is no file."""
        path = self.path.with_suffix(".csv")
        if not path.exists():
            return []
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        try:
            points = [tuple(float(row[name]) for name in _CURVE) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(
                f"The curve “{path}” cannot be read ({error}); copy it from the run's folder again."
            ) from error
        if not all(math.isfinite(value) for point in points for value in point) or any(p[3] <= 0 for p in points):
            raise EvaluationError(f"The curve “{path}” has invalid numbers; copy it from the run's folder again.")
        return points


_CURVE_WORDS = """\
![PSNR and residual over the samples]({name}-curve.svg)

PSNR and least residual of the averaged network on six 96x96 crops of the validation pictures, with the validation noise
of its recipe, 12 steps; all points are in `{name}.csv`."""


def _key(entry: Figures) -> tuple[Any, ...]:
    return entry["folder"], entry["sigma"], entry["settings"]


def _thousands(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _in_words(values: dict[str, Any] | None) -> str | None:
    return None if values is None else ", ".join(f"{name} {value}" for name, value in values.items())


def _thinned(curve: Sequence[tuple[float, ...]]) -> Table:
    step = max(1, len(curve) // _ROWS)
    points = [point for i, point in enumerate(curve) if i % step == 0 or i == len(curve) - 1]
    header = ["samples", "minutes", "PSNR (dB)", "residual", "learning rate"]
    return [
        header,
        *(
            [f"{samples:,.0f}", f"{seconds / 60:.0f}", f"{psnr:.2f}", f"{residual:.1e}", f"{rate:.2g}"]
            for samples, seconds, psnr, residual, rate in points
        ),
    ]


def cards_in(folder: Path) -> list[Card]:
    """Find the cards in a folder: each NAME.md that contains `MARKER` and has a NAME.safetensors beside it.

    Raises
    ------
    EvaluationError
        If there is no card.
    """
    cards = [Card(path) for path in folder.glob("*.md") if path.with_suffix(".safetensors").is_file()]
    cards = [
        card for card in sorted(cards, key=lambda card: card.name) if MARKER in card.path.read_text(encoding="utf-8")
    ]
    if not cards:
        raise EvaluationError(
            f"“{folder}” holds no card. Write NAME.md beside NAME.safetensors, and end it with the line “{MARKER}”."
        )
    return cards


def card_of(cards: Iterable[Card], model: str) -> Card | None:
    """Return the card of a network, by name; None if it has none."""
    return next((card for card in cards if card.name == short(model)), None)

"""`nerd-gui noise`: measures the noise of photos."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from nerd_gui.cli.arguments import Parser, UsageError, add_max_pixels, say
from nerd_gui.cli.text_table import as_text
from nerd_gui.evaluation.noise_tables import noise_drawn, noise_of, one_photo, quantiles
from nerd_gui.evaluation.tables import as_markdown
from nerd_gui.imaging import open_photo
from nerd_gui.imaging.noise_statistics import NoiseStatistics, noise_statistics
from nerd_gui.training import find_recipe


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui noise`."""
    made = Parser(
        "noise",
        "Measure the noise in the flat parts of photos: its level at each intensity, its correlation between\n"
        "neighbouring pixels in luma and colour, and its kurtosis. Levels are on the 0-255 scale.",
        "examples:\n  nerd-gui noise photo.jpg\n  nerd-gui noise photo.jpg --json\n"
        "  nerd-gui noise photos/ --table                     (quantiles over all photos of a folder)\n"
        "  nerd-gui noise clean/ --table --drawn-by nerd-lite-photo-colour     (the noise that a recipe trains on)",
    )
    add = made.add_argument
    add(
        "photos",
        nargs="+",
        type=Path,
        metavar="PHOTO",
        help="photos, or folders; of pairs NAME_real and NAME_mean, only NAME_real is measured",
    )
    add("--json", action="store_true", help="print all numbers as JSON")
    add("--table", action="store_true", help="print quantiles over all photos, as Markdown")
    add("--drawn-by", metavar="NAME|FILE.json", help="the pictures are clean: first add the noise of this recipe")
    add_max_pixels(made)
    return made


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Raises
    ------
    UsageError, PhotoError, NoiseStatisticsError, EvaluationError
    """
    if args.json and args.table:
        raise UsageError("--json and --table print the same numbers in different forms; choose one of them.")
    found = list(_measured(args))
    if not found:
        raise UsageError("No photo could be measured: all are too small or have no flat parts. Choose other photos.")
    if args.table:
        say(f"{len(found)} measured")
        print(as_markdown(quantiles([statistics for _, statistics in found])))
    elif args.json:
        print(json.dumps([{"name": name, **one.to_json()} for name, one in found], indent=2, allow_nan=False))
    else:
        print("\n\n".join(_described(name, statistics) for name, statistics in found))
    return 0


def _measured(args: argparse.Namespace) -> Iterator[tuple[str, NoiseStatistics]]:
    if args.drawn_by is not None:
        try:
            recipe = find_recipe(args.drawn_by)
        except ValueError as error:
            raise UsageError(str(error)) from error
        for folder in args.photos:
            yield from noise_drawn(recipe.noise, folder, recipe.model.channels)
        return
    for path in args.photos:
        if path.is_dir():
            yield from noise_of(path)
        else:
            yield path.name, noise_statistics(open_photo(path).pixels)


def _described(name: str, statistics: NoiseStatistics) -> str:
    levels = ", ".join(f"{plane.level:.2f} in {plane.name}" for plane in statistics.planes)
    tables = "\n\n".join(as_text(table) for table in one_photo(statistics))
    return f"{name}: noise level {levels}\n\n{tables}"

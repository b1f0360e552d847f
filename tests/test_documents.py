"""The documents name files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nerd_gui"
#: What a path in backquotes begins with: something at the top of the repository, or a room of the package.
STARTS = [
    *(path.name for path in ROOT.iterdir() if path.is_dir() or path.suffix in (".md", ".toml", ".txt")),
    *(path.name for path in PACKAGE.iterdir() if path.is_dir()),
]
PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, STARTS))})(?:/[\w.\-]+)*/?)`")
#: Names in capitals stand for any.
PLACEHOLDER = re.compile(r"/[A-Z]{4,}\.")


def missing(text):
    """The paths that a document names, and that are not there."""
    named = [path for path in PATH.findall(text) if not PLACEHOLDER.search(path)]
    return [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_path_named_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(PATH.findall(text)) > 10
    assert missing(text) == []


def test_the_story_of_the_training_names_modules_that_exist():
    """It also names states that are yet to come."""
    text = (ROOT / "weights" / "TRAINING.md").read_text(encoding="utf-8")
    assert [path for path in missing(text) if path.startswith("nerd_gui/")] == []


def test_a_missing_path_is_noticed():
    text = "`nerd_gui/nowhere.py`, `cli/nor_here.py`; `cli/train.py`, `tests/imaging/`, `window/`, `weights/NAME.md`"
    assert missing(text) == ["nerd_gui/nowhere.py", "cli/nor_here.py"]


def test_every_row_of_the_table_of_where_is_names_one_place():
    rows = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where is …")[2].splitlines()
    places = [PATH.findall(row) for row in rows if row.startswith("| ") and row != "| what | where |"]
    assert len(places) >= 15 and all(len(found) == 1 for found in places)


def test_every_room_stands_in_the_picture_of_the_architecture():
    """In the order of the contract that the imports keep."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one for one in contracts if one["name"].startswith("Each room"))["layers"]
    rooms = [name.removeprefix("nerd_gui.") for name in reversed(layers) if (ROOT / name.replace(".", "/")).is_dir()]
    picture = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("in one picture")[2]
    assert re.findall(r"^ (\w+)/ ", picture, re.MULTILINE) == rooms
    found = sorted(path.parent.name for path in (ROOT / "nerd_gui").glob("*/__init__.py"))
    assert sorted(rooms) == found


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_links_to_is_there_and_its_pictures_are_small(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        assert (page.parent / link).exists(), link
        most = 400_000 if "screenshots" in link else 100_000
        assert not link.endswith((".png", ".jpg")) or (page.parent / link).stat().st_size < most, link
    assert links

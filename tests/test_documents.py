"""Files, modules and commands that the documents name exist."""

import importlib
import re

import pytest
from document_code import DOCUMENTS, ROOT

PACKAGE = ROOT / "nerd_gui"
#: The beginning of a path in backquotes: something at the top of the repository, or a room of the package.
STARTS = [
    *(path.name for path in ROOT.iterdir() if path.is_dir() or path.suffix in (".md", ".toml", ".txt")),
    *(path.name for path in PACKAGE.iterdir() if path.is_dir()),
]
PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, STARTS))})(?:/[\w.\-]+)*/?)`")
#: Names in capitals are placeholders.
PLACEHOLDER = re.compile(r"/[A-Z]{4,}\.")


def missing(text):
    """Return the paths that a document names and that do not exist."""
    named = [path for path in PATH.findall(text) if not PLACEHOLDER.search(path)]
    return [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()]


@pytest.mark.parametrize("page", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_path_named_exists(page):
    assert missing(page.read_text(encoding="utf-8")) == []


def test_the_story_of_the_training_names_modules_that_exist():
    """It may also name states that will be added later."""
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
    """In the same order as in the import contract."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one for one in contracts if one["name"].startswith("Each room"))["layers"]
    rooms = [name.removeprefix("nerd_gui.") for name in reversed(layers) if (ROOT / name.replace(".", "/")).is_dir()]
    picture = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("in one picture")[2]
    assert re.findall(r"^ (\w+)/ ", picture, re.MULTILINE) == rooms
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^(\w+)/ ", page, re.MULTILINE) == rooms
    found = sorted(path.parent.name for path in (ROOT / "nerd_gui").glob("*/__init__.py"))
    assert sorted(rooms) == found


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there_and_its_pictures_are_small(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
        most = 3_000_000 if link.endswith(".webp") else 400_000 if "screenshots" in link else 100_000
        assert not link.endswith((".png", ".jpg", ".webp")) or (page.parent / link).stat().st_size < most, link


def test_the_readme_is_short_and_shows_before_it_explains():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    animation, command, table = (text.index(what) for what in ("run.webp", "```sh", "\n|"))
    assert animation < command < table
    assert max(line.count("|") for line in text.splitlines()) <= 5  # four columns


def test_every_name_in_the_table_from_paper_to_code_can_be_imported():
    text = (ROOT / "docs" / "paper-to-code.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(nerd_gui(?:\.\w+)+)`", text))
    assert len(names) > 30
    assert [name for name in sorted(names) if not is_there(name)] == []
    assert not is_there("nerd_gui.nerd.NERD.think") and not is_there("nerd_gui.nowhere")


def is_there(name):
    """Return whether a dotted name is a module, or something in a module."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[count:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False


def test_the_table_from_paper_to_code_leaves_no_equation_figure_or_table_out():
    """The paper has 22 equations, 11 figures and 8 tables."""
    text = (ROOT / "docs" / "paper-to-code.md").read_text(encoding="utf-8")
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    roman = {name: number for number, name in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII"), 1)}

    def mentioned(word):
        found = set()
        for cell in first:
            if word in cell:
                numbers = [roman[each] if each in roman else int(each) for each in re.findall(r"\b(\d+|[IV]+)\b", cell)]
                found |= set(range(numbers[0], numbers[-1] + 1))
        return found

    assert mentioned("Eq.") == set(range(1, 23))
    assert mentioned("Fig.") == set(range(1, 12))
    assert mentioned("Table") == set(range(1, 9))


@pytest.mark.parametrize("name", ["faq.md", "when-the-result-is-not-good.md"])
def test_what_a_page_quotes_is_said_by_the_program(name):
    said = " ".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # sentences continue over several lines
    quoted = re.findall(r"“([^”]+)”", (ROOT / "docs" / name).read_text(encoding="utf-8"))
    assert len(quoted) >= 2
    assert [words for words in quoted if words not in said] == []


def test_every_control_of_a_run_and_of_the_look_has_its_advice():
    sources = [PACKAGE / "window" / "run_bar" / "solver_settings.py", PACKAGE / "window" / "look" / "panel.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    labels = re.findall(r'_Field\("\w+", "([^"]+)"|Percent\(\s*"\w+",\s*"([^"]+)"|addRow\("([^"]+)"', text)
    names = {"".join(groups) for groups in labels}
    assert len(names) >= 15
    page = (ROOT / "docs" / "when-the-result-is-not-good.md").read_text(encoding="utf-8")
    assert {name for name in names if name not in page} == set()

"""The whole command in quick mode: every item, its page and figures; a second run measures nothing."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.reproduce import ITEMS, reproduce, workbench
from nerd_gui.reproduce import run as module
from nerd_gui.reproduce.item import ReproduceError
from nerd_gui.reproduce.page import update_page

#: The quick run of all items takes ten seconds of computing, and much longer on a busy machine.
pytestmark = pytest.mark.timeout(400)


def quick_run(folder, names, say):
    with pytest.MonkeyPatch.context() as patch:  # the checkout may change meanwhile, and midnight may pass
        patch.setattr(module, "_version", lambda: "0.1.0 at c0ffee")
        patch.setattr(module, "_today", lambda: "2026-01-02")
        patch.setattr(module, "_machine", lambda: "a machine")
        reproduce(names, folder, quick=True, command="nerd-gui reproduce all --quick", say=say)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a quick run of all items."""
    folder = tmp_path_factory.mktemp("made")
    quick_run(folder, list(ITEMS), print)
    return folder


def test_every_item_is_on_the_page_with_its_rows_and_figures(made):
    page = (made / "index.md").read_text()
    for item in ITEMS.values():
        assert f"\n## {item.title}\n" in page
        assert item.repeats in page
        rows = made / item.csv
        assert f"({item.csv})" in page or item.networks == ()
        if item.networks:  # the networks that come with the program; some others exist only once they are trained
            assert rows.read_text().startswith("network,weights,picture,pixels,")
            assert len(rows.read_text().splitlines()) > 1
    assert page.count("`nerd-gui reproduce all --quick`, 0.1.0 at c0ffee") == len(ITEMS)
    assert page.count("No number below means anything") == len(ITEMS)
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\.png\)", page)
    assert len(pictures) >= len(set(pictures)) > 0
    for name in pictures:
        with Image.open(made / f"{name}.png") as image:
            assert min(image.size) > 100
        assert ElementTree.parse(made / f"{name}.svg").getroot().tag.endswith("svg")


def test_a_second_run_measures_nothing_and_changes_nothing(made, monkeypatch):
    before = {path.name: path.read_bytes() for path in made.iterdir()}

    def no_network(name):
        raise AssertionError(f"{name} is loaded")

    monkeypatch.setattr(workbench, "load_model", no_network)
    said = []
    names = ["table-1", "figure-9", "figure-10"]
    quick_run(made, names, said.append)
    assert [words.partition(":")[0] for words in said] == names  # only their verdicts
    after = {path.name: path.read_bytes() for path in made.iterdir()}
    assert [name for name in before if before[name] != after.get(name)] == []


def test_the_page_of_what_is_there_alone(made, tmp_path, monkeypatch):
    for name in ("figure-9.csv", "figure-9-black-vein.npz", "figure-9-white-area-of-the-wing.npz"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    monkeypatch.setattr(workbench, "load_model", lambda name: pytest.fail(f"{name} is loaded"))
    said = []
    reproduce(["figure-9", "figure-10", "table-1"], tmp_path, quick=True, measures=False, say=said.append)
    page = (tmp_path / "index.md").read_text()
    assert f"## {ITEMS['figure-9'].title}" in page and f"## {ITEMS['figure-10'].title}" not in page
    assert "Not measured yet in this folder:" in page and "(`figure-10`)" in page and "(`figure-9`)" not in page
    assert [words.partition(":")[2] for words in said[1:]] == [
        " some of its rows are not measured yet, so its section is left as it is."
    ] * 2
    (tmp_path / "figure-9-black-vein.npz").unlink()  # what the rows describe does not exist
    said.clear()
    reproduce(["figure-9"], tmp_path, quick=True, measures=False, say=said.append)
    assert "some of its rows are not measured" in said[0]


def test_what_is_missing_is_found_before_anything_is_measured(tmp_path, capsys, monkeypatch):
    assert main(["reproduce", "figure-10", "--out", str(tmp_path / "out")]) == 2
    assert "“set12” are missing" in capsys.readouterr().err
    assert main(["reproduce", "figure-10", "--data", str(tmp_path / "no"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert main(["reproduce", "figure-99", "--out", str(tmp_path / "out")]) == 2
    monkeypatch.setattr(module, "is_here", lambda name: False)
    with pytest.raises(ReproduceError, match="needs the network “nerd-lite-25”"):
        reproduce(["figure-10"], tmp_path / "out", quick=True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ReproduceError, match=r"pip install \"nerd-gui\[reproduce\]\""):
        reproduce(["figure-10"], tmp_path / "out", quick=True)
    assert not (tmp_path / "out").exists()


def test_a_section_replaces_its_own_and_no_other(tmp_path):
    item = next(iter(ITEMS.values()))
    update_page(tmp_path, {"one": item, "two": item}, {"one": "old words", "two": "second"})
    update_page(tmp_path, {"one": item, "two": item}, {"one": "new <!-- x -->"})
    page = (tmp_path / "index.md").read_text()
    assert "new <!-- x -->" in page and "second" in page and "old words" not in page

"""Commands and code in the documents work, or are marked as taking hours, a GPU or a download."""

import importlib
import re
import shlex
import shutil

import numpy as np
import pytest
from document_code import DOCUMENTS, ROOT, blocks, commands
from PIL import Image

from nerd_gui.cli import COMMANDS, main

NERD = [command for command in commands() if command.line.startswith("nerd-gui ")]
#: Commands that download; `.ci/run` tries the installation.
INSTALLS = (".venv/bin/pip install", "pip install", "pipx install", "python3 -m venv", "sudo apt install", "uv tool")


def parsed(command):
    """Return a command's name and its arguments, parsed by the program itself."""
    words = shlex.split(command.line)[1:]
    name = words.pop(0) if words and words[0] in COMMANDS else "window"
    module = importlib.import_module(f"nerd_gui.cli.{name}".replace("-", "_"))
    return name, module.parser().parse_intermixed_args(words)


def test_every_option_in_the_documents_is_one_of_the_program():
    for command in NERD:
        try:
            parsed(command)
        except SystemExit as leaves:  # --help and --version print something and exit
            assert leaves.code == 0


def test_every_command_of_the_program_is_in_its_help_and_in_the_page_on_the_command_line(capsys):
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--help"])
    words = capsys.readouterr().out
    for name in COMMANDS:
        assert f"nerd-gui {name} " in words, name
        assert re.search(rf"nerd-gui {name} |`{name}`", page), name


def test_no_command_of_another_program_is_left_untried():
    for command in commands():
        if not command.line.startswith("nerd-gui") and not command.costs:
            known = command.line.startswith(INSTALLS) or command.line in TRIED_ELSEWHERE
            assert known, f"{command.document.name}: {command.line}"


#: Commands of other programs, and the test that runs them.
TRIED_ELSEWHERE = {
    "python docs/onnx_solver.py nerd-lite-25-onnx/ noisy.png denoised.png": "tests/nerd/test_onnx.py",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a small file under each name that the documents use; the cards are copies."""
    place = tmp_path_factory.mktemp("desk")
    (place / "holidays").mkdir()
    (place / "docs").mkdir()
    for path in (ROOT / "docs" / "networks.md", ROOT / "docs" / "total_variation.py", ROOT / "README.md"):
        shutil.copy(path, place / path.relative_to(ROOT))
    shutil.copytree(ROOT / "weights", place / "weights", ignore=shutil.ignore_patterns("state"))
    (place / "figures.json").write_text("[]")
    chance = np.random.default_rng(0)
    for name, rows, cols in (
        ("photo.jpg", 96, 128),  # the smallest size in which `nerd-gui noise` finds enough flat parts
        ("photo.png", 24, 32),
        ("clean.png", 24, 32),
        ("holidays/a.jpg", 96, 128),
    ):
        pixels = np.linspace(60, 190, cols)[None, :, None] + chance.normal(0, 9, (rows, cols, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place / name)
    return place


FREE = {command.line: command for command in NERD if not command.costs}


@pytest.mark.parametrize("command", FREE.values(), ids=FREE)
def test_every_command_that_does_not_say_what_it_costs_runs(command, desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    words = shlex.split(command.line)[1:]
    if "--help" in words or "--version" in words:
        with pytest.raises(SystemExit) as leaves:
            main(words)
        assert leaves.value.code == 0
        return
    assert main(words) == 0
    for option in ("-o", "--report", "--json"):
        if option in words and not words[words.index(option) + 1].startswith("-"):
            assert (desk / words[words.index(option) + 1]).exists()


@pytest.mark.parametrize("page", [path for path in DOCUMENTS if blocks(path, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    names = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    said = capsys.readouterr().out
    for promised in re.findall(r"print\(.*#.*?([\d  .]*\d)\b", "\n".join(blocks(page, "python"))):
        assert promised.replace(" ", "").replace(" ", "") in said.replace(",", ""), promised

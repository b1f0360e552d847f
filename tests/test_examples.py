"""The examples in the docstrings of public names: each has some, and they run."""

import doctest
import importlib
import inspect
import re
from enum import StrEnum

import pytest
import torch
from PIL import Image

ROOMS = {
    "nerd_gui.nerd": ("NERD", "NerdConfig", "load_model"),
    "nerd_gui.equilibrium": ("broyden", "anderson", "plain"),
}
METHODS = ("inject", "implicit", "decode", "estimate", "fold")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def promised():
    """Return the room and name of each: those in the design, and all of `nerd_gui.analysis`."""
    for room, names in ROOMS.items():
        yield from ((room, name) for name in names)
    yield from (("nerd_gui.nerd", f"NERD.{method}") for method in METHODS)
    yield "nerd_gui.equilibrium", "SolverStep"
    yield "nerd_gui.nerd.attention", "neighbourhood_attention"
    yield from (("nerd_gui.analysis", name) for name in importlib.import_module("nerd_gui.analysis").__all__)


def found(room, name):
    subject = importlib.import_module(room)
    for part in name.split("."):
        subject = getattr(subject, part)
    return subject


def examples(docstring, name):
    """Return the text under the heading Examples."""
    _, heading, text = inspect.cleandoc(docstring or "").partition("\nExamples\n--------\n")
    return doctest.DocTestParser().get_examples(text, name) if heading else []


def run(lines, known, name):
    """Run examples with the names that are imported in the room; return the names they define."""
    test = doctest.DocTest(lines, known, name, None, 0, None)
    words = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=words.append, clear_globs=False)
    assert lines and runner.summarize(verbose=False).failed == 0, "".join(words)
    return test.globs


def known_in(room):
    """Return the names of PyTorch and of the room."""
    module = importlib.import_module(room)
    return {"torch": torch, **{name: getattr(module, name) for name in module.__all__}}


@pytest.fixture(scope="module")
def equilibrium():
    """Return the names that the analyses' examples start from, as in the docstring of their room."""
    lines = examples(importlib.import_module("nerd_gui.analysis").__doc__, "nerd_gui.analysis")
    return run(lines, known_in("nerd_gui.analysis"), "nerd_gui.analysis")


@pytest.mark.parametrize(("room", "name"), list(promised()))
def test_the_examples_do_what_they_say(room, name, request):
    known = request.getfixturevalue("equilibrium") if room == "nerd_gui.analysis" else known_in(room)
    run(examples(found(room, name).__doc__, name), dict(known), name)


@pytest.mark.parametrize(("room", "name"), list(promised()))
def test_every_argument_and_what_is_returned_is_described(room, name):
    subject = found(room, name)
    sections = dict(
        re.findall(r"^(\w+)\n-+\n((?:.+\n?|\n(?!\w+\n-))*)", inspect.cleandoc(subject.__doc__), re.MULTILINE)
    )
    if inspect.isclass(subject):
        assert issubclass(subject, Exception | StrEnum) or sections.keys() & {"Parameters", "Attributes"}
        return
    signature = inspect.signature(subject)
    described = re.findall(r"^(\w+(?:, \w+)*)(?: :.*)?$", sections.get("Parameters", ""), re.MULTILINE)
    assert {"self", *", ".join(described).split(", ")} >= set(signature.parameters)
    assert signature.return_annotation in (None, "None") or sections.keys() & {"Returns", "Yields"}


def test_the_example_of_the_window(qtbot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (24, 24)).save("photo.png")
    room = importlib.import_module("nerd_gui.window")
    window = run(examples(room.MainWindow.__doc__, "MainWindow"), {"MainWindow": room.MainWindow}, "MainWindow")[
        "window"
    ]
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: not window.opener.busy)
    assert window.session.workspace.photo.rows == 24


def test_a_name_without_examples_or_with_false_ones_is_noticed():
    assert examples("A docstring.\n\nReturns\n-------\nint", "lone") == []
    with pytest.raises(AssertionError):
        run([], {}, "lone")
    with pytest.raises(AssertionError):
        run(examples("One.\n\nExamples\n--------\n>>> 1 + 1\n3\n", "false"), {}, "false")

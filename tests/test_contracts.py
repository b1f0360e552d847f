"""Rules for the whole source: imports between rooms, style, types, sizes, and no unpickling."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for folder in ("nerd_gui", "tests") for path in (ROOT / folder).rglob("*.py"))
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def run(*arguments, cwd=ROOT):
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def lint_imports(folder):
    """Run import-linter on the package in a folder; return its exit code and output."""
    return run(
        "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))", cwd=folder
    )


@pytest.fixture
def copy_of_the_package(tmp_path):
    shutil.copytree(ROOT / "nerd_gui", tmp_path / "nerd_gui", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_room_imports_only_from_above_and_qt_is_in_the_window_alone():
    code, words = lint_imports(ROOT)
    assert code == 0, words
    assert "0 broken" in words


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("nerd/attention/dispatch.py", "import nerd_gui.equilibrium"),
        ("imaging/photo.py", "from nerd_gui.denoising import run"),
        ("denoising/run.py", "import PySide6.QtCore"),
        ("training/train.py", "import pyqtgraph"),
        ("window/session/workspace.py", "import nerd_gui.window.curves.panel"),
        ("window/attention/panel.py", "import nerd_gui.window.picture.view"),
        ("window/scrubber/scrubber.py", "import nerd_gui.window.files.export"),
        ("window/files/open_dialogs.py", "import nerd_gui.window.main_window"),
    ],
)
def test_the_contracts_notice_a_breach(copy_of_the_package, room, line):
    path = copy_of_the_package / "nerd_gui" / room
    path.write_text(f"{path.read_text()}\n\ndef breach():\n    {line}\n")
    code, words = lint_imports(copy_of_the_package)
    assert code == 1, words
    assert "1 broken" in words


def test_torch_is_loaded_before_qt():
    """In the other order torch fails to load on Windows."""
    program = (
        "import sys; from nerd_gui.window import MainWindow; names = list(sys.modules); "
        "print(names.index('torch') < names.index('PySide6'))"
    )
    assert run("-c", program) == (0, "True\n")
    # Elsewhere the program shows something first; there, nothing of Qt comes before torch, which is not there here.
    program = (
        "import sys; sys.platform = 'win32'; sys.modules['torch'] = None\n"
        "try: import nerd_gui.window.application\n"
        "except ImportError as error: print(error.name, 'PySide6' in sys.modules)"
    )
    assert run("-c", program) == (0, "torch False\n")


def test_style():
    for arguments in (("check",), ("format", "--check")):
        code, words = run("-m", "ruff", *arguments, "nerd_gui", "tests")
        assert code == 0, words


def test_every_file_is_short():
    assert [path.name for path in SOURCES if len(path.read_text().splitlines()) > 400] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the files of the project are known in a checkout only")
def test_nothing_else_lies_at_the_top():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = {path.split("/")[0] for path in tracked if not path.startswith(".")}
    words = {f"{name}.md" for name in ("CHANGELOG", "CODE_OF_CONDUCT", "CONTRIBUTING", "README", "SECURITY")}
    others = {"CITATION.cff", "LICENSE", "constraints.txt", "pyproject.toml"}
    assert found == {"docs", "nerd_gui", "resources", "tests", "weights"} | words | others


def test_no_two_modules_of_the_tests_share_a_name():
    """The folders are not packages, so pytest could not import the second one."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert [name for name in names if names.count(name) > 1] == []


def test_files_are_written_by_one_writer():
    """Only `nerd_gui/files.py` writes files, completely or not at all; the log of a crash is an exception."""
    written = re.compile(r"(?<!files)\.write_(?:bytes|text)\(|\bopen\([^)]*[\"'][wxa]b?\+?[\"']|NamedTemporary|mkstemp")
    package = ROOT / "nerd_gui"
    sources = [path for path in SOURCES if path.is_relative_to(package)]
    found = {path.relative_to(package).as_posix(): written.findall(path.read_text()) for path in sources}
    found = {path: what for path, what in found.items() if what}
    assert found.keys() == {"files.py", "window/recovery/log.py", "denoising/session_file/archive.py"}, found
    assert found["denoising/session_file/archive.py"] == ['open(name, "w"'], "a member of the file that is written"


def test_nothing_is_unpickled():
    found = {path.name: unsafe(path.read_text()) for path in SOURCES}
    assert not {name: what for name, what in found.items() if what}


def unsafe(text):
    """Return the calls that could run code from a file that is merely opened."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in UNSAFE_MODULES]
        elif isinstance(node, ast.ImportFrom):
            loads = node.module == "torch" and any(name.name == "load" for name in node.names)
            found += [node.module] if loads or (node.module or "").split(".")[0] in UNSAFE_MODULES else []
        elif isinstance(node, ast.Attribute) and node.attr == "load":
            found += ["torch.load"] if isinstance(node.value, ast.Name) and node.value.id == "torch" else []
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            found += ["allow_pickle"]
    return found


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import os, joblib.memory",
        "from pickle import loads",
        "from torch import nn, load",
        "net = torch.load('net.pt', weights_only=True)",
        "numpy.load('a.npy', allow_pickle=True)",
    ],
)
def test_unpickling_is_noticed(line):
    assert unsafe(line)
    assert not unsafe("import numpy as np\nfrom torch import Tensor\narray = np.load('a.npz')")

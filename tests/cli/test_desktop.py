"""`nerd-gui --install-desktop`: the files it writes and the ones it keeps; a desktop can start the program."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nerd_gui.cli import main
from nerd_gui.denoising.session_file import MIME_TYPE
from nerd_gui.places import data_folder
from nerd_gui.window.system_libraries import PACKAGES

FILES = {
    "applications/nerd-gui.desktop",
    "mime/packages/nerd-gui-mime.xml",
    "icons/hicolor/scalable/apps/nerd-gui.svg",
}


@pytest.fixture
def share(tmp_path, monkeypatch):
    """Return the folder for desktop files of a Linux user; it is empty at first."""
    folder = tmp_path / "a share"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("PATH", "")  # there is no program that updates the database
    return folder


def written(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_three_files_are_written_named_and_removed(share, capsys):
    assert main(["--install-desktop", "--dry-run"]) == 0
    assert not share.exists()
    assert capsys.readouterr().out.splitlines() == [f"would write {share / name}" for name in sorted(FILES, key=order)]
    assert main(["--install-desktop"]) == 0
    assert written(share) == FILES
    assert capsys.readouterr().out.splitlines() == [f"wrote {share / name}" for name in sorted(FILES, key=order)]
    for name in FILES - {"applications/nerd-gui.desktop"}:  # unchanged
        ElementTree.parse(share / name)
    assert main(["--install-desktop"]) == 0, "a second time it replaces its own files"
    assert main(["--uninstall-desktop", "--dry-run"]) == 0
    assert written(share) == FILES
    assert main(["--uninstall-desktop"]) == 0
    assert written(share) == set()
    capsys.readouterr()
    assert main(["--uninstall-desktop"]) == 0
    assert capsys.readouterr().out == "There is nothing to remove.\n"


def order(name):
    return ["applications", "mime", "icons"].index(name.split("/")[0])


def test_a_file_of_somebody_elses_is_left_alone(share, capsys):
    theirs = share / "icons/hicolor/scalable/apps/nerd-gui.svg"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("<svg/>")
    for command in ("--install-desktop", "--uninstall-desktop"):
        assert main([command]) == 2
        words = capsys.readouterr().err
        assert (
            words
            == f"nerd-gui: “{theirs}” was not written by this command, so it is left as it is; move it away first.\n"
        )
    assert written(share) == {"icons/hicolor/scalable/apps/nerd-gui.svg"} and theirs.read_text() == "<svg/>"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_a_sentence_says_what_to_do(share, monkeypatch, capsys, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert main(["--install-desktop"]) == 2
    assert "works on Linux only. On Windows and macOS, start the program with “nerd-gui”" in capsys.readouterr().err
    assert not share.exists()


@pytest.mark.skipif(not shutil.which("gio"), reason="a tool of Linux desktops")
def test_a_desktop_starts_the_program_from_any_folder(share, tmp_path, monkeypatch):
    """GLib starts the program, as most desktops do; the folder's name has characters that need escaping."""
    gio, path = shutil.which("gio", path=os.defpath), os.defpath
    folder = tmp_path / 'a "folder" of $HOME, \\ and `ls`'
    folder.mkdir()
    program, told = folder / "nerd-gui", tmp_path / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert main(["--install-desktop"]) == 0
    entry = share / "applications/nerd-gui.desktop"
    subprocess.run([gio, "launch", entry, "/a photo.png"], check=True, env=os.environ | {"PATH": path}, timeout=20)
    deadline = 20
    while not (told.exists() and told.read_text()) and deadline:
        deadline -= 1
        subprocess.run(["sleep", "0.1"], check=True, env={"PATH": path})
    assert told.read_text() == "/a photo.png\n"


@pytest.mark.skipif(not shutil.which("update-mime-database"), reason="a tool of Linux desktops")
def test_the_databases_take_notice(share, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    assert main(["--install-desktop"]) == 0
    assert f"{MIME_TYPE}:*.nerd" in (share / "mime/globs").read_text()
    assert main(["--uninstall-desktop"]) == 0
    assert MIME_TYPE not in (share / "mime/globs").read_text()


@pytest.mark.skipif(not shutil.which("appstreamcli"), reason="a tool of Linux distributions")
def test_what_software_centres_read_is_valid():
    (file,) = (data_folder("resources") / "desktop").glob("*.metainfo.xml")
    done = subprocess.run(["appstreamcli", "validate", "--no-net", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


MISSING = "libEGL.so.1: cannot open shared object file: No such file or directory"


def test_a_missing_system_library_is_named_with_what_to_install(tmp_path):
    """Importing Qt fails, as on a system that lacks one of its libraries."""
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").write_text("")
    (tmp_path / "PySide6" / "QtCore.py").write_text(f"raise ImportError({MISSING!r})")
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])}
    done = subprocess.run(
        [sys.executable, "-m", "nerd_gui"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("nerd-gui: The window cannot be shown: Qt lacks the system library libEGL.so.1.")
    assert f"apt install {PACKAGES}." in done.stderr and done.stderr.count("\n") == 1
    documents = "".join(path.read_text(encoding="utf-8") for path in [root / "README.md", *root.glob("docs/**/*.md")])
    told = re.findall(r"apt install ((?:lib[\w.-]+\s+)*lib[\w.-]+)", documents)
    assert told and all(packages.split() == PACKAGES.split() for packages in told)

"""The files that let a Linux desktop open a session by double click."""

import configparser
import os
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from nerd_gui.cli.window import parser
from nerd_gui.denoising.session_file import MIME_TYPE, SUFFIX, SavedSession, write_session
from nerd_gui.places import data_folder

FOLDER = data_folder("resources") / "desktop"
NAMESPACE = "{http://www.freedesktop.org/standards/shared-mime-info}"


@pytest.fixture
def session(tmp_path, tiny_photo):
    path = tmp_path / f"a{SUFFIX}"
    write_session(path, SavedSession(tiny_photo), overwrite=False)
    return path


def test_the_entry_starts_the_program_on_a_file():
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(FOLDER / "nerd-gui.desktop", encoding="utf-8")
    values = entry["Desktop Entry"]
    assert values["Type"] == "Application" and values["Exec"] == "nerd-gui %f"
    assert MIME_TYPE in values["MimeType"].split(";")
    assert (data_folder("resources") / "icons" / f"{values['Icon']}.svg").is_file()
    assert str(parser().parse_args(["a.nerd"]).photo) == "a.nerd"


def test_the_type_is_that_of_our_files(session):
    (kind,) = ElementTree.parse(FOLDER / "nerd-gui-mime.xml").getroot()
    assert kind.get("type") == MIME_TYPE and kind.find(f"{NAMESPACE}glob").get("pattern") == f"*{SUFFIX}"
    content = session.read_bytes()
    for match in kind.iter(f"{NAMESPACE}match"):
        value = match.get("value").encode().decode("unicode_escape").encode("latin-1")
        offset = int(match.get("offset"))
        assert content[offset : offset + len(value)] == value


@pytest.mark.skipif(
    not (shutil.which("update-mime-database") and shutil.which("gio")), reason="a tool of Linux desktops"
)
@pytest.mark.parametrize("name", ["a.nerd", "without-a-suffix"])
def test_a_desktop_knows_them(session, tmp_path, name):
    """By their suffix and by their first bytes."""
    packages = tmp_path / "share" / "mime" / "packages"
    packages.mkdir(parents=True)
    shutil.copy(FOLDER / "nerd-gui-mime.xml", packages)
    subprocess.run(["update-mime-database", packages.parent], check=True, capture_output=True)
    file = session.rename(session.with_name(name))
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path / "share")}
    command = ["gio", "info", "--attributes", "standard::content-type", str(file)]
    words = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert MIME_TYPE in words

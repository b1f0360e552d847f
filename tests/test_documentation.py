"""The documentation is built without warnings, by the command in CONTRIBUTING."""

import inspect
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Page(HTMLParser):
    """The links, pictures and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors.add(attrs.get("id"))
        self.targets += [attrs[name] for name in ("href", "src") if attrs.get(name)]


pytestmark = pytest.mark.timeout(400)  # ten seconds of computing; more on a busy machine


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the built pages."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    command = shlex.split(re.search(r"^(python -m sphinx .*?)\s+#", text, re.MULTILINE)[1])
    assert "-W" in command
    place = tmp_path_factory.mktemp("documentation")
    command = [sys.executable, *command[1:-1], str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return place


def test_the_documentation_is_built_without_a_warning_and_its_links_lead_somewhere(built):
    pages = {path: Page(path) for path in built.rglob("*.html")}
    assert len(pages) > 10
    for path, page in pages.items():
        for target in page.targets:
            file, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):  # elsewhere, or data
                continue
            there = (path.parent / file.partition("?")[0]).resolve() if file else path
            assert there.exists(), f"{path.name}: {target}"
            assert not anchor or there not in pages or anchor in pages[there].anchors, f"{path.name}: {target}"


def test_the_public_names_are_in_the_api_with_their_parameters(built):
    text = "".join(path.read_text(encoding="utf-8") for path in (built / "api").rglob("*.html"))
    import nerd_gui.analysis
    import nerd_gui.equilibrium
    import nerd_gui.nerd

    for room in (nerd_gui.analysis, nerd_gui.equilibrium, nerd_gui.nerd):
        for name in room.__all__:
            if inspect.isclass(getattr(room, name)) or inspect.isfunction(getattr(room, name)):
                assert f'id="{room.__name__}.{name}"' in text, name
    assert "Raises" in text and "shape (B, heads, rows, cols" in text

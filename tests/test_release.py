"""Installation, citation and release: all versions agree, and one command changes them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import nerd_gui
from nerd_gui.window.system_libraries import PACKAGES

ROOT = Path(__file__).resolve().parents[1]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_program_and_its_paper_can_be_cited():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == nerd_gui.__version__ and citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors", "date-released"} <= citation.keys()
    (paper,) = citation["references"]
    assert paper["title"] == "Equilibrium Image Denoising with Implicit Differentiation"
    assert [author["family-names"] for author in paper["authors"]] == ["Chen", "Wang", "Geng", "Wang", "Yang", "Lin"]


def test_the_changelog_is_dated_and_in_two_parts():
    text = read("CHANGELOG.md")
    unreleased, *released = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert released and all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", one) for one in released)
    for version in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        assert re.findall(r"^### (.*)$", version, re.MULTILINE) == ["For users", "For developers"]
        before_the_parts = version.partition("\n")[2].partition("###")[0]
        assert not before_the_parts.strip(), "a line stands under the version and in neither part"


@pytest.fixture
def copy(tmp_path):
    """Copy the files that contain the version, and the command."""
    (metainfo,) = ROOT.glob("resources/desktop/*.metainfo.xml")
    for path in ("CHANGELOG.md", "CITATION.cff", "nerd_gui/__init__.py", metainfo.relative_to(ROOT), ".ci/bump"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def bump(copy, version):
    return subprocess.run([sys.executable, copy / ".ci/bump", version], capture_output=True, text=True, check=False)


def test_one_command_changes_the_version_everywhere(copy):
    done = bump(copy, "9.8.7")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    stands = [path for path in copy.rglob("*") if path.is_file() and "9.8.7" in path.read_text(encoding="utf-8")]
    assert len(stands) == 4
    before, after = read("CHANGELOG.md"), (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"## Unreleased\n\n### For users\n\n### For developers\n\n## 9\.8\.7 \(\d{4}-\d\d-\d\d\)\n", after)
    assert after.endswith(before.partition("## Unreleased")[2])


@pytest.mark.parametrize("damage", ["version", "file"])
def test_nothing_is_changed_by_halves(copy, damage):
    if damage == "file":
        (copy / "CITATION.cff").write_text("title: x\n")
    kept = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    done = bump(copy, "next" if damage == "version" else "9.8.7")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert kept == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}


def test_the_workflow_runs_the_documented_command_on_three_systems():
    workflow = yaml.safe_load(read(".github/workflows/tests.yml"))
    job = workflow["jobs"]["tests"]
    matrix = job["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "windows", "macos"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    documented = re.search(r"QT_QPA_PLATFORM=offscreen \S*(python -m pytest -n 2)", read("CONTRIBUTING.md"))[1]
    assert any(command.startswith(documented) for command in commands) and "offscreen" in job["env"].values()
    assert any(" ".join(command.split()).endswith(PACKAGES) for command in commands)


def test_the_issue_forms_are_forms():
    """Check the keys that GitHub requires."""
    forms = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 3
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and form["body"]
        identities = [field["id"] for field in form["body"]]
        assert len(set(identities)) == len(identities)
        assert all(field["type"] == "textarea" and field["attributes"]["label"] for field in form["body"])

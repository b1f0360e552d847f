"""The code in the documents: shell commands with the comments on their cost, and blocks of Python."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
#: Documents for users of the program; those for its developers name commands of other tools.
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: The comment behind a command that cannot run in a test.
COST = re.compile(r"^(takes (a minute|minutes|half an hour|an hour|hours)|needs |opens the window|downloads)")


class Command(NamedTuple):
    """A line of a block of shell, without its comment, and the comment."""

    document: Path
    line: str
    comment: str

    @property
    def costs(self):
        return bool(COST.match(self.comment))


def blocks(path, language):
    """Return the text of the blocks of code in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands():
    """Return every line of shell in the documents."""
    found = []
    for path in DOCUMENTS:
        for block in blocks(path, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                code, _, comment = line.partition("  #")
                if code.strip():
                    found.append(Command(path, code.strip(), comment.strip()))
    return found

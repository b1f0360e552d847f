"""Where to save: a name is completed before anything is asked, and no file is replaced without a yes to its name."""

import os
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox, QWidget


class Target(NamedTuple):
    """A file to write, and whether the person has agreed to replace what stands there."""

    path: Path
    overwrite: bool


def ask_target(
    parent: QWidget, title: str, suggested: Path, kinds: dict[str, str], original: Path | None = None
) -> Target | None:
    """Ask where to save; None if the person would rather not.

    Parameters
    ----------
    suggested : Path
        The folder and the name proposed, with a suffix.
    kinds : dict
        The formats on offer: their names, and the patterns of their files, as in ``{"TIFF": "*.tif *.tiff"}``. A name
        typed without a suffix takes the first of the chosen format, or that of `suggested` until another is chosen; a
        name typed with the suffix of a format chooses that.
    original : Path, optional
        The photo that the saved file comes from. It is replaced after a second yes only.
    """
    filters = {f"{name} ({patterns})": patterns.split()[0].removeprefix("*.") for name, patterns in kinds.items()}
    dialog = QFileDialog(parent, title, str(suggested.parent))
    dialog.setObjectName("saveDialog")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    # Some systems' own dialogs ask about the name as it was typed and complete it then: the question is asked here.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.setNameFilters(list(filters))
    _choose_kind(dialog, suggested.suffix)
    dialog.setDefaultSuffix(suggested.suffix)
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
    dialog.selectFile(suggested.name)
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    if line is not None:  # a system's own dialog has none
        line.textEdited.connect(lambda name: _follow(dialog, line, name))
    try:
        while dialog.exec():
            path = Path(dialog.selectedFiles()[0])
            if not os.path.lexists(path):
                return Target(path, overwrite=False)
            if _may_replace(parent, title, path, original):
                return Target(path, overwrite=True)
        return None
    finally:
        dialog.deleteLater()


def _choose_kind(dialog: QFileDialog, suffix: str) -> None:
    """Choose the format that a suffix belongs to, if it is another one than is chosen."""
    for words in dialog.nameFilters():
        patterns = words.rpartition("(")[2].removesuffix(")").split()
        if f"*{suffix.lower()}" in patterns and words != dialog.selectedNameFilter():
            dialog.selectNameFilter(words)
            dialog.setDefaultSuffix(patterns[0].removeprefix("*."))


def _follow(dialog: QFileDialog, line: QLineEdit, name: str) -> None:
    """Let the format follow a name that is being typed; the name stays as it is, whose suffix Qt fits to the format."""
    place = line.cursorPosition()
    _choose_kind(dialog, Path(name).suffix)
    if line.text() != name:
        line.setText(name)
        line.setCursorPosition(place)


def _may_replace(parent: QWidget, title: str, path: Path, original: Path | None) -> bool:
    question = f"“{path.name}” exists already in “{path.parent}”. Replace it?"
    if not _agrees(parent, "replaceDialog", title, question, "Replace the file"):
        return False
    if original is None or not is_same_file(path, original):
        return True
    question = (
        f"“{path.name}” is the original photo. Once replaced it cannot be had back, nor be denoised anew. Replace the "
        "original?"
    )
    return _agrees(parent, "replaceOriginalDialog", title, question, "Replace the original")


def is_same_file(path: Path, other: Path) -> bool:
    """Whether two names lead to one file, also by a link or by capitals that the disk does not tell apart."""
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there
        return path.absolute() == other.absolute()


def _agrees(parent: QWidget, name: str, title: str, question: str, yes: str) -> bool:
    buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
    box = QMessageBox(QMessageBox.Icon.Warning, title, question, buttons, parent)
    box.setObjectName(name)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.button(QMessageBox.StandardButton.Yes).setText(yes)
    box.button(QMessageBox.StandardButton.No).setText("Choose another name")
    box.setDefaultButton(QMessageBox.StandardButton.No)
    agreed = box.exec() == QMessageBox.StandardButton.Yes
    box.deleteLater()
    return agreed

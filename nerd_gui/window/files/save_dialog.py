"""Asks where to save: the name is completed first, and no file is replaced without a person's consent to its name."""

import os
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox, QWidget


class Target(NamedTuple):
    """A file to write, and whether the person has agreed to replace an existing one."""

    path: Path
    overwrite: bool


def ask_target(
    parent: QWidget, title: str, suggested: Path, kinds: dict[str, str], original: Path | None = None
) -> Target | None:
    """Ask where to save; return None if the person cancels.

    Parameters
    ----------
    suggested : Path
        The proposed folder and file name, with a suffix.
    kinds : dict
        The formats to choose from: their names and file patterns, as in ``{"TIFF": "*.tif *.tiff"}``. A name typed
        without a suffix gets the first suffix of the chosen format, or that of `suggested` until a format has been
        chosen; a name typed with a format's suffix chooses that format.
    original : Path, optional
        The photo that the saved file comes from. It is replaced only after a second question.
    """
    filters = {f"{name} ({patterns})": patterns.split()[0].removeprefix("*.") for name, patterns in kinds.items()}
    dialog = QFileDialog(parent, title, str(suggested.parent))
    dialog.setObjectName("saveDialog")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    # Some systems' dialogs ask about the name as it was typed and complete it afterwards, so the code below asks.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.setNameFilters(list(filters))
    _choose_kind(dialog, suggested.suffix)
    dialog.setDefaultSuffix(suggested.suffix)
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
    dialog.selectFile(suggested.name)
    line = dialog.findChild(QLineEdit, "fileNameEdit")
    if line is not None:  # a system's own dialog has no such line
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
    """Choose the format that a suffix belongs to, unless it is chosen already."""
    for words in dialog.nameFilters():
        patterns = words.rpartition("(")[2].removesuffix(")").split()
        if f"*{suffix.lower()}" in patterns and words != dialog.selectedNameFilter():
            dialog.selectNameFilter(words)
            dialog.setDefaultSuffix(patterns[0].removeprefix("*."))


def _follow(dialog: QFileDialog, line: QLineEdit, name: str) -> None:
    """Choose the format that fits the typed name; restore the name, whose suffix Qt adapts to the format."""
    place = line.cursorPosition()
    _choose_kind(dialog, Path(name).suffix)
    if line.text() != name:
        line.setText(name)
        line.setCursorPosition(place)


def _may_replace(parent: QWidget, title: str, path: Path, original: Path | None) -> bool:
    question = f"“{path.name}” already exists in “{path.parent}”. Replace it?"
    if not _agrees(parent, "replaceDialog", title, question, "Replace the file"):
        return False
    if original is None or not is_same_file(path, original):
        return True
    question = (
        f"“{path.name}” is the original photo. Once it is replaced, you cannot get it back or denoise it again. "
        "Replace the original?"
    )
    return _agrees(parent, "replaceOriginalDialog", title, question, "Replace the original")


def is_same_file(path: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, also through links or a difference in case that the disk ignores."""
    try:
        return path.samefile(other)
    except OSError:  # one of the files does not exist
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

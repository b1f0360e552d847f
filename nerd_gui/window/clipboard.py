"""Copies what has the focus, pastes pictures, and offers context menus over picture, curves and maps."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget

from nerd_gui.window.attention.figure import MapsFigure
from nerd_gui.window.attention.panel import AttentionPanel
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.files.open_dialogs import OpenDialogs, dropped_files
from nerd_gui.window.messages import Messages
from nerd_gui.window.picture.copying import PictureCopy
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut

_WORD_TIME = 6000  # milliseconds for which a message stays


class Clipboard:
    """Copies to the clipboard and pastes from it."""

    def __init__(
        self,
        window: QMainWindow,
        session: Session,
        picture: PictureView,
        curves: Curves,
        maps: AttentionPanel,
        messages: Messages,
    ) -> None:
        self._window = window
        self._session = session
        self._picture, self._curves, self._maps = picture, curves, maps
        self._messages = messages
        self._copying = PictureCopy(window)
        self._copying.made.connect(self._on_picture)
        self.copy, self.paste, self.copy_picture, self.copy_curves, self.copy_maps = (
            QAction(text, window)
            for text in ("&Copy", "&Paste", "Copy p&icture", "Copy c&urves’ numbers", "Copy &maps as a picture")
        )
        for action, name, tip, shortcut, do in (
            (
                self.copy,
                "copyAction",
                "Copy what you clicked last: picture, curves, maps, or a number",
                Shortcut.COPY,
                self._copy,
            ),
            (self.paste, "pasteAction", "Open the picture or the files in the clipboard", Shortcut.PASTE, None),
            (
                self.copy_picture,
                "copyPictureAction",
                "Copy the visible part of the right picture",
                None,
                self._copy_picture,
            ),
            (
                self.copy_curves,
                "copyCurvesAction",
                "Copy the numbers of the curves as a table",
                None,
                self._copy_curves,
            ),
            (self.copy_maps, "copyMapsAction", "Copy the attention maps with their figures", None, self._copy_maps),
        ):
            action.setObjectName(name)
            if shortcut is not None:
                action.setShortcut(shortcut.sequence)
                tip = f"{tip} ({shortcut.text})"
            action.setToolTip(f"{tip}.")
            action.setStatusTip(f"{tip}.")
            if do is not None:
                action.triggered.connect(lambda _, do=do: do())
        for label in (label for panel in (picture, curves, maps) for label in panel.findChildren(QLabel)):
            if label.objectName():  # this label shows a value; with click focus it can be copied
                label.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @property
    def actions(self) -> list[QAction]:
        """The actions for the menu “Edit”."""
        return [self.copy, self.paste, self.copy_picture, self.copy_curves, self.copy_maps]

    def open_pasted(self, dialogs: OpenDialogs) -> None:
        """Open what the clipboard holds: files, or a picture, which counts as noisy."""
        data = QGuiApplication.clipboard().mimeData()
        if paths := dropped_files(data):
            dialogs.open_paths(paths)
        elif data.hasImage():
            dialogs.open_pasted(QGuiApplication.clipboard().image())
        else:
            self._messages.say(
                "The clipboard holds no picture. Copy a picture or a photo's file, and paste again.", _WORD_TIME
            )

    # ---- inside -------------------------------------------------------------------------------------------------

    def _copy(self) -> None:
        """Copy the content of the panel or label that has the focus, or otherwise the picture."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QLabel) and focus.text().strip():
            text = focus.text().strip()
            self._put_text(text, f"Copied “{' '.join(text.split())}”.")
        elif _is_in(focus, [self._curves]):
            self._copy_curves()
        elif _is_in(focus, [self._maps]):
            self._copy_maps()
        else:
            self._copy_picture()

    def _copy_picture(self) -> None:
        chosen = self._picture.right_in_view()
        if chosen is None:
            self._messages.say("There is no picture to copy: open a photo first.", _WORD_TIME)
        else:
            self._copying.start(*chosen)

    def _on_picture(self, image: QImage) -> None:
        QGuiApplication.clipboard().setImage(image)
        self._messages.say(f"Copied {image.width()} × {image.height()} pixels of the picture.", _WORD_TIME)

    def _copy_curves(self) -> None:
        runs = [run for run in self._session.runs if run is self._session.run or run.overlaid]
        text = curves_text(runs)
        if not text:
            self._messages.say("There are no curves to copy yet: run the denoiser first.", _WORD_TIME)
        else:
            self._put_text(text, "Copied the numbers of the curves.")

    def _copy_maps(self) -> None:
        figure = self._maps.figure()
        if figure is None:
            self._messages.say("There are no maps to copy: run the denoiser and click a pixel first.", _WORD_TIME)
        else:
            QTimer.singleShot(0, self._window, lambda: self._put_figure(figure))

    def _put_figure(self, figure: MapsFigure) -> None:
        QGuiApplication.clipboard().setImage(figure.image())
        self._messages.say("Copied the attention maps as a picture.", _WORD_TIME)

    def _put_text(self, text: str, done: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._messages.say(done, _WORD_TIME)


def curves_text(runs: Iterable[Run]) -> str:
    """Return the numbers of runs as tab-separated text, one line for each iterate; undefined values are empty."""
    lines: list[str] = []
    for run in runs:
        for iterate in run.trajectory.iterates if run.trajectory is not None else ():
            record = {"run": run.name, **iterate.as_record(), "evaluations": iterate.evaluations}
            lines = lines or ["\t".join(record)]
            lines.append("\t".join("" if value is None else str(value) for value in record.values()))
    return "\n".join(lines)


def offer(widget: QWidget, actions: Iterable[QAction | None]) -> None:
    """Give a widget a context menu of these actions; None stands for a separator."""
    for action in actions:
        if action is None:
            action = QAction(widget)
            action.setSeparator(True)
        widget.addAction(action)
    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)


def _is_in(widget: QWidget | None, panels: list[QWidget]) -> bool:
    while widget is not None:
        if widget in panels:
            return True
        widget = widget.parentWidget()
    return False

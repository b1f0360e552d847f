"""What a person is told without having asked: of the run, and of networks."""

from PySide6.QtCore import QObject

from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.controls import ModelChoice
from nerd_gui.window.session.session import Session


class Notices(QObject):
    """Sentences for the status line, and a dialog for what went wrong."""

    def __init__(
        self, session: Session, models: ModelChoice, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = session.workspace
        self._models = models
        self._messages = messages
        session.controller.noticed.connect(self._say_notice)
        session.controller.planned.connect(messages.say)
        session.controller.failed.connect(messages.show_error)
        session.photoChanged.connect(self._name_better_network)

    def _say_notice(self, notice: str) -> None:
        self._messages.say(notice, 8000)

    def _name_better_network(self) -> None:
        workspace = self._workspace
        if workspace.photo is None or workspace.add_noise:
            return
        if (better := self._models.better_for_photos(workspace.photo.channels)) is not None:
            self._messages.say(
                f"Opened as noisy already. For the noise that cameras make there is the network {better}.", 15_000
            )

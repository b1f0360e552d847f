"""What a person is told without having asked: of the run, and of networks."""

from PySide6.QtCore import QObject

from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import short_name


class Notices(QObject):
    """Sentences for the status line, and a dialog for what went wrong."""

    def __init__(
        self, session: Session, models: ModelChoice, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._models = models
        self._messages = messages
        session.trajectoryChanged.connect(self._say_what_differs)
        session.controller.failed.connect(lambda sentence, details, _: messages.show_error(sentence, details))
        session.photoChanged.connect(self._name_better_network)

    def _say_what_differs(self) -> None:
        """Say how the run differs from what was asked for: in its start, and in what it gave up to fit into memory."""
        if (trajectory := self._session.trajectory) is not None:
            notice, steps = trajectory.notice, trajectory.plan.steps
            sentences = [*([notice] if notice is not None else []), *steps]
            self._messages.say(" ".join(sentences), 0 if steps else 8000)

    def _name_better_network(self) -> None:
        """Of a photo for which a person's own choice is kept, say what Auto would take."""
        workspace, models = self._session.workspace, self._models
        if workspace.photo is None or workspace.add_noise or models.is_auto or models.auto is None:
            return
        if models.auto.model != models.network:
            self._messages.say(
                f"{short_name(models.network or '')} is your choice and is kept. Auto: {models.auto.reason}", 15_000
            )

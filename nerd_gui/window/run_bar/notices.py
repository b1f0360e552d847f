"""Notices that appear without being asked for: about the run, about networks, about photos left before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import short_name

_PLAINLY = "The settings have changed since this photo was denoised."
_PLAINLY_SHORT = "Memory was short, so the photo was denoised in a simpler way. The result may differ a little."


class Notices(QObject):
    """Shows sentences that stay until they are answered, and a dialog for errors.

    Parameters
    ----------
    run_again : callable
        Starts a run of the same kind as the shown one, with the settings chosen now.
    """

    def __init__(
        self,
        session: Session,
        models: ModelChoice,
        messages: Messages,
        run_again: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._models = models
        self._messages = messages
        self._run_again = run_again
        self._changed, self._plain = "", False
        session.trajectoryChanged.connect(self._say_what_was_given_up)
        session.controller.failed.connect(self._say_failure)
        session.controller.runningChanged.connect(lambda running: messages.drop("failed") if running else None)
        session.photoChanged.connect(self._name_better_network)
        session.photoChanged.connect(self._name_left_photo)
        for changed in (session.runChanged, session.trajectoryChanged, session.pins.changed):
            changed.connect(self._say_what_maps_need)
        models.choiceChanged.connect(self._say_whether_there_is_a_network)
        self._say_whether_there_is_a_network()

    def say_changed(self, sentence: str) -> None:
        """Say how a new run would differ from the shown one; an empty sentence removes the notice."""
        self._changed = sentence
        run = self._session.run
        if not sentence or run is None or not run.over:
            self._messages.drop("changed")
        elif self._plain:
            self._messages.keep("changed", _PLAINLY, button="Denoise again", do=self._run_again)
        else:
            self._messages.keep("changed", sentence, button="Run again", do=self._run_again)

    def show_plainly(self, plain: bool) -> None:
        """Use plain words for photographers, or the solver's terms."""
        if plain != self._plain:
            self._plain = plain
            self.say_changed(self._changed)
            self._say_what_was_given_up()
            self._say_what_maps_need()

    def _say_what_was_given_up(self) -> None:
        """Say how the run differs from the request: in its start, and in what it gave up to fit into memory."""
        if (trajectory := self._session.trajectory) is not None:
            notice, steps = trajectory.notice, trajectory.plan.steps
            sentences = [*([notice] if notice is not None else []), *steps]
            if self._plain:  # photographers need not know where the run began
                sentences = [_PLAINLY_SHORT] if steps else []
            if sentences:
                self._messages.keep("run", " ".join(sentences), warns=bool(steps))
                return
        self._messages.drop("run")

    def _say_failure(self, sentence: str, details: str, _: Run) -> None:
        self._messages.show_error(sentence, details)
        self._messages.keep("failed", f"The run failed: {sentence}", button="Try again", do=self._run_again, warns=True)

    def _name_left_photo(self) -> None:
        """Say that the runs of the photo open before are kept."""
        if photos := self._session.left_photos:
            name = photos[0].name
            back = self._session.go_back
            self._messages.keep("left", f"The runs of {name} are kept.", button=f"Back to {name}", do=back)
        else:
            self._messages.drop("left")

    def _say_what_maps_need(self) -> None:
        """Once a pixel is pinned, say that a run from a file has no features for maps."""
        run, session = self._session.run, self._session
        if run is not None and run.from_file and not run.in_tiles and session.pins.all and not self._plain:
            sentence = "This run was opened from a file, which holds no features: run it again to see attention maps."
            self._messages.keep("features", sentence, button="Run again for maps", do=lambda: session.repeat(run))
        else:
            self._messages.drop("features")

    def _name_better_network(self) -> None:
        """Say which network Auto would choose for a new photo, if the person's own choice differs."""
        workspace, models = self._session.workspace, self._models
        known = workspace.photo is not None and not workspace.add_noise
        if known and not models.is_auto and models.auto is not None and models.auto.model != models.network:
            sentence = f"{short_name(models.network or '')} is your choice and is kept. Auto: {models.auto.reason}"
            self._messages.say(sentence, 15_000)

    def _say_whether_there_is_a_network(self) -> None:
        if self._models.has_networks:
            self._messages.drop("noNetwork")
        else:
            self._messages.keep(
                "noNetwork",
                "There is no trained network.",
                button="Open checkpoint…",
                do=self._models.checkpointWanted.emit,
                warns=True,
            )

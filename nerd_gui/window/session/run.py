"""One run of the window: what was asked for, and what has come of it so far."""

from dataclasses import dataclass

from nerd_gui.denoising import RunSettings, Subject, Trajectory
from nerd_gui.nerd import NERD, AttentionMaps


@dataclass(eq=False)
class Run:
    """A run that was started.

    Attributes
    ----------
    subject : Subject
    settings : RunSettings
        As asked for; those of the trajectory are as the run took them.
    net : NERD or None
        Its network, once it is loaded.
    trajectory : Trajectory or None
        Its iterates so far, once it is prepared.
    over : bool
        It has ended or failed.
    """

    subject: Subject
    settings: RunSettings
    net: NERD | None = None
    trajectory: Trajectory | None = None
    over: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a run of the whole photo, not of a region."""
        return self.subject.region is None

    def attention_maps(self, index: int, row: int, col: int) -> AttentionMaps | None:
        """Maps of the pixel at an iterate (Fig. 9); None where there is no such iterate or no non-local block."""
        trajectory, net = self.trajectory, self.net
        if trajectory is None or net is None or net.non_local is None or not 0 <= index < len(trajectory):
            return None
        features = trajectory[index].features
        return None if features is None else features.attention_maps(net, row, col, trajectory.window)

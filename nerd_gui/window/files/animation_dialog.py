"""Asks which part of a run becomes an animation, and how it is played, and plays a preview."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from nerd_gui.denoising import Trajectory
from nerd_gui.denoising.animation import LONGEST, SHORTEST, AnimationSettings, Frames
from nerd_gui.denoising.residual_drawing import Colours
from nerd_gui.window.described import described
from nerd_gui.window.files.animation_preview import AnimationPreview
from nerd_gui.window.files.frame_drawer import FrameDrawer
from nerd_gui.window.style import tokens
from nerd_gui.window.wheel import turn_only_with_focus

_RATES = (1, 2, 4, 8, 15)
_FORMATS = "Animated WebP and PNG keep every pixel as it is; a GIF has 256 colours."

Part = tuple[int, int, int, int]


class AnimationDialog(QDialog):
    """Asks how to animate a run, and shows what the animation will look like, how large and how long it will be.

    Parameters
    ----------
    trajectory : Trajectory
        The run with the iterates to animate.
    settings : AnimationSettings
        The proposed settings; their part is the one in view, or None if the whole picture is in view.
    drawer : FrameDrawer
        Draws the frames of the preview.
    """

    def __init__(
        self,
        trajectory: Trajectory,
        settings: AnimationSettings,
        drawer: FrameDrawer,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("animationDialog")
        self.setWindowTitle("Save animation")
        self._trajectory = trajectory
        self._proposed = settings
        self._preview = AnimationPreview(drawer)
        self._build(settings)
        self.finished.connect(drawer.stop)
        turn_only_with_focus(self)
        self._show_outcome()

    def _build(self, settings: AnimationSettings) -> None:
        _, rows, cols = self._trajectory.subject.noisy.shape
        self._part = described(
            QComboBox(), "animationPartCombo", "Part of the picture", "The part that is in view, or the whole picture"
        )
        for words, part in (("Part in view", settings.part), ("Whole picture", (0, 0, rows, cols))):
            if part is not None:
                self._part.addItem(f"{words} ({part[3]} × {part[2]})", part)
        self._longest = described(
            QSpinBox(),
            "animationSideSpin",
            "Longest side of the picture",
            "A larger picture is reduced to this size; a small one is enlarged by a whole factor, to at most half this "
            "size",
        )
        self._longest.setRange(SHORTEST, LONGEST)
        self._longest.setSingleStep(128)
        self._longest.setSuffix(" pixels")
        self._longest.setValue(settings.longest)
        self._rate = described(
            QComboBox(), "animationRateCombo", "Rate", "How many iterates are shown a second; the last stays longer"
        )
        for rate in _RATES:
            self._rate.addItem(f"{rate} iterate{'s' if rate > 1 else ''} a second", rate)
        self._rate.setCurrentIndex(self._rate.findData(settings.rate))
        self._loop = described(
            QCheckBox("Repeat forever"),
            "animationLoopBox",
            "Repeat forever",
            "Whether the animation starts again when it ends",
        )
        self._loop.setChecked(settings.loop)
        self._curve = described(
            QCheckBox("Residual curve beside the picture"),
            "animationCurveBox",
            "Residual curve beside the picture",
            "The residual of the iterates on a logarithmic axis, with a moving cursor",
        )
        self._curve.setChecked(settings.curve)
        self._outcome = QLabel()
        self._outcome.setObjectName("animationOutcome")
        self._outcome.setAccessibleName("What will be saved")
        formats = QLabel(_FORMATS)
        formats.setWordWrap(True)
        formats.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())  # some desktops add their own icon
        go_on = buttons.addButton("Choose a name…", QDialogButtonBox.ButtonRole.AcceptRole)
        go_on.setObjectName("animationNameButton")
        go_on.setProperty("primary", True)
        go_on.setDefault(True)
        go_on.setToolTip("Choose the file and its format")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setHorizontalSpacing(tokens.MEDIUM)
        form.setVerticalSpacing(tokens.SMALL)
        form.addRow("Show", self._part)
        form.addRow("Longest side", self._longest)
        form.addRow("Rate", self._rate)
        form.addRow("", self._loop)
        form.addRow("", self._curve)
        form.addRow("Result", self._outcome)
        column = QVBoxLayout()
        column.setSpacing(tokens.MEDIUM)
        column.addLayout(form)
        column.addWidget(formats)
        column.addStretch()
        column.addWidget(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.LARGE, tokens.LARGE, tokens.LARGE, tokens.LARGE)
        row.setSpacing(tokens.LARGE)
        row.addWidget(self._preview)
        row.addLayout(column)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetFixedSize)
        for changed in (self._part.currentIndexChanged, self._longest.valueChanged, self._curve.toggled):
            changed.connect(self._show_outcome)
        for changed in (self._rate.currentIndexChanged, self._loop.toggled):
            changed.connect(self._keep_time)

    @property
    def settings(self) -> AnimationSettings:
        """The settings that the person has chosen, with the window's colours."""
        colours = tokens.colours(self.palette())
        return replace(
            self._proposed,
            part=self._part.currentData(Qt.ItemDataRole.UserRole),
            longest=self._longest.value(),
            rate=float(self._rate.currentData()),
            loop=self._loop.isChecked(),
            curve=self._curve.isChecked(),
            colours=Colours(colours.window, colours.text, colours.second, colours.line, colours.accent),
        )

    def _show_outcome(self) -> None:
        """Show the animation as it is chosen now, drawn anew."""
        self._frames = Frames(self._trajectory, self.settings)
        self._preview.play(self._frames)
        self._keep_time()

    def _keep_time(self) -> None:
        """Play it as fast as it is chosen now."""
        settings, frames = self.settings, self._frames
        durations = settings.durations(len(frames))
        self._preview.keep_time(durations, loop=settings.loop)
        count = f"{len(frames)} frames" if len(frames) > 1 else "1 frame"
        self._outcome.setText(
            f"{count} of {frames.layout.width} × {frames.layout.height} pixels, {sum(durations) / 1000:.1f} s"
        )

"""The attention panel with pins, and over the iterates, in three sizes of the window: nothing is cut off."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication, QLabel, QSplitter
from widget_walk import complaints
from window_person import choose_scheme, run_to_the_end

from nerd_gui.denoising import Trajectory
from nerd_gui.window.session.run import Run

pytestmark = pytest.mark.usefixtures("_system_colours")

SIZES = [(1100, 700), (1366, 768), (1440, 900)]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everything_fits_with_pins(qtbot, window, open_file, tmp_path, scheme):
    """Up to three pins need no scrolling from 768 pixels of height on, although all three plots are there."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    open_file(window, path)
    window.noise.mode.setCurrentIndex(0)  # with added noise, so that PSNR and SSIM are drawn as well
    run_to_the_end(qtbot, window)
    assert window.curves.quality_plot.isVisible()
    choose_scheme(qtbot, window, scheme)
    scrolled = window.findChild(QSplitter, "rightSplitter").parentWidget().parentWidget().verticalScrollBar()
    found = []
    for pins in (1, 3, 6):
        for place in range(pins):
            window.session.pins.put(5 + 5 * place, 5 + 4 * place, beside=place > 0)
        for over in (False, True):
            window.attention_panel.over_button.setChecked(over)
            for size in SIZES:
                window.resize(*size)
                for _ in range(3):
                    QApplication.processEvents()
                qtbot.waitUntil(lambda: not window.attention_panel._waiting)
                words = f"{size}, {pins} pins, {'over the iterates' if over else 'table'}"
                found += [f"{words}: {complaint}" for complaint in complaints(window)]
                if pins <= 3 and size[1] >= 768 and scrolled.maximum() > 0:
                    found.append(f"{words}: the column scrolls by {scrolled.maximum()} pixels")
    window.attention_panel.over_button.setChecked(False)
    subject, settings = window.session.run.subject, window.session.run.settings
    trajectory = Trajectory(subject, settings, 9, window.session.trajectory.plan)  # of a run that begins
    window.session.show_run(Run(subject, settings, net=window.session.run.net, trajectory=trajectory))
    for _ in range(3):
        QApplication.processEvents()
    assert any(label.text().startswith("The maps appear with the first") for label in window.findChildren(QLabel))
    assert found + complaints(window) == []

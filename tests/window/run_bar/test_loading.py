"""While a network is loaded, the seconds are counted and the wait is explained."""

from scripted_session import make_trajectory

from nerd_gui.window.run_bar import summary
from nerd_gui.window.run_bar.summary import RunSummary
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session


def test_the_seconds_of_loading_are_counted_and_explained(qtbot, monkeypatch):
    monkeypatch.setattr(summary, "_PATIENCE", 1)
    session, trajectory = Session(), make_trajectory([1.0, 0.1])
    line = RunSummary(session)
    qtbot.addWidget(line)
    run = Run(trajectory.subject, trajectory.settings)
    session.runs.add(run)
    session.show_run(run)
    assert line.text() == f"Loading {trajectory.settings.model} … 0 s"
    qtbot.waitUntil(lambda: "… 1 s. The first run on a computer compiles code for its processor" in line.text())
    run.trajectory, run.over = trajectory, True
    session.trajectoryChanged.emit()
    session.go(1)
    assert line.text().startswith("Iterate 1:")

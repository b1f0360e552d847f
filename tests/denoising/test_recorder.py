import pytest
from tiny_runs import make_net, make_photo

from nerd_gui import allocator
from nerd_gui.denoising import DenoisingRun, Recorder, RunSettings, Subject, denoise, record
from nerd_gui.equilibrium import StopReason

SETTINGS = RunSettings(model="tiny", max_iter=4, tol=0.0)


@pytest.fixture
def run():
    return DenoisingRun(Subject.of(make_photo(), sigma=25), SETTINGS, make_net())


def test_a_trajectory_is_complete_before_its_first_iterate():
    settings = RunSettings(model="tiny", max_iter=4, start="last")
    run = DenoisingRun(Subject.of(make_photo()), settings, make_net())
    trajectory = Recorder(run).trajectory
    assert (trajectory.subject, trajectory.settings, trajectory.plan) == (run.subject, run.settings, run.plan)
    assert (trajectory.window, trajectory.settings.start, trajectory.earlier_runs) == (5, "zero", ())
    assert run.notice and trajectory.notice == run.notice
    assert (len(trajectory), trajectory.stop_reason, trajectory.peak_memory_mb) == (0, None, None)


def test_what_a_run_starts_from_is_in_its_trajectory():
    subject, net = Subject.of(make_photo()), make_net()
    start = denoise(subject, SETTINGS, net).equilibrium()
    run = DenoisingRun(subject, RunSettings(model="tiny", start="last"), net, start)
    assert Recorder(run).trajectory.earlier_runs == start.runs


def test_it_takes_iterates_in_their_order_only(run):
    recorder, (first, second, third, *_) = Recorder(run), run.iterates()
    recorder.add(first)
    with pytest.raises(ValueError, match="Iterate 2 was added, but the next one must be 1"):
        recorder.add(third)
    recorder.add(second)
    assert recorder.trajectory.iterates == [first, second]


def test_the_reason_of_the_last_iterate_is_kept_and_one_is_given_where_there_is_none(run):
    recorder, iterates = Recorder(run), list(run.iterates())
    recorder.add(iterates[0])
    recorder.finish()
    assert recorder.trajectory.stop_reason is StopReason.CANCELLED
    assert recorder.trajectory.peak_memory_mb > 10
    whole = Recorder(run)
    for iterate in iterates:
        whole.add(iterate)
    whole.finish()
    assert whole.trajectory.stop_reason is StopReason.STEP_LIMIT


def test_record_watches_every_iterate_and_gives_memory_back(run, monkeypatch):
    trimmed, seen = [], []
    monkeypatch.setattr(allocator, "trim", lambda: trimmed.append(len(seen)))
    trajectory = record(run, watch=seen.append)
    assert trajectory.iterates == seen and len(seen) == 5
    assert trimmed == [5]


def test_memory_is_given_back_when_a_run_breaks_down_too(run, monkeypatch):
    trimmed = []
    monkeypatch.setattr(allocator, "trim", lambda: trimmed.append(True))

    def lost(iterate):
        raise OSError

    with pytest.raises(OSError):
        record(run, watch=lost)
    assert trimmed == [True]


def test_features_are_kept_where_they_are_asked_for(run):
    assert record(run)[2].features is not None
    assert record(run, keep_features=False)[2].features is None

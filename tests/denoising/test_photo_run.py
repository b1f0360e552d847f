"""The run of a whole photo in tiles, compared with runs in one piece."""

import dataclasses
import gc
import subprocess
import sys
import threading
import weakref
from functools import cache

import numpy as np
import pytest
import torch
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import (
    PICTURE,
    DenoisingRun,
    PhotoRun,
    RunError,
    RunSettings,
    Subject,
    TooLittleMemory,
    denoise,
    record_photo,
)
from nerd_gui.denoising.photo_files import describe, prepare
from nerd_gui.denoising.whole_photo import cores, photo_plan, photo_run, sample
from nerd_gui.denoising.whole_photo.sub_pictures import merge, split
from nerd_gui.equilibrium import StopReason, broyden
from nerd_gui.imaging import Photo, psnr

EXACT = RunSettings(max_iter=16, tol=1e-4)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    monkeypatch.setattr(photo_plan, "CORES", (64, 32))


@pytest.fixture
def sampled(monkeypatch):
    """Measure a sample of the photos here, which are so small that they would otherwise be used whole."""
    monkeypatch.setattr(cores, "_LEAST", 25)
    monkeypatch.setattr(sample, "_WHOLE", np.inf)


def photo_of(channels=1, rows=160, cols=160, seed=0):
    """Make random values with varying contrast, so that the statistics of tiles differ from those of the photo."""
    random = np.random.default_rng(seed).random((channels, rows, cols))
    waves = 0.5 + 0.5 * np.sin(np.arange(cols) / 15) * np.cos(np.arange(rows) / 19)[:, None]
    levels = np.rint(255 * (0.2 + 0.8 * random * waves))
    return Photo((levels / 255).astype(np.float32), name="waves")


def agreement(a, b):
    """PSNR of two pictures, in dB, without rounding."""
    return -10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2))


@cache
def both_ways(net_channels, channels):
    """A network, a subject, its run in one piece, and the whole photo's run and trajectory; not to be changed."""
    net, subject = make_net(channels=net_channels), Subject.of(photo_of(channels, rows=192, cols=192))
    run = PhotoRun(subject, EXACT, net)
    return net, subject, denoise(subject, EXACT, net, keep_features=False), run, record_photo(run)


@pytest.mark.parametrize(("net_channels", "channels"), [(1, 1), (1, 3), (3, 1)])
def test_the_tiles_together_are_the_photo_in_one_piece(net_channels, channels, sampled):
    _, subject, whole, run, tiled = both_ways(net_channels, channels)
    assert run.plan.memory.tiles == 9 and run.finished
    assert tiled[tiled.result].residual < 2 * whole[whole.result].residual
    assert tiled.picture(tiled.result).shape == subject.noisy.shape
    noise = whole[whole.result].n_hat.astype(np.float64)
    error = tiled[tiled.result].n_hat - noise
    assert np.sqrt(np.mean(error**2)) < 0.12 * noise.std()


def test_a_tile_with_its_own_statistics_would_be_another_problem(sampled):
    net, subject, whole, _, tiled = both_ways(1, 1)
    alone = denoise(Subject.of(subject.photo.crop(0, 0, 64, 64)), EXACT, net, keep_features=False)
    inside = np.s_[:, :48, :48]  # beyond the reach of the crop's border
    truth = whole[whole.result].n_hat.astype(np.float64)[inside]
    ours, own = (np.std(one[one.result].n_hat[inside] - truth) for one in (tiled, alone))
    assert own > 1.5 * ours


def test_the_result_does_not_depend_on_where_it_is_cut(monkeypatch, sampled):
    net, subject, _, run, tiled = both_ways(1, 1)
    monkeypatch.setattr(photo_plan, "CORES", (32,))
    smaller = PhotoRun(subject, EXACT, net)
    assert (run.plan.core, smaller.plan.core) == (64, 32)
    trajectory = record_photo(smaller)
    assert agreement(tiled.picture(tiled.result), trajectory.picture(trajectory.result)) > 60


def test_the_numbers_are_those_of_the_photo():
    clean = photo_of()
    subject, net = Subject.of(clean, sigma=20), make_net()
    whole = denoise(subject, EXACT, net, keep_features=False)
    tiled = record_photo(PhotoRun(subject, EXACT, net))
    ours, theirs = tiled[tiled.result], whole[whole.result]
    assert ours.psnr == pytest.approx(psnr(clean.pixels, tiled.picture(tiled.result)), abs=0.01)
    assert ours.noise_level == pytest.approx(theirs.noise_level, rel=0.03)
    assert ours.residual < 1e-4
    assert [one.evaluations for one in tiled.iterates] == list(range(1, len(tiled) + 1))
    assert ours.ssim is None and tiled.report()["stop_reason"] == "converged"
    assert "in 9 tiles" in describe(tiled, tiled.result)


def test_finished_tiles_are_in_the_picture_at_once_and_what_is_in_view_comes_first():
    subject = Subject.of(photo_of())
    run = PhotoRun(subject, EXACT, make_net())
    view = (80, 140, 30, 30)
    stream = run.tiles(view=lambda: view)
    second = next(progress for progress in stream if progress.phase == "tiles")
    row, col, rows, cols = second.part
    assert row <= 95 < row + rows and col <= 155 < col + cols and (second.done, second.count) == (1, 9)
    n_hat = second.iterates[-1].n_hat
    assert n_hat[:, row + 8 : row + rows, col + 8 : col + cols].all() and not n_hat[:, :60, :60].any()
    fractions = [second.fraction, *(progress.fraction for progress in stream)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert n_hat.all()  # the same array, filled as tiles were finished


@pytest.mark.parametrize("grain", [1, 2])
def test_the_sample_says_how_far_it_has_come(grain):
    run = PhotoRun(Subject.of(photo_of(rows=192, cols=192)), EXACT, make_net(), grain=grain)
    told = [progress for progress in run.tiles() if progress.phase == "sample"]
    fractions = [progress.fraction for progress in told]
    assert fractions[0] == 0 and fractions == sorted(set(fractions)) and 0.2 < fractions[-1] < 0.9
    assert all((progress.done, progress.iterates, progress.seconds_left) == (0, (), None) for progress in told)


def test_stop_keeps_what_is_finished_and_it_goes_on_from_there():
    net, subject = make_net(), Subject.of(photo_of())
    expected = record_photo(PhotoRun(subject, EXACT, net))
    run, stop = PhotoRun(subject, EXACT, net), threading.Event()
    for progress in run.tiles(stop.is_set):
        if progress.iterates:
            run.trajectory.replace(progress.iterates)
        if progress.done == 4:
            stop.set()
    run.finish()
    assert not run.finished and run.trajectory.stop_reason is StopReason.CANCELLED
    done = run.trajectory[-1].n_hat.astype(bool).mean()
    assert 0.3 < done < 0.7
    again = list(run.tiles())
    assert [progress.done for progress in again] == [5, 6, 7, 8, 9]
    run.trajectory.replace(again[-1].iterates)
    assert run.finished and run.trajectory.stop_reason is StopReason.CONVERGED
    np.testing.assert_allclose(run.trajectory[-1].n_hat, expected[-1].n_hat, atol=1e-3)
    assert list(run.tiles()) == []


def test_a_pause_does_not_count_as_time(monkeypatch):
    """The clock advances only during the pause."""
    now, asked = [0.0], []
    monkeypatch.setattr(photo_run, "perf_counter", lambda: now[0])

    def should_stop():
        asked.append(True)
        now[0] += 1000.0 if len(asked) == 40 else 0.0
        return False

    run = PhotoRun(Subject.of(photo_of()), EXACT, make_net())
    told = [(progress.phase, progress.seconds_left) for progress in run.tiles(should_stop)]
    assert told[-9:] == [("tiles", 0.0)] * 9 and set(told[:-9]) == {("sample", None)}
    assert len(asked) > 40


def test_the_stop_rule_for_eyes_ends_each_tile():
    subject, net = Subject.of(photo_of()), make_net()
    run = PhotoRun(subject, RunSettings(stop_on=PICTURE), net)
    trajectory = record_photo(run)
    assert trajectory.stop_reason is StopReason.SETTLED and trajectory.result == len(trajectory) - 1 < 17
    exact = record_photo(PhotoRun(subject, EXACT, net))
    error = 255 * (trajectory[-1].n_hat.astype(np.float32) - exact[-1].n_hat)
    assert np.sqrt(np.mean(error**2)) <= 0.4, "it is nearly at the equilibrium"
    assert run.evaluations == len(trajectory) - 1 >= 6, "f is not evaluated at the last iterate"


def test_a_coarse_grain_is_two_passes():
    """One pass over the sub-pictures and one over their result; each is solved for its own equilibrium."""
    net, subject = make_net(), Subject.of(photo_of(rows=129))
    run = PhotoRun(subject, EXACT, net, grain=2)
    trajectory = record_photo(run)
    assert "grain size 2" in describe(trajectory, trajectory.result)
    noisy = subject.noisy

    def solved(pictures):
        y = torch.from_numpy(pictures)
        s = net.inject(y)
        *_, last = broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=16, tol=1e-5)
        return net.decode(last.z).numpy()

    first = merge(solved(split(noisy, 2)), *noisy.shape[1:])
    expected = first + solved((noisy + first)[None])[0]
    error = trajectory[-1].n_hat - expected
    assert np.sqrt(np.mean(error**2)) < 0.15 * expected.std()


def test_a_small_photo_is_its_own_sample():
    """Its statistics are exactly those of the whole photo, so the tiles reproduce its equilibrium."""
    net, subject = make_net(), Subject.of(photo_of(rows=97, cols=131))
    whole = denoise(subject, EXACT, net, keep_features=False)
    tiled = record_photo(PhotoRun(subject, EXACT, net))
    noise = whole[whole.result].n_hat.astype(np.float64)
    assert np.abs(tiled[tiled.result].n_hat - noise).max() < 0.05 * noise.std()


_MANY_TILES = """
import sys
from nerd_gui import allocator
allocator.prepare()
import psutil
sys.path.insert(0, "tests/denoising")
import test_photo_run
from nerd_gui.denoising import PhotoRun, Subject
test_photo_run.photo_plan.CORES = (64,)
allocator._RETURNED = 1 << 20  # so that the tensors of small tiles count as large
settings = test_photo_run.dataclasses.replace(test_photo_run.EXACT, max_iter=2, tol=0.0)
subject = Subject.of(test_photo_run.photo_of(rows=140, cols=250))
run = PhotoRun(subject, settings, test_photo_run.make_net(features=64))
assert run.plan.memory.reuse
print(*(psutil.Process().memory_info().rss >> 20 for progress in run.tiles() if progress.phase == "tiles"))
"""


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
def test_memory_does_not_grow_from_tile_to_tile():
    """Otherwise it would grow to twice the plan at 24 megapixels. It may grow until every buffer exists."""
    done = subprocess.run([sys.executable, "-c", _MANY_TILES], capture_output=True, text=True, check=True)
    megabytes = [int(each) for each in done.stdout.split()]
    assert len(megabytes) == 12 and max(megabytes[6:]) - megabytes[5] <= 3


def test_small_photos_are_solved_in_one_piece_if_memory_allows(monkeypatch):
    net, small = make_net(), Subject.of(make_photo())
    assert isinstance(prepare(small, EXACT, net), DenoisingRun)
    assert isinstance(prepare(small, EXACT, net, grain=2), PhotoRun)
    large = Subject.of(make_photo(rows=1001, cols=1000))
    assert isinstance(prepare(large, EXACT, net), PhotoRun)


def test_tiles_become_smaller_until_they_fit(monkeypatch):
    subject, net = Subject.of(photo_of(rows=300, cols=300)), make_net(features=64)
    monkeypatch.setattr(cores, "_LEAST", 2)
    monkeypatch.setattr(cores, "_PER_SIDE", 1)
    roomy = PhotoRun(subject, EXACT, net).plan
    monkeypatch.setattr(photo_plan, "CORES", (192, 32))
    monkeypatch.setattr(photo_plan, "budget_bytes", lambda settings: 234_000_000)
    plan = PhotoRun(subject, EXACT, net).plan
    assert roomy.core == 64 and plan.core == 32 and plan.memory.needed <= 234_000_000
    monkeypatch.setattr(photo_plan, "budget_bytes", lambda settings: 50_000_000)
    with pytest.raises(TooLittleMemory, match="needs about"):
        PhotoRun(subject, EXACT, net)


def test_what_a_photo_cannot_be_run_with_is_said():
    with pytest.raises(RunError, match="grain size is 1 or 2, not 3"):
        PhotoRun(Subject.of(make_photo()), EXACT, make_net(), grain=3)
    run = PhotoRun(Subject.of(make_photo()), dataclasses.replace(EXACT, start="random"), make_net())
    assert run.settings.start == "predicted" and "where the solver is predicted to end" in run.trajectory.notice
    assert "predicted start" in describe(record_photo(run), 1)


def test_nothing_of_a_tile_stays_in_memory_beside_the_photo_s_iterates(monkeypatch):
    solved, solve = [], photo_run.solve_part

    def watched(*arguments):
        for iterate in solve(*arguments):
            solved.append(weakref.ref(iterate.n_hat))
            yield iterate

    monkeypatch.setattr(photo_run, "solve_part", watched)
    run = PhotoRun(Subject.of(photo_of()), RunSettings(max_iter=2), make_net())
    for _ in run.tiles():
        pass
    gc.collect()
    assert len(solved) > 10 and not any(n_hat() is not None for n_hat in solved)

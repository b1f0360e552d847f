import dataclasses
import errno
import tempfile
from functools import partial

import numpy as np
import pytest
import torch
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import CURVES, RunError, RunSettings, Subject, denoise
from nerd_gui.denoising.features import FeatureStore
from nerd_gui.denoising.kept_memory import KeptMemory
from nerd_gui.equilibrium import broyden

SETTINGS = RunSettings(model="tiny", max_iter=4, tol=0.0)


def tensors():
    generator = torch.Generator().manual_seed(0)
    whole = [torch.randn(1, 4, 6, 5, generator=generator) for _ in range(3)]
    return [whole[0], whole[1].contiguous(memory_format=torch.channels_last), whole[2].transpose(2, 3)]


@pytest.fixture
def is_on_disk(monkeypatch):
    """Return whether a tensor is stored in a file that was mapped since the test began."""
    mapped = []
    memmap = np.memmap

    def recorded(*args, **options):
        mapped.append(memmap(*args, **options))
        return mapped[-1]

    monkeypatch.setattr(np, "memmap", recorded)
    return lambda tensor: tensor.data_ptr() in [array.ctypes.data for array in mapped]


def test_past_the_limit_features_go_to_a_file_with_the_same_values(is_on_disk):
    store = FeatureStore(limit=2 * 120)  # bytes of one of them in half precision
    originals = tensors()
    kept = [store.keep(x) for x in originals]
    assert [is_on_disk(x) for x in kept] == [False, True, True]
    for x, half in zip(originals, kept, strict=True):
        assert half.dtype is torch.float16
        assert torch.equal(half, x.half())
        x.fill_(7)  # it is a copy
        assert not (half == 7).any()


def test_all_runs_share_the_memory_and_what_is_freed_is_there_for_the_next(is_on_disk):
    shared = KeptMemory(limit=2 * 240)  # two of them
    first, second = FeatureStore(shared=shared), FeatureStore(shared=shared)
    kept = [first.keep(tensors()[0]), second.keep(tensors()[1]), second.keep(tensors()[2])]
    assert [is_on_disk(x) for x in kept] == [False, False, True]
    held = kept.pop(0)[0]  # a part of it is still needed
    assert is_on_disk(first.keep(tensors()[0]))
    del held
    assert not is_on_disk(first.keep(tensors()[0]))


def test_twenty_runs_take_no_more_memory_than_they_may(monkeypatch):
    shared = KeptMemory(limit=200_000)
    monkeypatch.setattr("nerd_gui.denoising.run.FeatureStore", partial(FeatureStore, shared=shared))
    memory = []  # everything that is asked for stays in the list of runs
    monkeypatch.setattr(shared, "new", lambda shape, new=shared.new: memory.append(new(shape)) or memory[-1])
    net = make_net()
    runs = [denoise(Subject.of(make_photo()), SETTINGS, net) for _ in range(20)]
    assert sum(array.nbytes for array in memory if array is not None) <= 200_000
    assert sum(array is None for array in memory) > 20  # the others are stored in files
    for run in runs[1:]:
        for one, other in zip(runs[0].iterates, run.iterates, strict=True):
            assert np.array_equal(one.n_hat, other.n_hat) and torch.equal(one.features.z, other.features.z)


def test_the_file_has_no_name(tmp_path, monkeypatch, is_on_disk):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = FeatureStore(limit=0).keep(tensors()[0])
    assert is_on_disk(kept)
    assert list(tmp_path.iterdir()) == []


def test_values_too_large_for_half_precision_are_clipped():
    kept = FeatureStore().keep(torch.tensor([1e6, -1e6, 1.0]))
    assert kept.tolist() == [65504.0, -65504.0, 1.0]


def test_a_full_disk_is_a_sentence(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(RunError, match=r"do not fit into the temporary folder .*No space left"):
        FeatureStore(limit=0).keep(tensors()[0])


def test_a_run_is_the_same_with_its_features_on_disk(monkeypatch, is_on_disk):
    net = make_net()
    subject = Subject.of(make_photo())
    in_memory = denoise(subject, SETTINGS, net)
    monkeypatch.setattr("nerd_gui.denoising.run.IN_MEMORY", 0)
    on_disk = denoise(subject, SETTINGS, net)
    for one, other in zip(in_memory.iterates, on_disk.iterates, strict=True):
        assert is_on_disk(other.features.z)
        assert torch.equal(one.features.z, other.features.z)
        assert torch.equal(one.features.s, other.features.s)


def test_a_run_without_features_is_the_same_but_for_them():
    net, subject = make_net(), Subject.of(make_photo(), sigma=25)
    with_features = denoise(subject, SETTINGS, net)
    without = denoise(subject, SETTINGS, net, keep_features=False)
    assert [iterate.features for iterate in without.iterates] == [None] * 5
    for name in CURVES:
        assert without.curve(name) == with_features.curve(name)
    np.testing.assert_array_equal(without.picture(4), with_features.picture(4))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("window", [None, 9])
def test_maps_are_those_of_the_float32_iterate(channels, window):
    net = make_net()
    subject = Subject.of(make_photo(channels))
    trajectory = denoise(subject, dataclasses.replace(SETTINGS, window=window), net)
    s = net.inject(torch.from_numpy(subject.noisy)[:, None])
    steps = list(broyden(lambda z: net.implicit(z, s, window=window), net.initial(s), max_iter=4, tol=0.0))
    assert all(iterate.features.s is trajectory[0].features.s for iterate in trajectory.iterates)
    for step, iterate in zip(steps, trajectory.iterates, strict=True):
        for pixel in ((0, 0), (12, 19), (11, 8)):
            truth = net.attention_maps(step.z, s, *pixel, window=window or 5)
            maps = iterate.features.attention_maps(net, *pixel, trajectory.window)
            torch.testing.assert_close(maps.weights, truth.weights, rtol=2e-2, atol=1e-4)
            assert (maps.top, maps.left) == (truth.top, truth.left)
            assert maps.weights.shape[0] == channels


@pytest.mark.parametrize(("channels", "solver"), [(1, "broyden"), (3, "anderson"), (1, "plain")])
def test_where_it_has_not_settled_is_kept_as_the_solver_saw_it(channels, solver):
    """Its root mean square is the residual, to the precision of a half; half-precision features are less exact."""
    net, photo = make_net(), make_photo(channels)
    trajectory = denoise(Subject.of(photo), dataclasses.replace(SETTINGS, solver=solver, max_iter=7), net)
    before = None
    for iterate in trajectory.iterates:
        settling, z = iterate.features.settling, iterate.features.z.float()
        f_z = net.implicit(z, iterate.features.s.float())
        assert settling.residual.shape == (channels, 24, 20) and settling.residual.dtype is torch.float16
        size = f_z.flatten(1).norm(dim=1) / (24 * 20) ** 0.5
        assert settling.size == pytest.approx(size.tolist(), rel=2e-3)
        relative = settling.residual.float().square().mean((1, 2)).sqrt() / torch.tensor(settling.size)
        coarsest = 2.0**-24 / min(settling.size)  # the step between the smallest halves
        assert float(relative.max()) == pytest.approx(iterate.residual, rel=2e-3, abs=coarsest)
        if iterate.residual > 0.02:  # more than the error of rounding to halves
            exact = (f_z - z).square().sum(1).sqrt()
            torch.testing.assert_close(settling.residual.float(), exact, rtol=0.05, atol=2e-3)
        if before is None:
            assert settling.update is None
        else:
            step = (z - before.features.z.float()).square().sum(1).sqrt()
            torch.testing.assert_close(settling.update.float(), step, rtol=0.05, atol=3e-3)
            if before.relative_step is not None and channels == 1:
                root = float(settling.update.float().square().mean().sqrt() * (24 * 20) ** 0.5)
                assert root / float(before.features.z.float().norm()) == pytest.approx(before.relative_step, rel=5e-3)
        before = iterate
    assert trajectory[7].residual < 0.02

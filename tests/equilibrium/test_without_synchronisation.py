"""The solver without synchronisation makes the same steps as the one that reports them."""

import pytest
import torch
from fixed_point_maps import DTYPE, Counted, linear_map, tanh_map
from test_broyden import wild_map

from nerd_gui.equilibrium import broyden, broyden_without_synchronisation


def best_of(records):
    """Return the iterate with the least residual of each sample, and that residual."""
    residuals = torch.stack([record.residual for record in records])
    best = residuals.argmin(0)
    return torch.stack([records[int(at)].z[sample] for sample, at in enumerate(best)]), residuals.amin(0)


@pytest.mark.parametrize(
    ("f", "z0"),
    [
        (linear_map(3, 12, 0.9)[0], torch.zeros(3, 12, dtype=DTYPE)),
        (tanh_map(2, 9, 0.8), torch.ones(2, 9, dtype=DTYPE)),
        (wild_map(0.2, 5, 0.4), torch.zeros(2, 1, dtype=DTYPE)),  # one sample restarts, the other does not
    ],
    ids=["linear", "tanh", "wild"],
)
@pytest.mark.parametrize("steps", [0, 1, 9, 17])
def test_it_makes_the_steps_of_broyden(f, z0, steps):
    watched, silent = Counted(f), Counted(f)
    records = list(broyden(watched, z0, max_iter=steps, tol=0))
    z, residual = broyden_without_synchronisation(silent, z0, steps=steps)
    assert len(silent.points) == steps + 1 == len(records)
    for record, ours, theirs in zip(records, silent.points, watched.points, strict=True):
        if float(record.residual.amin()) < 1e-11:  # from here on they only divide rounding errors
            break
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)
    true_z, true_residual = best_of(records)
    torch.testing.assert_close(residual, true_residual, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(z, true_z, rtol=1e-6, atol=1e-8)


def test_the_wild_map_does_restart():
    assert any(
        step.restarted for step in broyden(wild_map(0.2, 5, 0.4), torch.zeros(2, 1, dtype=DTYPE), max_iter=12, tol=0)
    )


def test_a_sample_that_is_lost_leaves_the_others_alone():
    def f(z):
        return torch.stack([z[0] * z[0] * 1e200 + 1, 0.5 * torch.cos(z[1])])

    z, residual = broyden_without_synchronisation(f, torch.zeros(2, 3, 1, dtype=DTYPE)[:, 0], steps=12)
    assert z.isfinite().all()
    assert residual[1] < 1e-9
    torch.testing.assert_close(z[1], 0.5 * torch.cos(z[1]))


def test_where_nothing_is_to_be_found_the_start_comes_back():
    z, residual = broyden_without_synchronisation(lambda z: z * torch.nan, torch.ones(2, 3), steps=3)
    assert torch.equal(z, torch.ones(2, 3)) and residual.isinf().all()
    z, residual = broyden_without_synchronisation(torch.zeros_like, torch.zeros(2, 3), steps=3)
    assert torch.equal(z, torch.zeros(2, 3)) and torch.equal(residual, torch.zeros(2))

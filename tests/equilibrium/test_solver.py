"""The properties that solvers state agree with their runs."""

import importlib
import inspect

import pytest
import torch
from fixed_point_maps import DTYPE, tanh_map

from nerd_gui.equilibrium import SOLVERS, broyden
from nerd_gui.equilibrium.history import History


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keywords", [{}, {"memory": 3}, {"memory": 30}, {"stop_on": "relative_step"}])
@pytest.mark.parametrize("max_iter", [2, 9])
def test_it_keeps_the_pairs_that_it_states(monkeypatch, solver, keywords, max_iter):
    kept = []

    class Watched(History):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            kept.append(self)

    module = importlib.import_module(f"nerd_gui.equilibrium.{solver}")
    if hasattr(module, "History"):
        monkeypatch.setattr(module, "History", Watched)
    stated = SOLVERS[solver].storage(max_iter=max_iter, tol=0, **keywords)
    list(SOLVERS[solver](tanh_map(2, 20, 0.9), torch.zeros(2, 20, dtype=DTYPE), max_iter=max_iter, tol=0, **keywords))
    used = [history.used for history in kept]
    assert (sum(used), max(used, default=0)) == (stated.history, stated.pairs)
    assert all(history.room == max(1, stated.pairs) for history in kept)  # a GPU allocates all of it at once


@pytest.mark.parametrize("solver", SOLVERS)
def test_how_many_steps_and_how_near_is_for_the_caller_to_say(solver):
    keywords = inspect.signature(SOLVERS[solver].function).parameters
    assert all(keywords[name].default is inspect.Parameter.empty for name in ("max_iter", "tol"))


@pytest.mark.parametrize("safeguard", [True, False])
def test_the_best_iterate_is_held_where_there_is_a_safeguard(safeguard):
    stated = {name: solver.storage(max_iter=9, safeguard=safeguard).iterates for name, solver in SOLVERS.items()}
    assert stated == {"broyden": 3 + 2 * safeguard, "anderson": 3 + 2 * safeguard, "plain": 3}


def test_a_solver_is_called_as_its_function():
    f, z0 = tanh_map(2, 6, 0.9), torch.zeros(2, 6, dtype=DTYPE)
    calls = (solve(f, z0, max_iter=5, tol=0, memory=2) for solve in (SOLVERS["broyden"], broyden))
    for one, other in zip(*calls, strict=True):
        assert torch.equal(one.z, other.z)
    with pytest.raises(ValueError, match="at least 1 pair"):  # at once, not with the first iterate
        SOLVERS["broyden"](f, z0, max_iter=5, tol=0, memory=0)

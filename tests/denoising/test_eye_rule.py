import numpy as np
import pytest
from tiny_runs import make_net, make_photo

from nerd_gui.denoising import PICTURE, RunSettings, Subject, denoise
from nerd_gui.denoising.eye_rule import EyeRule
from nerd_gui.equilibrium import StopReason


def settles(change):
    """Return whether a picture settles that first changes much and then by this many grey levels."""
    rule, before = EyeRule(), np.zeros((1, 40, 40), np.float32)
    assert not any(rule.settled(before + shift) for shift in (5, 4, 3, 2, 1, 0))
    return rule.settled(before + np.asarray(change, np.float32) / 255)


def block(value, side=8):
    change = np.zeros((1, 40, 40))
    change[0, 8 : 8 + side, 24 : 24 + side] = value
    return change


@pytest.mark.parametrize(
    ("change", "settled"),
    [
        (0.24, True),
        (0.26, False),
        (block(1.2), True),
        (block(1.6), False),
        (block(-1.6), False),
        (block(9, side=1), True),  # invisible: 1.1 in its block
        (block(13, side=1), False),
    ],
)
def test_a_picture_settles_when_no_eye_sees_it_change(change, settled):
    assert settles(change) == settled


def test_a_picture_smaller_than_a_block_is_one():
    rule, small = EyeRule(), np.zeros((3, 5, 6), np.float32)
    assert [rule.settled(small + step / 255) for step in (5, 4, 3, 2, 9, 0, 0.2)] == [False] * 6 + [True]


def test_the_first_changes_do_not_count():
    rule, same = EyeRule(), np.zeros((1, 4, 4), np.float32)
    assert [rule.settled(same) for _ in range(7)] == [False] * 6 + [True]


def test_a_run_that_goes_by_the_picture():
    subject, net = Subject.of(make_photo(rows=60, cols=60)), make_net()
    run = denoise(subject, RunSettings(stop_on=PICTURE), net)
    changes = [
        255 * np.sqrt(np.mean((b.n_hat.astype(np.float32) - a.n_hat) ** 2))
        for a, b in zip(run.iterates, run.iterates[1:], strict=False)
    ]
    assert run.stop_reason is StopReason.SETTLED and run.result == len(run) - 1
    assert changes[-1] <= 0.26 and all(change > 0.24 for change in changes[5:-1])
    assert run.report()["stop_reason"] == "settled" and run.report()["settings"]["stop_on"] == "picture"


def test_a_run_that_does_not_settle_in_time_has_the_iterate_of_least_residual_as_its_result():
    settings = RunSettings(stop_on=PICTURE, max_iter=2)
    run = denoise(Subject.of(make_photo(rows=60, cols=60)), settings, make_net(post_normalization=False))
    assert run.stop_reason is StopReason.STEP_LIMIT
    assert run.result == int(np.argmin(run.curve("residual")))

import math

import pytest

from nerd_gui.denoising import RunError, RunSettings


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"solver": "newton"}, "no solver “newton”; choose one of broyden, anderson, plain"),
        ({"max_iter": 0}, "at least 1 step, not 0"),
        ({"tol": -1e-3}, "tolerance must be a number of 0 or more"),
        ({"tol": math.nan}, "tolerance"),
        ({"tol": math.inf}, "tolerance"),
        ({"memory": 0}, "memory must hold at least 1 pair"),
        ({"window": 0}, "window must be at least 1 pixel"),
        ({"precision": "float16"}, "float32 or bfloat16, not “float16”"),
        ({"start": "best"}, "starts from zero, random or last, not from “best”"),
    ],
)
def test_bad_settings_are_sentences(change, sentence):
    with pytest.raises(RunError, match=sentence):
        RunSettings(**change)

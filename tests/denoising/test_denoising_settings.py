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
        ({"stop_on": "energy"}, "residual_change, picture; there is no measure “energy”"),
        ({"memory": 0}, "keep at least 1 pair of vectors, not 0"),
        ({"damping": 0.0}, "damping of the plain iteration must be above 0, not 0.0"),
        ({"damping": math.nan}, "damping"),
        ({"damping": math.inf}, "damping"),
        ({"strength": -0.5}, "strength is a noise level from 0 to 255, not -0.5"),
        ({"strength": math.nan}, "strength"),
        ({"start_seed": -1}, "seed of the start must be 0 or more and below 2.63, not -1"),
        ({"start_seed": 1 << 63}, "seed of the start"),
        ({"window": 0}, "window must be at least 1 pixel"),
        ({"precision": "float16"}, "float32 or bfloat16, not “float16”"),
        ({"start": "best"}, "starts from zero, random, last or predicted, not from “best”"),
    ],
)
def test_bad_settings_are_sentences(change, sentence):
    with pytest.raises(RunError, match=sentence):
        RunSettings(**change)

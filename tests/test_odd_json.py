"""JSON files that are nested too deeply or have unexpected contents: each reader says so in one sentence."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from nerd_gui.denoising.session_file import SessionFileError, read_session
from nerd_gui.evaluation.cards import Card
from nerd_gui.evaluation.figures import EvaluationError, read_entries
from nerd_gui.training import find_recipe
from nerd_gui.training.data import DataError
from nerd_gui.training.execution import Execution
from nerd_gui.training.state import RunState

DEEP = "[" * 100_000


def card_figures(path):
    return Card(path.with_suffix(".md")).figures()


def session(path):
    folder = path.with_suffix(".nerd")
    folder.mkdir(exist_ok=True)
    (folder / "session.json").write_bytes(path.read_bytes())
    return read_session(folder)


def state(path):
    path.write_bytes(save({}, {"numbers": path.read_text()}))
    return RunState.load(path, torch.device("cpu"))


READERS = {
    "recipe": (lambda path: find_recipe(str(path)), ValueError),
    "tuning": (Execution.read, DataError),
    "figures": (read_entries, EvaluationError),
    "card": (card_figures, EvaluationError),
    "session": (session, SessionFileError),
    "state": (state, DataError),
}


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, "9" * 5_000, "", "{", "null", "7", '"text"', "[[]]", "{}"])
@pytest.mark.parametrize("reader", READERS)
def test_odd_json_is_a_sentence(tmp_path, reader, text):
    read, error = READERS[reader]
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(error) as caught:
        read(path)
    sentence = str(caught.value)
    assert "odd." in sentence and sentence.endswith(".") and len(sentence) < 400
    assert Path(path).exists()

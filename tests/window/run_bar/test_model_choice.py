"""The list of networks: each says what it is for."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from nerd_gui.imaging import sample_names
from nerd_gui.nerd import load_record, model_names
from nerd_gui.window.run_bar import controls
from nerd_gui.window.run_bar.controls import ModelChoice

EXPECTED = {
    "nerd-lite": "for white noise of any σ from 0 to 55; takes the channels of a colour photo one by one.",
    "nerd-lite-25": "for white noise of σ 25; takes the channels of a colour photo one by one.",
    "nerd-lite-25-no-post": "for white noise of σ 25; takes the channels of a colour photo one by one; without "
    "post-normalization.",
    "nerd-lite-photo": "for photos with the noise that cameras make; takes the channels of a colour photo one by one.",
    "nerd-lite-colour": "for white noise of any σ from 0 to 55; takes the channels of a colour photo together.",
    "nerd-lite-photo-colour": "for photos with the noise that cameras make; takes the channels of a colour photo "
    "together.",
}


@pytest.fixture
def choice(qtbot):
    made = ModelChoice(None)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("name", model_names())
def test_a_network_says_what_it_is_for_and_how_it_was_trained(choice, name):
    tip = choice.itemData(choice.findData(name), Qt.ItemDataRole.ToolTipRole)
    record = load_record(name)
    trained = f"Trained on {record['samples']:,} patches, {record['hours']:.1f} h; {record['validation_psnr']:.2f} dB"
    assert tip == f"{name}: {EXPECTED[name]} {trained} on the validation crops."


def test_a_file_that_does_not_say_is_offered_all_the_same(choice, tiny_model_path):
    choice.choose(str(tiny_model_path))
    assert choice.network == str(tiny_model_path)
    assert "its file does not say how it was trained" in choice.itemData(
        choice.currentIndex(), Qt.ItemDataRole.ToolTipRole
    )


def colour_photo(tmp_path, name="colour.png"):
    path = tmp_path / name
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("there", "mode", "named"),
    [
        (["nerd-lite", "nerd-lite-photo", "nerd-lite-colour", "colour-for-cameras"], "RGB", "colour-for-cameras"),
        (["nerd-lite", "nerd-lite-photo", "nerd-lite-colour", "colour-for-cameras"], "L", "nerd-lite-photo"),
        (["nerd-lite", "nerd-lite-photo", "nerd-lite-colour"], "RGB", "nerd-lite-photo"),
        (["nerd-lite", "nerd-lite-colour"], "RGB", None),
    ],
)
def test_a_noisy_photo_brings_up_the_network_for_cameras(
    qtbot, monkeypatch, make_window, open_file, tmp_path, there, mode, named
):
    def record(name):
        kind = {"kind": "camera"} if "cameras" in name or "photo" in name else {"kind": "white"}
        return {"recipe": {"noise": kind, "model": {"channels": 3 if "colour" in name else 1}}} if name in there else {}

    window = make_window(colour_photo(tmp_path))
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    monkeypatch.setattr(controls, "model_names", lambda: there)
    monkeypatch.setattr(controls, "load_record", record)
    other = tmp_path / "other.png"
    with Image.open(tmp_path / "colour.png") as image:
        image.convert(mode).save(other)
    window.statusBar().clearMessage()
    open_file(window, other)
    said = window.statusBar().currentMessage()
    assert said.endswith(f"there is the network {named}.") if named else said == ""


def test_no_other_network_is_brought_up_where_none_is_needed(qtbot, make_window, open_file, open_built_in, tmp_path):
    photo = colour_photo(tmp_path)
    window = make_window(photo)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    assert "nerd-lite-photo" in window.statusBar().currentMessage()
    window.statusBar().clearMessage()
    open_built_in(window, sample_names()[0])  # gets white noise
    assert "nerd-lite-photo" not in window.statusBar().currentMessage()
    window.controls.model.choose("nerd-lite-photo")
    window.statusBar().clearMessage()
    open_file(window, photo)
    assert window.statusBar().currentMessage() == ""


@pytest.mark.parametrize("record", [{}, {"recipe": "mine"}, {"recipe": {"noise": {"kind": "camera"}}}])
def test_another_trainers_record_is_no_network_for_cameras(monkeypatch, choice, record):
    monkeypatch.setattr(controls, "load_record", lambda _: record)
    assert choice.better_for_photos(3) is None

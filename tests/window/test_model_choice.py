"""The list of networks: each says what it is for."""

import pytest
from PySide6.QtCore import Qt

from nerd_gui.nerd import load_record, model_names
from nerd_gui.window.run_controls import ModelChoice

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

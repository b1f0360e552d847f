"""The list of networks: each says its purpose; Auto, the first, says what it chose for the photo, and why."""

import shutil

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel

from nerd_gui.denoising import AUTO, RunError
from nerd_gui.imaging import sample_names
from nerd_gui.nerd import load_record, model_names
from nerd_gui.places import data_folder
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.session.session import Session

EXPECTED = {
    "nerd-lite": "for white noise of any σ from 0 to 55; takes the channels of a colour photo one by one.",
    "nerd-lite-25": "for white noise of σ 25; takes the channels of a colour photo one by one.",
    "nerd-25": "for white noise of σ 25; takes the channels of a colour photo one by one.",
    "nerd-lite-25-no-post": "for white noise of σ 25; takes the channels of a colour photo one by one; without "
    "post-normalization.",
    "nerd-lite-photo": "for photos with camera noise; takes the noise level as an input; takes the channels of a "
    "colour photo one by one.",
    "nerd-lite-colour": "for white noise of any σ from 0 to 55; takes the channels of a colour photo together.",
    "nerd-lite-photo-colour": "for photos with camera noise; takes the noise level as an input; takes the "
    "channels of a colour photo together.",
}


@pytest.fixture
def choice(qtbot):
    made = ModelChoice(Session(), "cpu")
    qtbot.addWidget(made)
    return made


def tip(choice, index):
    lines = choice.itemData(index, Qt.ItemDataRole.ToolTipRole).split("\n")
    assert max(len(line) for line in lines) <= 80
    return " ".join(lines)


@pytest.mark.parametrize("name", model_names())
def test_a_network_says_what_it_is_for_and_how_it_was_trained(choice, name):
    record = load_record(name)
    trained = f"Trained on {record['samples']:,} patches, {record['hours']:.1f} h; {record['validation_psnr']:.2f} dB"
    assert tip(choice, choice.findData(name)) == f"{name}: {EXPECTED[name]} {trained} on the validation crops."


def test_ablations_stand_under_a_heading_that_cannot_be_chosen(qtbot, tmp_path, monkeypatch):
    for part in ("", "ablations"):
        (tmp_path / part).mkdir(exist_ok=True)
    weights = data_folder("weights")
    shutil.copy(weights / "nerd-lite.safetensors", tmp_path)
    shutil.copy(weights / "nerd-lite-25-no-post.safetensors", tmp_path / "ablations" / "changed.safetensors")
    monkeypatch.setattr("nerd_gui.nerd.weights.data_folder", lambda name: tmp_path)
    choice = ModelChoice(Session(), "cpu")
    qtbot.addWidget(choice)
    texts = [choice.itemText(index) for index in range(choice.count())]
    assert texts == ["Auto", "nerd-lite", "", "Ablations", "changed", "", "Open checkpoint…"]
    heading = choice.model().index(3, 0)
    assert not heading.flags() & (Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    assert "without post-normalization" in tip(choice, 4)
    choice.setCurrentIndex(1)
    choice.setFocus()
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert choice.network == "changed"  # skips the heading


def test_a_file_that_does_not_say_is_offered_all_the_same(choice, tiny_model_path):
    choice.choose(str(tiny_model_path))
    assert choice.network == str(tiny_model_path)
    assert "the file does not say how it was trained" in tip(choice, choice.currentIndex())


def save_photo(path, *, level, mode="RGB", width=0.0):
    """Save a uniform picture with Gaussian noise of this level in each channel."""
    noise = np.random.default_rng(0).standard_normal((160, 120, 3))
    if width:
        frequencies = np.fft.fftfreq(160)[:, None, None] ** 2 + np.fft.fftfreq(120)[:, None] ** 2
        response = np.exp(-2 * (np.pi * width) ** 2 * frequencies)
        noise = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) * response, axes=(0, 1)).real
    values = 120 + level * noise / noise.std()
    Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert(mode).save(path)
    return path


def summary(window):
    return window.findChild(QLabel, "runSummary").text()


def pick(qtbot, combo, text):
    """Choose an entry by keyboard."""
    combo.setFocus()
    combo.showPopup()
    target = next(index for index in range(combo.count()) if combo.itemText(index).startswith(text))
    combo.view().setCurrentIndex(combo.model().index(target, 0))
    qtbot.keyClick(combo.view(), Qt.Key.Key_Return)


@pytest.fixture
def auto_window(make_window):
    """A window that has opened this photo, with the remembered choice of network."""

    def make(photo):
        return make_window(photo, model=None)

    return make


@pytest.mark.parametrize(("mode", "network"), [("RGB", "nerd-lite-photo-colour"), ("L", "nerd-lite-photo")])
def test_auto_is_first_and_says_what_it_takes_for_a_photo_and_why(auto_window, tmp_path, mode, network):
    window = auto_window(save_photo(tmp_path / "noisy.png", level=12, mode=mode))
    models = window.controls.model
    assert models.currentIndex() == 0 and models.is_auto
    assert models.currentText() == f"Auto: {network}" == models.itemText(0)
    kind = "colour" if mode == "RGB" else "grey"
    reason = f"{network} is made for {kind} photos with camera noise."
    assert reason in tip(models, 0) and summary(window) == f"Ready. {reason}"
    assert reason in models.toolTip().replace("\n", " ")
    assert window.actions_.run.isEnabled()
    assert window.controls.settings().model == network and window.controls.choice().grain == 1


def test_auto_follows_photo_and_noise(qtbot, auto_window, open_built_in, tmp_path):
    window = auto_window(save_photo(tmp_path / "noisy.png", level=12))
    models = window.controls.model
    open_built_in(window, sample_names()[0])  # grey; gets white noise
    assert models.network == "nerd-lite-25" and "exactly σ 25" in summary(window)
    window.noise.sigma.setValue(24)
    assert models.currentText() == "Auto: nerd-lite" and "any strength" in summary(window)
    window.noise.mode.setCurrentIndex(1)
    assert models.network in (None, "nerd-lite-photo")


def test_a_photo_with_hardly_any_noise_is_said_and_can_be_run_by_hand(qtbot, auto_window, tmp_path):
    window = auto_window(save_photo(tmp_path / "clean.png", level=0.8))
    models = window.controls.model
    assert models.network is None and models.currentText() == "Auto: none needed"
    said = summary(window)
    assert "hardly any noise (σ 0.8)" in said and said.endswith("To denoise the photo anyway, choose a network.")
    assert "hardly any noise" in tip(models, 0)
    assert not window.actions_.run.isEnabled()
    with pytest.raises(RunError, match="hardly any noise"):
        window.controls.settings()
    pick(qtbot, models, "nerd-lite-photo-colour")
    assert window.actions_.run.isEnabled() and window.controls.settings().model == "nerd-lite-photo-colour"
    assert "your choice" in summary(window)


def test_coarse_noise_is_given_the_larger_grain_size(auto_window, open_file, tmp_path):
    window = auto_window(save_photo(tmp_path / "coarse.png", level=12, width=2.0))
    assert window.controls.choice().grain == 2 and "grain size 2" in summary(window)
    open_file(window, save_photo(tmp_path / "fine.png", level=12))
    assert window.controls.choice().grain == 1 and "grain size" not in summary(window)


def test_the_grain_size_can_be_asked_for(auto_window, tmp_path):
    window = auto_window(save_photo(tmp_path / "coarse.png", level=12, width=2.0))
    wanted = window.findChild(QComboBox, "grainCombo")
    for text, grain in (("1 (fine)", 1), ("2 (coarse)", 2), ("chosen by Auto", 2)):
        wanted.setCurrentText(text)
        assert window.controls.choice().grain == grain
    window.controls.model.choose("nerd-lite-photo-colour")
    assert window.controls.choice().grain == 1
    wanted.setCurrentText("2 (coarse)")
    assert window.controls.choice().grain == 2 and window.controls.choice().model == "nerd-lite-photo-colour"


def test_a_choice_by_hand_is_kept_and_remembered_and_so_is_auto(qtbot, auto_window, open_file, tmp_path):
    noisy = save_photo(tmp_path / "noisy.png", level=12)
    first = auto_window(noisy)
    pick(qtbot, first.controls.model, "nerd-lite-25")
    open_file(first, save_photo(tmp_path / "grey.png", level=12, mode="L"))
    assert first.controls.settings().model == "nerd-lite-25"
    said = first.statusBar().currentMessage()
    assert said.startswith("nerd-lite-25 is your choice and is kept. Auto: nerd-lite-photo is made for grey photos")
    first.close()
    second = auto_window(noisy)
    assert second.controls.settings().model == "nerd-lite-25" and not second.controls.model.is_auto
    assert "nerd-lite-25 is your choice" in summary(second)
    pick(qtbot, second.controls.model, "Auto")
    assert second.controls.settings().model == "nerd-lite-photo-colour"
    second.close()
    assert auto_window(noisy).controls.model.is_auto


def test_what_was_not_chosen_in_the_list_is_not_remembered(make_window, auto_window, settings, tmp_path):
    noisy = save_photo(tmp_path / "noisy.png", level=12)
    make_window(noisy, model="nerd-lite").close()
    assert settings.value("network") is None
    assert auto_window(noisy).controls.model.currentData() == AUTO


def test_a_remembered_checkpoint_comes_again_and_a_lost_one_is_named(qtbot, auto_window, tiny_model_path, tmp_path):
    own = tmp_path / "own.safetensors"
    shutil.copy(tiny_model_path, own)
    noisy = save_photo(tmp_path / "noisy.png", level=12)
    first = auto_window(noisy)
    with qtbot.waitSignal(first.opener.opened):
        first.open_dialogs.open_checkpoint(own)
    assert first.controls.settings().model == str(own)
    assert first.controls.model.currentText() == "own (own file)", "also where a network of the program has that name"
    assert "did not come with the program" in first.controls.model.itemData(1, Qt.ItemDataRole.ToolTipRole)
    first.close()
    assert auto_window(noisy).controls.settings().model == str(own)
    own.unlink()
    third = auto_window(noisy)
    assert third.controls.model.is_auto
    assert "The network “own”, which you chose last, no longer exists. nerd-lite-photo-colour" in summary(third)


def test_open_checkpoint_is_a_command_and_no_choice(qtbot, choice):
    taken = []
    choice.takenByHand.connect(taken.append)
    choice.show()
    pick(qtbot, choice, "nerd-lite-photo")
    with qtbot.waitSignal(choice.checkpointWanted):
        pick(qtbot, choice, "Open checkpoint…")
    assert choice.network == taken[-1] != AUTO and len(taken) == 1

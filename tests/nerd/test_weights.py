import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from nerd_gui.denoising.memory_plan import peak_memory_mb
from nerd_gui.nerd import NERD, ModelError, NerdConfig, load_model, load_record, model_names, model_path, save_model
from nerd_gui.nerd import weights as catalogue
from nerd_gui.nerd.weights import are_foreign, weights_sha256

RECORD = {"samples": 12, "validation_psnr": 21.5}


@pytest.fixture
def trained():
    """A network as during training: with weight norm, and with statistics and lengths that have changed."""
    torch.manual_seed(0)
    net = NERD(NerdConfig(features=8, window=5)).train()
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.1 * torch.randn(value.shape))
        net.decode(net.inject(torch.rand(2, 1, 9, 9)))  # changes the statistics
    return net


@pytest.fixture
def model_file(tmp_path, trained):
    path = tmp_path / "own.safetensors"
    save_model(path, trained, RECORD)
    return path


def tampered(path, *, tensors=None, **metadata):
    """Rewrite a file with other tensors or other metadata."""
    with safe_open(path, framework="pt") as file:
        before = file.metadata()
    save_file(tensors or load_file(path), path, before | metadata)
    return path


def test_what_is_saved_is_what_is_loaded(trained, model_file):
    net = load_model(model_file)
    assert net.config == trained.config
    assert not net.training
    assert not any(parameter.requires_grad for parameter in net.parameters())
    generator = torch.Generator().manual_seed(0)
    y, z = torch.rand(1, 1, 9, 7, generator=generator), torch.randn(1, 8, 9, 7, generator=generator)
    trained.eval()
    torch.testing.assert_close(net.inject(y), trained.inject(y).detach())
    torch.testing.assert_close(net.implicit(z, z), trained.implicit(z, z).detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(net.decode(z), trained.decode(z).detach())
    assert load_record(model_file) == RECORD


def test_saving_leaves_the_network_and_the_random_numbers_alone(tmp_path, trained):
    before, random = {name: value.clone() for name, value in trained.state_dict().items()}, torch.get_rng_state()
    save_model(tmp_path / "a.safetensors", trained, {})
    after = trained.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert torch.equal(torch.get_rng_state(), random)
    assert trained.training


def test_a_loaded_network_can_be_saved_again(tmp_path, model_file):
    again = tmp_path / "again.safetensors"
    save_model(again, load_model(model_file), RECORD)
    before, after = load_file(model_file), load_file(again)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_file_holds_plain_weights_and_says_what_it_is(model_file):
    assert sum(value.numel() for value in load_file(model_file).values() if value.is_floating_point()) > 0
    with safe_open(model_file, framework="pt") as file:
        assert not any("parametrizations" in name for name in file.keys())  # noqa: SIM118
        metadata = file.metadata()
    assert json.loads(metadata["config"])["features"] == 8
    assert json.loads(metadata["record"]) == RECORD


def test_the_catalogue(tmp_path, monkeypatch, model_file):
    (tmp_path / "README.md").touch()
    monkeypatch.setattr(catalogue, "data_folder", lambda name: {"weights": tmp_path}[name])
    assert model_names() == ["own"]
    assert model_path("own") == model_file == model_path(model_file) == model_path(str(model_file))
    assert load_model("own").config.features == 8
    with pytest.raises(ModelError, match=r"no network named “nerd-x”; choose one of: own"):
        load_model("nerd-x")


def test_foreign_weights_are_told_by_their_hash_whatever_they_are_called(tmp_path, model_file):
    ours = model_names()[0]
    assert not are_foreign(weights_sha256(ours)) and are_foreign(weights_sha256(model_file))
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model_path(ours).read_bytes())
    assert not are_foreign(weights_sha256(copy)), "and so are ours"
    impostor = tmp_path / f"{ours}.safetensors"
    impostor.write_bytes(model_file.read_bytes())
    assert are_foreign(weights_sha256(impostor))


def test_the_cards_name_the_hashes_of_the_weights():
    """The hash identifies a network that was downloaded elsewhere."""
    for name in model_names():
        assert weights_sha256(name) in model_path(name).with_suffix(".md").read_text(), name


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"no network file “.*gone\.safetensors”; check the path"):
        load_model(tmp_path / "gone.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(ModelError, match="no network file"):
        load_model(tmp_path / "folder.safetensors")


def test_damaged_files_are_sentences(model_file):
    whole = model_file.read_bytes()
    for content in (b"", whole[:4], whole[:100], whole[: len(whole) // 2], whole[:-1], b"\xff" * 64, b"not a network"):
        model_file.write_bytes(content)
        for read in (load_model, load_record):
            with pytest.raises(ModelError, match=r"The network file “.*own\.safetensors” cannot be read"):
                read(model_file)


def test_other_networks_are_sentences(tmp_path, model_file):
    other = tmp_path / "other.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"weight": torch.zeros(3)}, other, metadata)
        with pytest.raises(ModelError, match="is not a NERD network"):
            load_model(other)
    tensors = load_file(model_file)
    missing = {name: value for name, value in tensors.items() if name != "f_decode.conv.bias"}
    reshaped = tensors | {"f_decode.conv.weight": torch.zeros(1, 9, 3, 3)}
    for changed in (missing, reshaped, tensors | {"more": torch.zeros(1)}):
        with pytest.raises(ModelError, match="does not fit its own configuration"):
            load_model(tampered(model_file, tensors=changed))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_refused(model_file, value):
    tensors = load_file(model_file)
    tensors["f_decode.conv.bias"][:] = value
    with pytest.raises(ModelError, match="not finite"):
        load_model(tampered(model_file, tensors=tensors))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ('{"features": 8, "heads": 3}', "impossible configuration"),
        ('{"features": 8, "heads": 0}', "impossible configuration"),
        ('{"features": 1000000000}', "impossible configuration"),
        ('{"features": 8, "window": Infinity}', "impossible configuration"),
        ('{"features": 8, "layers": 3}', "cannot be read"),
        ('{"features": 16, "window": 5}', "does not fit"),
        ("[]", "cannot be read|does not fit"),
        ("7", "cannot be read"),
        ("{", "cannot be read"),
    ],
)
def test_impossible_configurations_are_refused(model_file, config, sentence):
    with pytest.raises(ModelError, match=sentence):
        load_model(tampered(model_file, config=config))


def test_a_header_that_is_nested_without_end_is_a_sentence(model_file):
    for name in ("config", "record"):
        tampered(model_file, **{"config": "{}", "record": "{}", name: "[" * 100_000})
        for read in (load_model, load_record):
            with pytest.raises(ModelError, match=r"cannot be read \(nested too deeply"):
                read(model_file)
    for record in ("[]", "1", "9" * 5_000):  # a record is an object; no number has so many digits
        with pytest.raises(ModelError, match="cannot be read"):
            load_record(tampered(model_file, record=record))


def test_a_small_file_cannot_ask_for_much_memory(model_file, monkeypatch):
    """Its configuration describes a network of 1.2 GB, but its tensors are those of a small one."""
    monkeypatch.setattr(NERD, "load_state_dict", None)
    huge = json.dumps({"features": 1024, "heads": 4, "expansion": 16, "window": 5})
    before = peak_memory_mb("cpu")
    with pytest.raises(ModelError, match="does not fit its own configuration"):
        load_model(tampered(model_file, config=huge))
    assert peak_memory_mb("cpu") < before + 200


@pytest.mark.parametrize("dtype", [torch.float8_e5m2, torch.complex64, torch.int32])
def test_weights_of_an_odd_kind_of_numbers_are_refused(model_file, dtype):
    tensors = load_file(model_file)
    tensors["f_decode.conv.bias"] = tensors["f_decode.conv.bias"].to(dtype)
    with pytest.raises(ModelError, match="does not fit its own configuration"):
        load_model(tampered(model_file, tensors=tensors))


def test_an_interrupted_write_leaves_the_old_file(tmp_path, trained, model_file, monkeypatch):
    before = model_file.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_model(model_file, trained, {"samples": 99})
    assert model_file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [model_file]

"""The samples come from files that scikit-image contains, without a download."""

import hashlib
import importlib.metadata
import json
import socket

import numpy as np
import pytest
import skimage.data

from nerd_gui.imaging import PhotoError, describe_sample, open_sample, sample_names
from nerd_gui.places import data_folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket, "socket", refuse)


def test_a_small_camera_comes_first():
    names = sample_names()
    assert names[:2] == ["camera 256", "camera"] and len(set(names)) == len(names) > 8
    small, whole = open_sample("camera 256"), open_sample("camera")
    assert small.pixels.shape == (1, 256, 256)
    assert np.array_equal(small.pixels, whole.pixels[:, 44:300, 140:396])
    assert small.sha256 != whole.sha256


@pytest.mark.parametrize(
    "name", ["camera", "astronaut", "coffee", "chelsea", "coins", "brick", "grass", "gravel", "rocket"]
)
def test_pixels_are_those_of_scikit_image(name):
    expected = getattr(skimage.data, name)()
    photo = open_sample(name)
    pixels = np.squeeze(np.moveaxis(photo.pixels, 0, -1))
    tolerance = 2 if name == "rocket" else 0  # JPEG decoders round differently
    assert np.abs(np.rint(pixels * 255) - expected).max() <= tolerance
    assert photo.name == name and photo.path is None and photo.bit_depth == 8
    assert photo.sha256 == hashlib.sha256(photo.pixels.tobytes()).hexdigest()


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_opens(name):
    photo = open_sample(name)
    assert min(photo.rows, photo.cols) >= 256
    assert photo.pixels.std() > 0.05
    assert describe_sample(name).endswith(")")


def test_every_file_is_in_the_wheel_and_has_an_author_and_a_licence():
    shipped = {str(path) for path in importlib.metadata.files("scikit-image")}
    for entry in json.loads((data_folder("resources") / "samples.json").read_text(encoding="utf-8")):
        assert f"skimage/data/{entry['file']}" in shipped
        assert entry["title"] and entry["credit"] and entry["licence"]


def test_description():
    assert describe_sample("coffee") == "Coffee cup (Rachel Michetti, CC0)"


@pytest.mark.parametrize("ask", [open_sample, describe_sample])
def test_unknown_sample(ask):
    with pytest.raises(PhotoError, match="no sample picture “lena”; choose one of camera 256, camera"):
        ask("lena")


def test_missing_file(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(PhotoError, match=r"camera\.png.*does not exist"):
        open_sample("camera")

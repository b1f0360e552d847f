"""A saved picture says how it was made; the tests read this from the file."""

import hashlib
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from nerd_gui import __version__
from nerd_gui.denoising import Look, RunSettings, Subject, denoise
from nerd_gui.denoising.photo_files import Networks, Treatment, denoise_file
from nerd_gui.denoising.provenance import describe, edit_of
from nerd_gui.imaging import save_picture
from nerd_gui.nerd import load_model

NERD = "{urn:nerd-gui:denoising:}"


def told(path):
    """Return the program's own properties in a file's XMP, and the whole packet as text."""
    xmp = Image.open(path).info["xmp"]
    root = ElementTree.fromstring(xmp)
    own = {element.tag.removeprefix(NERD): element.text for element in root.iter() if element.tag.startswith(NERD)}
    return own, " ".join(element.text or "" for element in root.iter())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_tells_how_it_was_denoised(tmp_path, tiny_model_path, tiny_photo, suffix):
    source = save_picture(tmp_path / "a.png", tiny_photo)
    target = tmp_path / f"b{suffix}"
    treatment = Treatment(RunSettings(model=str(tiny_model_path), max_iter=3, solver="anderson"), sigma=25, seed=4)
    report = denoise_file(source, target, treatment, Networks())
    own, everything = told(target)
    assert own["Network"] == "tiny" and str(tmp_path) not in everything
    weights = hashlib.sha256(tiny_model_path.read_bytes()).hexdigest()
    assert own["NetworkSHA256"] == weights == report["weights_sha256"] and report["foreign_weights"]
    assert own["SourceSHA256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (own["Solver"], own["Steps"], own["NoiseAdded"]) == ("anderson", str(report["result"]), "sigma 25, seed 4")
    assert own["StopRule"].startswith("residual 0.001, at most 3 steps; the run ended: ")
    assert own["Look"] == "amount 100%" and "Region" not in own
    assert json.loads(own["Settings"])["max_iter"] == 3
    assert f"NERD GUI {__version__}" in everything and "Nothing was generated" in own["Statement"]
    assert everything.count(own["Statement"]) == 2, "in the history, too"
    assert "digitalsourcetype/algorithmicallyEnhanced" in everything


def test_look_and_region_are_told(tiny_model_path, tiny_photo):
    subject = Subject.of(tiny_photo, region=(2, 3, 16, 12))
    run = denoise(subject, RunSettings(model=str(tiny_model_path), max_iter=2, tol=0.0))
    look = Look(0.8, 1.2, 0.3)
    edit = edit_of(run, 1, look)
    assert edit.details["Look"] == "luma 80%, chroma 120%, detail 30%"
    assert json.loads(edit.details["LookSettings"]) == {"luma": 0.8, "chroma": 1.2, "detail": 0.3}
    assert edit.details["Region"] == "column 3, row 2, 12 x 16 pixels of the photo"
    assert edit.details["Steps"] == "1" and edit.details["NoiseAdded"] == "none"
    assert edit.details["StopRule"].startswith("none, at most 2 steps")
    assert "luma 80%" in describe(run, 1, look) and "look" not in describe(run, 1)


def test_the_weights_are_those_that_ran_and_not_those_that_lie_there_now(tiny_model_path, tiny_photo):
    before = hashlib.sha256(tiny_model_path.read_bytes()).hexdigest()
    net = load_model(tiny_model_path)
    tiny_model_path.write_bytes(b"another training")
    settings = RunSettings(model=str(tiny_model_path), max_iter=1)
    assert edit_of(denoise(Subject.of(tiny_photo), settings, net), 0).details["NetworkSHA256"] == before
    unsaved = replace(settings, model="mine")
    net.weights_sha256 = None
    assert edit_of(denoise(Subject.of(tiny_photo), unsaved, net), 0).details["NetworkSHA256"] == "unknown"


def test_a_photo_that_is_saved_as_it_is_tells_of_nothing(tmp_path, tiny_photo):
    path = save_picture(tmp_path / "a.png", replace(tiny_photo, pixels=np.clip(tiny_photo.pixels, 0, 1)))
    assert "xmp" not in Image.open(path).info

"""A batch: which photos it accepts, the names of the results, and how bad photos are treated."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nerd_gui.denoising import AUTO, Choice, RunSettings, Subject, denoise
from nerd_gui.denoising.batch import Batch
from nerd_gui.denoising.photo_files import Destination, Step, Treatment
from nerd_gui.denoising.time_left import about
from nerd_gui.imaging import PhotoError, open_photo
from nerd_gui.nerd import load_model, save_model


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make_photo(path, seed=0, form=None):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 12), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format=form)
    return path


@pytest.fixture
def batch(tiny_model_path):
    def made(*inputs, out="out", overwrite=False, **options):
        settings = RunSettings(model=str(tiny_model_path), max_iter=2)
        destination = Destination(out, several=True, overwrite=overwrite)
        return Batch([Path(path) for path in inputs], destination, Treatment(settings), **options)

    return made


def names(made):
    return [(str(job.source), job.target.name) for job in made.jobs]


def states(outcomes):
    return {outcome.job.source.name: outcome.state for outcome in outcomes}


def test_a_folder_is_its_photos_by_name_and_what_is_left_out_is_said(batch):
    for name in ("b.PNG", "a.jpg", "c.tif", "deeper/d.png"):
        make_photo(f"in/{name}")
    for name in ("notes.txt", ".hidden.png", "e.npz"):
        Path("in", name).touch()
    made = batch("in")
    assert [Path(source).name for source, _ in names(made)] == ["a.jpg", "b.PNG", "c.tif"]
    (sentence,) = made.ignored
    assert all(f"“{name}”" in sentence for name in ("notes.txt", "deeper", "e.npz")) and "hidden" not in sentence
    Path("empty").mkdir()
    with pytest.raises(PhotoError, match="“empty” holds no photos"):
        batch("in", "empty")


def test_a_photo_that_is_named_twice_is_done_once(batch):
    make_photo("in/a.png")
    assert names(batch("in/a.png", "in", os.path.abspath("in/a.png"))) == [("in/a.png", "a_denoised.png")]


def test_names_follow_from_the_list_alone(batch):
    sources = [make_photo(name, seed) for seed, name in enumerate(["x/a.png", "x/a.jpg", "y/a.png", "y/A.png"])]
    unnamed = make_photo("x/scan", form="JPEG")
    Path("z").mkdir()
    broken = Path("z/a.png")
    broken.touch()
    made = batch(*sources, broken, unnamed)
    expected = ["a_denoised.png", "a_denoised.jpg", "a_denoised-2.png", "A_denoised-3.png", "a_denoised-4.png"]
    assert [target for _, target in names(made)] == [*expected, "scan_denoised.jpg"]
    list(made.outcomes())
    assert names(batch(*sources, broken, unnamed, skip_existing=True)) == names(made)


def test_results_beside_their_photos_are_not_denoised_again(batch):
    for name in ("a.png", "b.png"):
        make_photo(f"in/{name}")
    once = batch("in", out="in")
    assert [outcome.state for outcome in once.outcomes()] == ["saved", "saved"]
    again = batch("in", out="in", skip_existing=True)
    assert names(again) == names(once) and "“a_denoised.png”, “b_denoised.png”" in again.ignored[0]
    assert [outcome.state for outcome in again.outcomes()] == ["skipped", "skipped"]


def test_a_bad_photo_is_named_and_the_others_are_as_if_denoised_alone(batch, tiny_net):
    for seed, name in enumerate(("a.png", "c.png")):
        make_photo(f"in/{name}", seed)
    Path("in/b.png").write_text("a shopping list")
    Path("in/d.png").mkdir()
    seen = []
    outcomes = list(batch("in").outcomes(watch=seen.append))
    assert states(outcomes) == {"a.png": "saved", "b.png": "failed", "c.png": "saved", "d.png": "failed"}
    assert "“b.png” is not a picture" in outcomes[1].reason and "“d.png” is a folder" in outcomes[3].reason
    assert sorted(os.listdir("out")) == ["a_denoised.png", "c_denoised.png"]
    for name in "ac":
        alone = denoise(Subject.of(open_photo(f"in/{name}.png")), RunSettings(max_iter=2), tiny_net)
        expected = np.rint(np.clip(alone.picture(alone.result)[0], 0, 1) * np.float32(255))
        assert np.array_equal(np.asarray(Image.open(f"out/{name}_denoised.png")), expected)
    assert [(seen[0].number, seen[-1].number, seen[0].count)] == [(1, 4, 4)]
    fractions = [one.step.fraction for one in seen if one.job.source.name == "a.png"]
    assert fractions[0] == 0 and fractions[-1] == 1 and fractions == sorted(fractions)
    assert seen[0].seconds_left is None and all(one.seconds_left is not None for one in seen if 1 < one.number < 4)


def test_the_time_left_is_told_by_the_first_photo_and_then_by_all_that_are_done(batch, monkeypatch):
    """One photo takes 10 seconds and another 40; the result of a third exists already."""
    now, told = [0.0], {}
    for name in "abcde":
        make_photo(f"in/{name}.png")
    make_photo("out/e_denoised.png")

    def denoise_file(source, target, treatment, networks, *, watch, **_):
        seconds = 10 if source.name == "a.png" else 40
        now[0] += seconds / 2
        watch(Step(0.5, seconds / 2 if source.name == "a.png" else None))
        now[0] += seconds / 2

    monkeypatch.setattr("nerd_gui.denoising.batch.denoise_file", denoise_file)
    made = batch("in", skip_existing=True)
    list(
        made.outcomes(
            watch=lambda at: told.setdefault((at.job.source.name, at.step.fraction), at.seconds_left),
            clock=lambda: now[0],
        )
    )
    assert told == {
        ("a.png", 0): None,
        ("a.png", 0.5): 5 + 3 * 10,
        ("b.png", 0): 10 + 2 * 10,
        ("b.png", 0.5): 0 + 2 * 10,
        ("c.png", 0): 25 + 25,
        ("c.png", 0.5): 5 + 25,
        ("d.png", 0): 30,
        ("d.png", 0.5): 10,
    }


def test_what_is_there_is_kept_unless_asked_otherwise(batch):
    for name in ("a.png", "b.png"):
        make_photo(f"in/{name}")
    Path("out").mkdir()
    Path("out/a_denoised.png").write_bytes(b"precious")
    failed, saved = batch("in").outcomes()
    assert failed.state == "failed" and "a_denoised.png” exists already" in failed.reason and saved.state == "saved"
    before = Path("out/b_denoised.png").stat().st_mtime_ns
    assert [outcome.state for outcome in batch("in", skip_existing=True).outcomes()] == ["skipped", "skipped"]
    assert Path("out/a_denoised.png").read_bytes() == b"precious"
    assert Path("out/b_denoised.png").stat().st_mtime_ns == before
    assert [outcome.state for outcome in batch("in", overwrite=True).outcomes()] == ["saved", "saved"]
    with Image.open("out/a_denoised.png") as saved:
        assert saved.size == (12, 16)


def test_another_batch_meanwhile_does_the_work_once(batch):
    """Two batches write into one folder; results that the other batch has finished meanwhile are skipped."""
    make_photo("in/a.png")

    def other(progress):
        if progress.step.fraction == 1 and not Path("out").exists():
            assert [outcome.state for outcome in batch("in").outcomes()] == ["saved"]

    (outcome,) = batch("in", skip_existing=True).outcomes(watch=other)
    assert outcome.state == "skipped" and os.listdir("out") == ["a_denoised.png"]


def test_stopped_in_the_middle_of_a_photo_nothing_of_it_is_saved(batch):
    for name in ("a.png", "b.png", "c.png"):
        make_photo(f"in/{name}")
    stopped = []

    def stop_in_b(progress):
        if progress.number == 2 and progress.step.fraction > 0:
            stopped.append(True)

    made = batch("in", skip_existing=True)
    outcomes = list(made.outcomes(lambda: bool(stopped), watch=stop_in_b))
    assert states(outcomes) == {"a.png": "saved"} and os.listdir("out") == ["a_denoised.png"]
    assert states(made.outcomes()) == {"a.png": "skipped", "b.png": "saved", "c.png": "saved"}


def test_what_a_killed_batch_left_is_removed(batch):
    make_photo("in/a.png")
    Path("out").mkdir()
    left, other = Path("out/.a_denoised.png.0123456789abcdef.part"), Path("out/.b_denoised.png.0123456789abcdef.part")
    left.touch()
    other.touch()
    list(batch("in").outcomes())
    assert sorted(os.listdir("out")) == sorted([other.name, "a_denoised.png"])


def auto_that_says(monkeypatch, **choices):
    """Replace Auto by answers that depend on the photo's name."""

    def choose(photo, *, adds_noise, device, sigma=None):
        assert (adds_noise, device, sigma) == (False, "cpu", None)
        return Choice(choices[photo.name], 1, f"Auto has seen {photo.name}.")

    monkeypatch.setattr("nerd_gui.denoising.photo_files.choose", choose)


def test_auto_chooses_for_each_photo_and_leaves_one_without_noise_as_it_is(tiny_net, tiny_model_path, monkeypatch):
    other = Path("other.safetensors")
    with torch.no_grad():
        for parameter in tiny_net.f_decode.parameters():
            parameter *= 0.5
    save_model(other, tiny_net, {})
    auto_that_says(monkeypatch, a=str(tiny_model_path), b=str(other), c=None, d=None)
    sources = [make_photo(f"in/{name}", seed=1) for name in ("a.png", "b.png", "c.png", "d.png")]
    loads, true = [], load_model
    monkeypatch.setattr("nerd_gui.denoising.photo_files.load_model", lambda *a, **k: loads.append(a) or true(*a, **k))
    told = []
    made = Batch(sources, Destination("out", several=True), Treatment(RunSettings(model=AUTO, max_iter=2)))
    outcomes = list(made.outcomes(announce=lambda job, sentence: told.append((job.source.name, sentence))))
    assert told == [(f"{name}.png", f"Auto has seen {name}.") for name in "abcd"]
    assert [outcome.state for outcome in outcomes] == ["saved"] * 4 and len(loads) == 2
    assert [outcome.report and outcome.report["model"] for outcome in outcomes] == [
        str(tiny_model_path),
        str(other),
        None,
        None,
    ]
    a, b = (np.asarray(Image.open(f"out/{name}_denoised.png"), int) for name in "ab")
    assert not np.array_equal(a, b)
    assert Path("out/c_denoised.png").read_bytes() == Path("in/c.png").read_bytes()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (8.4, "8 s"),
        (12, "10 s"),
        (57, "55 s"),
        (58, "1 min"),
        (200, "3 min"),
        (3599, "1 h"),
        (7800, "2 h 10 min"),
        (50_000, "14 h"),
    ],
)
def test_time_left_is_no_more_exact_than_an_estimate(seconds, words):
    assert about(seconds) == words

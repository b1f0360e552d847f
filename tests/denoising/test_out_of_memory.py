"""If memory runs out during a run, there is a result with less memory, or a sentence, but never a traceback."""

import gc
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.denoising import DenoisingRun, PhotoRun, RunError, RunSettings, Subject, memory_plan, record, record_photo
from nerd_gui.denoising.errors import OutOfMemory
from nerd_gui.denoising.features import FeatureStore
from nerd_gui.denoising.kept_memory import KeptMemory
from nerd_gui.nerd import NERD

WORDS = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "4294967296 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [RuntimeError(WORDS), MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GB")]


@pytest.fixture
def failing(monkeypatch):
    """Let these evaluations of f, counted from 0, run out of memory."""

    def fail(error, *numbers):
        count, true = [0], NERD.implicit

        def implicit(*args, **how):
            count[0] += 1
            if count[0] - 1 in numbers:
                raise type(error)(*error.args)  # no variable keeps its traceback
            return true(*args, **how)

        monkeypatch.setattr(NERD, "implicit", implicit)

    return fail


@pytest.fixture
def settings(tiny_model_path):
    return RunSettings(model=str(tiny_model_path), device="cpu", max_iter=4, tol=0)


@pytest.fixture(autouse=True)
def only_the_tensors_count(monkeypatch):
    """Let the plans of these small pictures count only their tensors, not the memory of the process."""
    monkeypatch.setattr(memory_plan, "_BASE", 0)
    monkeypatch.setattr(memory_plan, "_held", lambda settings: 10**9)


def test_pytorch_says_it_so():
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        torch.empty(2**55)


@pytest.mark.parametrize("evaluation", range(5))
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_run_says_so_at_whichever_evaluation(failing, tiny_photo, tiny_net, settings, error, evaluation):
    failing(error, evaluation)
    subject = Subject.of(tiny_photo)
    with pytest.raises(OutOfMemory, match=r"^There is not enough memory for this run; close other programs, or .*\.$"):
        record(DenoisingRun(subject, settings, tiny_net))
    with pytest.raises(OutOfMemory, match=r"choose a smaller memory limit\.$"):
        failing(error, evaluation)
        record_photo(PhotoRun(subject, settings, tiny_net))


def test_other_errors_are_not_taken_for_it(failing, tiny_photo, tiny_net, settings):
    failing(RuntimeError("shapes differ"), 2)
    with pytest.raises(RuntimeError, match="shapes differ"):
        record(DenoisingRun(Subject.of(tiny_photo), settings, tiny_net))


def denoise(tmp_path, monkeypatch, model, *names):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(names):
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(name)
    return main(["denoise", *names, "-o", "out/", "--model", str(model), "--max-iter", "16", "--tol", "0"])


@pytest.mark.parametrize("evaluation", range(5))
def test_a_file_is_denoised_in_less_memory(failing, tmp_path, monkeypatch, tiny_model_path, capsys, evaluation):
    failing(RuntimeError(WORDS), evaluation)
    assert denoise(tmp_path, monkeypatch, tiny_model_path, "a.png") == 0
    assert "Memory ran out; the photo is denoised again with two thirds as much memory." in capsys.readouterr().err
    monkeypatch.undo()
    first = (tmp_path / "out" / "a_denoised.png").read_bytes()
    (tmp_path / "out" / "a_denoised.png").unlink()
    assert denoise(tmp_path, monkeypatch, tiny_model_path, "a.png") == 0
    again = np.asarray(Image.open(tmp_path / "out" / "a_denoised.png")).astype(int)
    assert np.abs(np.asarray(Image.open(tmp_path / "out" / "a_denoised.png")).astype(int) - again).max() <= 1 and first


def test_a_file_that_never_fits_is_a_sentence_and_the_others_follow(
    failing, tmp_path, monkeypatch, tiny_model_path, capsys
):
    failing(RuntimeError(WORDS), 0, 1, 2)  # each of the three tries
    assert denoise(tmp_path, monkeypatch, tiny_model_path, "a.png", "b.png") == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and "is not enough memory for this run" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b_denoised.png"]


def test_what_the_first_try_took_is_given_back_before_the_second(failing, tmp_path, monkeypatch, tiny_model_path):
    held, true = [], NERD.inject

    def inject(*args, **how):
        gc.collect()
        assert all(one() is None for one in held), "the first try's features are still there"
        s = true(*args, **how)
        held.append(weakref.ref(s))
        return s

    monkeypatch.setattr(NERD, "inject", inject)
    failing(RuntimeError(WORDS), 2)
    assert denoise(tmp_path, monkeypatch, tiny_model_path, "a.png") == 0
    assert len(held) == 2


@pytest.mark.parametrize(
    "where", ["nerd_gui.denoising.photo_files.open_photo", "nerd_gui.denoising.photo_files.Subject.of"]
)
def test_nor_does_memory_that_runs_out_before_the_run_end_a_batch(
    tmp_path, monkeypatch, tiny_model_path, capsys, where
):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(where, full)
    assert denoise(tmp_path, monkeypatch, tiny_model_path, "a.png", "b.png") == 1
    assert "“b.png” needs more memory than is free" in capsys.readouterr().err


def test_a_command_of_one_picture_says_so(tmp_path, monkeypatch, capsys):
    Image.new("L", (64, 64)).save(tmp_path / "a.png")

    def full(*_, **__):
        raise RuntimeError(WORDS)

    monkeypatch.setattr("nerd_gui.cli.noise.noise_statistics", full)
    assert main(["noise", str(tmp_path / "a.png")]) == 2
    assert capsys.readouterr().err == (
        "nerd-gui: There is not enough memory. Close other programs, or take a smaller picture.\n"
    )


def test_features_that_find_no_memory_lie_on_the_disk(monkeypatch):
    def full(*_, **__):
        raise MemoryError

    store, values = FeatureStore(shared=KeptMemory()), torch.rand(2, 3, 4)
    monkeypatch.setattr("nerd_gui.denoising.kept_memory.np.empty", full)
    kept = store.keep(values)
    monkeypatch.undo()
    assert torch.equal(kept, values.half())


def test_out_of_memory_is_an_error_of_the_run():
    assert issubclass(OutOfMemory, RunError)

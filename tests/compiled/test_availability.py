"""If compiled code is not available for any reason, the plain path is used, is correct, and is reported."""

import dataclasses
import io
import sys
import threading

import pytest
import torch

import nerd_gui.compiled
from nerd_gui.compiled import Unavailable, attention_kernel, availability, history_kernel, status
from nerd_gui.denoising import RunSettings, Subject, denoise
from nerd_gui.nerd.attention import attention_path, neighbourhood_attention, reference_attention

SETTINGS = RunSettings(max_iter=3, tol=0.0)


def inputs(dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(2, 2, 13, 22, depth, generator=generator).to(dtype) for depth in (8, 8, 6)]


def assert_attention_is_right():
    """Check its values and its gradient."""
    leaves = [tensor.requires_grad_() for tensor in inputs()]
    found, truth = neighbourhood_attention(*leaves, 7), reference_attention(*leaves, 7)
    torch.testing.assert_close(found, truth, atol=2e-6, rtol=1e-5)
    gradients = (torch.autograd.grad(out.square().sum(), leaves) for out in (found, truth))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def run(net, photo):
    """Do a short run with Broyden's compiled passes, on vectors long enough for them."""
    photo = dataclasses.replace(photo, pixels=photo.pixels[:, :16, :16].copy())
    return denoise(Subject.of(photo, sigma=25), SETTINGS, net)


def fail(*_, **__):
    raise AttributeError("module 'llvmlite.binding' has no attribute 'parse_assembly'")


def all_zero(self, inputs, outputs, *_):
    for output in outputs:
        output.zero_()


def off_by_some(self, name, vectors, beside, *numbers):
    vectors[-1].fill_(3.0)


@pytest.mark.usefixtures("compiled_code")
def test_here_it_is_the_path_of_float32_on_the_processor():
    assert attention_path("cpu") == "compiled"
    assert attention_path("cpu", torch.float64) == "blocks"
    assert status().compiled and status().reason is None
    assert not status("cuda:0").compiled and "cuda:0" in str(status("cuda:0"))


@pytest.mark.usefixtures("compiled_code")
def test_a_compiler_that_fails_leads_to_the_plain_path(unasked, tiny_net, tiny_photo, capsys):
    from nerd_gui.compiled import compiler

    truth = run(tiny_net, tiny_photo)
    assert truth.report()["compiled"] is True and truth.report()["compiled_reason"] is None
    attention_kernel._forward.cache_clear()
    history_kernel._passes.cache_clear()
    unasked.setattr(compiler, "compile_function", fail)
    found = run(tiny_net, tiny_photo)
    report = found.report()
    assert report["compiled"] is False
    assert report["compiled_reason"].startswith("it cannot be compiled (AttributeError: module 'llvmlite.binding' has")
    assert [step["residual"] for step in report["iterations"]] == pytest.approx(
        [step["residual"] for step in truth.report()["iterations"]], rel=1e-3
    )
    assert_attention_is_right()
    (said,) = capsys.readouterr().err.splitlines()
    assert said == f"nerd-gui: {found.compiled}" and availability.SLOWER in said


@pytest.mark.usefixtures("compiled_code")
@pytest.mark.parametrize(
    ("kernel", "broken", "part"),
    [
        (attention_kernel._Kernel, all_zero, "attention's result is off by"),
        (history_kernel.Passes, off_by_some, "is off by"),
    ],
    ids=["attention", "history"],
)
def test_code_that_computes_something_else_is_not_used(unasked, tiny_net, tiny_photo, kernel, broken, part):
    unasked.setattr(kernel, "_run" if kernel is history_kernel.Passes else "run", broken)
    found = run(tiny_net, tiny_photo)
    assert found.compiled == status() and not status().compiled and part in status().reason
    assert_attention_is_right()
    assert attention_path("cpu") == "blocks"


@pytest.mark.usefixtures("compiled_code")
def test_a_gradient_that_fails_is_the_plain_one(unasked):
    made = attention_kernel._Kernel.__init__
    unasked.setattr(
        attention_kernel._Kernel,
        "__init__",
        lambda self, name, *_, **__: (fail if "key" in name else made)(self, name, *_, **__),
    )
    assert_attention_is_right()
    assert "AttributeError" in status().reason


@pytest.mark.usefixtures("compiled_code")
def test_what_stops_an_evaluation_says_nothing_of_the_code(unasked):
    with pytest.raises(ZeroDivisionError):
        neighbourhood_attention(*inputs(), 7, interrupt=lambda: 1 / 0)
    assert status().compiled


def test_threads_that_come_at_once_tell_of_it_once(unasked):
    second = threading.Thread(target=availability._tell, args=("It is so.",))

    class Meanwhile(io.StringIO):
        def write(self, text):
            if second.ident is None:
                second.start()
                second.join(0.2)  # it waits for the first thread, which has arrived here
            return super().write(text)

    unasked.setattr(sys, "stderr", Meanwhile())
    availability._tell("It is so.")
    second.join()
    assert sys.stderr.getvalue() == "nerd-gui: It is so.\n"


@pytest.mark.usefixtures("compiled_code")
def test_it_is_float32_whatever_pytorchs_default_is(unasked):
    inner = inputs()
    truth = reference_attention(*inner, 7)
    torch.set_default_dtype(torch.float64)
    try:
        torch.testing.assert_close(neighbourhood_attention(*inner, 7, path="compiled"), truth, atol=2e-6, rtol=1e-5)
        assert history_kernel.passes_over(torch.zeros(1, 320, dtype=torch.float32)) is not None
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_switch_turns_it_off(unasked, tiny_net, tiny_photo):
    unasked.setenv("NERD_GUI_COMPILED", "0")
    assert run(tiny_net, tiny_photo).report()["compiled_reason"] == "NERD_GUI_COMPILED=0 turns it off"
    assert_attention_is_right()
    with pytest.raises(Unavailable, match="NERD_GUI_COMPILED=0"):
        neighbourhood_attention(*inputs(), 7, path="compiled")


def test_without_llvmlite(unasked):
    unasked.delenv("NERD_GUI_COMPILED", raising=False)
    for name in ("llvmlite", "llvmlite.binding"):
        unasked.setitem(sys.modules, name, None)
    unasked.delitem(sys.modules, "nerd_gui.compiled.compiler", raising=False)
    unasked.delattr(nerd_gui.compiled, "compiler", raising=False)
    assert "llvmlite" in status().reason and status().reason.endswith("is not installed")
    assert_attention_is_right()


@pytest.mark.usefixtures("compiled_code")
@pytest.mark.parametrize(
    ("features", "reason"),
    [({"sse2": True}, "lacks AVX2, FMA or F16C"), (None, "lacks AVX2"), (3, "TypeError")],
)
def test_processors_that_are_old_or_unknown(unasked, features, reason):
    from nerd_gui.compiled import compiler

    def told():
        if features is None:
            raise RuntimeError("this processor is unknown")
        return features

    compiler.features.cache_clear()
    unasked.setattr(compiler, "on_arm", lambda: False)
    unasked.setattr(compiler.llvm, "get_host_cpu_features", told)
    try:
        assert reason in status().reason
        assert_attention_is_right()
    finally:
        compiler.features.cache_clear()

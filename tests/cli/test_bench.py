"""`nerd-gui bench`: every figure is reported, and derived figures agree with the measured ones."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from statistics import median

import pytest
import torch
from command_line import refused

from nerd_gui.benchmarks import machine, solve
from nerd_gui.benchmarks.flops import useful_flops
from nerd_gui.cli import main
from nerd_gui.compiled import status
from nerd_gui.nerd import NERD, NerdConfig, save_model

SIZE, WINDOW = 24, 5


def make_model(folder, **config):
    torch.manual_seed(0)
    path = folder / "tiny.safetensors"
    save_model(path, NERD(NerdConfig(features=8, window=WINDOW, **config)).eval(), {})
    return str(path)


def bench(*arguments):
    """Return the report, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert main(["bench", "--quick", "--device", "cpu", "--threads", "1", *map(str, arguments)]) == 0
    return out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    path = folder / "bench.json"
    printed, said = bench("--model", make_model(folder), "--size", SIZE, "--json", path)
    return json.loads(path.read_text()), printed, said


@pytest.fixture
def without_processes(monkeypatch):
    """Replaces the measured memory peaks: 30 MB for us, 60 MB for torchdeq."""
    peaks = {"here": 30_000_000, "torchdeq": 60_000_000}
    monkeypatch.setattr(solve, "peak_of_solve", lambda name, size, precision, solver, device, steps: peaks[solver])


def measured(value):
    """Return every part of a report that contains single measurements."""
    if isinstance(value, dict):
        found = [value] if isinstance(value.get("turns"), list) else []
        return found + [part for inner in value.values() for part in measured(inner)]
    return [part for inner in value for part in measured(inner)] if isinstance(value, list) else []


def test_medians_of_several_turns(told):
    report, _, _ = told
    parts = measured(report)
    paths = 1 + status().compiled
    assert len(parts) == 3 + 4 + 2 + paths + 2 + 1 + 1  # attention, ceilings, f, paths, algebra, click, non-local means
    for part in parts:
        assert len(part["turns"]) >= 2 and min(part["turns"]) > 0
        assert part["seconds"] == median(part["turns"])


def test_the_machine_is_described(told):
    report, printed, _ = told
    assert report["machine"]["threads"] == 1 and report["machine"]["device"] == "cpu"
    assert report["machine"]["torch"] == torch.__version__
    assert f"torch {torch.__version__}" in printed and report["machine"]["processor"] in printed


def test_attention(told):
    baseline, *here = told[0]["runs"][0]["attention"]
    assert (baseline["path"], baseline["precision"], baseline["times_faster"]) == ("SDPA, 8x8 blocks", "float32", 1)
    path = "compiled, here" if status().compiled else "blocks, here"
    assert [(row["path"], row["precision"]) for row in here] == [(path, "float32"), (path, "bfloat16")]
    for row in here:
        assert row["times_faster"] == baseline["seconds"] / row["seconds"]
    assert here[0]["relative_error"] < 1e-5 and here[1]["relative_error"] < 1e-2


def test_f_beside_the_rate_of_conv2d(told):
    run = told[0]["runs"][0]
    assert [row["operation"] for row in run["ceilings"]] == ["conv2d", "matrix product"] * 2
    conv = {row["precision"]: row for row in run["ceilings"] if row["operation"] == "conv2d"}
    assert [row["precision"] for row in run["f"]] == ["float32", "bfloat16"]
    for row in run["f"]:
        ceiling = conv[row["precision"]]
        assert ceiling["flops_per_second"] == ceiling["flops"] / ceiling["seconds"]
        assert row["flops"] == useful_flops(NerdConfig(features=8, window=WINDOW), SIZE, SIZE, WINDOW)
        assert row["seconds_at_conv2d_rate"] == sum(row["flops"].values()) / ceiling["flops_per_second"]
        assert row["times_conv2d_rate"] == row["seconds"] / row["seconds_at_conv2d_rate"]
        assert row["seconds_per_pixel"] == row["seconds"] / SIZE**2
        assert min(row["non_local_seconds"], row["transformation_seconds"]) > 0


def test_an_iterate_on_each_path(told):
    report, printed, _ = told
    row = report["runs"][0]["plain_path"]
    assert row["precision"] == "float32" and "plain" in row["paths"]
    if status().compiled:
        slower = row["paths"]["plain"]["seconds"] / row["paths"]["compiled"]["seconds"]
        assert row["times_slower"] == slower and f"{slower:.2f}" in printed
    else:
        assert list(row["paths"]) == ["plain"] and row["times_slower"] is None


def test_solve(told):
    run = told[0]["runs"][0]
    row = run["solve"]
    assert row["precision"] == min(run["f"], key=lambda row: row["seconds"])["precision"]
    assert len(row["evaluations"]) == 18 and row["f_seconds"] == median(row["evaluations"])
    assert row["iterates_per_second"] == 18 / row["seconds"]
    assert row["times_f"] == row["seconds"] / (18 * row["f_seconds"])
    assert row["own_seconds"] == row["seconds"] - sum(row["evaluations"]) > 0
    assert row["first_iterate_seconds"] > sum(row["evaluations"][:2])
    assert row["algebra_ratio"] == row["algebra"]["torchdeq"]["seconds"] / row["algebra"]["here"]["seconds"]
    peaks = row["peak_memory_mb"]
    assert row["memory_ratio"] == peaks["here"] / peaks["torchdeq"] and min(peaks.values()) > 0
    assert row["missing"] == []
    assert 5 < row["psnr"] < 60


def test_tables_show_the_report(told):
    report, printed, said = told
    run = report["runs"][0]
    assert f"{run['attention'][1]['times_faster']:.2f}" in printed
    assert f"{run['solve']['iterates_per_second']:.2f}" in printed
    assert f"{run['solve']['peak_memory_mb']['torchdeq']:.0f}" in printed
    assert f"{report['non_local_means'][0]['psnr']:.2f}" in printed
    assert "random" not in printed and "torchdeq is not installed" not in printed
    titles = [block.splitlines()[0] for block in printed.split("\n\n")[1:]]
    assert len(titles) >= 7
    for block in printed.split("\n\n")[1:8]:
        _, *table = block.rstrip("\n").splitlines()
        assert len(table) > 1 and len({len(line) for line in table}) == 1
    assert all(line.startswith("nerd-gui: ") for line in said.splitlines()) and f"{SIZE} px: attention" in said


def test_random_weights_are_said(tmp_path, without_processes):
    path = tmp_path / "a.json"
    printed, _ = bench("--model", "nerd", "--size", 8, 8, "--precision", "float32", "--json", path)
    (run,) = json.loads(path.read_text())["runs"]
    assert (run["weights"], run["features"], run["window"], run["solve"]["psnr"]) == ("random", 128, 65, None)
    assert [row["precision"] for row in run["f"]] == ["float32"]
    assert (
        "Measured with random weights, because no trained ones are installed: nerd." in printed
        and "nerd (random)" in printed
    )
    assert run["solve"]["memory_ratio"] == 0.5 and "50%" in printed


def test_without_torchdeq(tmp_path, model, monkeypatch, without_processes):
    for module in (machine, solve):
        monkeypatch.setattr(module, "installed_version", lambda package: None)
    path = tmp_path / "a.json"
    printed, _ = bench("--model", model, "--size", 8, "--json", path)
    report = json.loads(path.read_text())
    row = report["runs"][0]["solve"]
    assert report["machine"]["torchdeq"] is None
    assert set(row["algebra"]) == set(row["peak_memory_mb"]) == {"here"}
    assert row["algebra_ratio"] is None and row["memory_ratio"] is None
    assert printed.rstrip().endswith(
        "torchdeq is not installed, so its solver is not measured; it comes with nerd-gui[test]."
    )


@pytest.mark.parametrize(("busy", "told"), [(80.0, "80%"), (2.0, None)])
def test_other_programs_are_told(model, monkeypatch, without_processes, busy, told):
    monkeypatch.setattr(machine.psutil, "cpu_percent", lambda seconds: busy)
    printed, _ = bench("--model", model, "--size", 8)
    assert ("Other programs" in printed) == (told is not None)
    assert told is None or f"Other programs used {told} of the processor" in printed


def test_network_without_attention(tmp_path, without_processes):
    path = tmp_path / "a.json"
    bench("--model", make_model(tmp_path, non_local=False), "--size", 8, "--json", path)
    (run,) = json.loads(path.read_text())["runs"]
    assert run["attention"] == [] and "click" not in run
    assert "non_local_seconds" not in run["f"][0] and run["f"][0]["flops"]["attention"] == 0


def test_a_process_that_was_ended_is_told(tmp_path, model, monkeypatch):
    def ended(*_):
        raise MemoryError("A solve needs more memory than this machine has free.")

    monkeypatch.setattr(solve, "peak_of_solve", ended)
    printed, _ = bench("--model", model, "--size", 8)
    assert printed.rstrip().endswith("A solve needs more memory than this machine has free.")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--model none-such", "none-such"),
        ("--size 4", "--size"),
        ("--size many", "--size"),
        ("--size 100000", "memory"),
        ("--precision int8", "--precision"),
        ("--device tpu", "tpu"),
        ("--threads 0", "--threads"),
        ("--json missing/a.json", "missing"),
        ("--json .", "folder"),
        ("photo.png", "photo.png"),
    ],
)
def test_bad_options(tmp_path, model, capsys, options, word):
    assert word in refused(capsys, "bench", "--quick", "--model", model, *options.split())

"""A batch on a Dask cluster gives the same results as a local one, even if a worker dies."""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import distributed
import numpy as np
import pytest
from dask_workers import start_workers
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.denoising import RunError, RunSettings
from nerd_gui.denoising.batch import Batch
from nerd_gui.denoising.cluster import Cluster, _here
from nerd_gui.denoising.photo_files import Destination, Treatment


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster with two worker processes."""
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster:
        processes = start_workers(cluster.scheduler_address, 2)
        try:
            with distributed.Client(cluster, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            yield cluster.scheduler_address
        finally:
            for process in processes:
                process.kill()
                process.join()


@pytest.fixture
def batch(tiny_model_path):
    def made(out, *, max_iter=2, inputs=("in",), **options):
        settings = RunSettings(model=os.path.relpath(tiny_model_path), solver="plain", max_iter=max_iter, tol=0)
        return Batch([Path(path) for path in inputs], Destination(out, several=True), Treatment(settings), **options)

    return made


def make_photos(count):
    Path("in").mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(f"in/{number}.png")


def pictures(folder):
    """Return the pixels of each file; the files also contain the time at which they were made."""
    return {path.name: np.asarray(Image.open(path)).tolist() for path in Path(folder).iterdir()}


def kill_one_at_work(client, results):
    """Kill a worker that has been sent a photo and has not saved its result yet."""
    processes = client.run(os.getpid)
    began = time.monotonic()
    while time.monotonic() - began < 30:
        for address, process in processes.items():
            os.kill(process, signal.SIGSTOP)  # what is seen of it stays true until it is killed
            sent = [key.split("-")[2] for key in client.processing()[address]]
            if not all((results / name.replace(".", "_denoised.")).exists() for name in sent):
                os.kill(process, signal.SIGKILL)
                return
            os.kill(process, signal.SIGCONT)
    pytest.fail("the workers had nothing to do")


@pytest.mark.skipif(sys.platform == "win32", reason="no process is killed like that there")
def test_what_a_killed_worker_had_under_way_is_done_by_another(scheduler, batch):
    make_photos(6)
    list(batch("here", max_iter=50).outcomes())
    with Cluster(scheduler) as cluster:
        assert cluster.workers == 2
        coming = cluster.outcomes(batch("there", max_iter=50))
        outcomes = [next(coming)]
        kill_one_at_work(cluster._client, Path("there"))
        outcomes += coming
    assert sorted(outcome.job.source.name for outcome in outcomes) == [f"{number}.png" for number in range(6)]
    assert {outcome.state for outcome in outcomes} == {"saved"}
    assert pictures("there") == pictures("here")


def test_the_command_gives_the_same_files_words_and_exit_code(scheduler, tiny_model_path, capsys):
    make_photos(3)
    Path("in/bad.png").write_text("a shopping list")
    options = ["--model", str(tiny_model_path), "--max-iter", "2", "--device", "cpu"]
    said = {}
    for out, where in (("here", []), ("there", ["--dask", scheduler])):
        assert main(["denoise", "in", "-o", out, *options, "--report", f"{out}.json", *where]) == 1
        told = capsys.readouterr()
        said[out] = told.err.splitlines()[-2:], sorted(line.split(",")[0] for line in told.out.splitlines())
    assert pictures("here") == pictures("there") and len(pictures("there")) == 3
    assert said["there"][0] == said["here"][0] and "3 saved, 1 failed, of 4 photos." in said["there"][0][0]
    assert [line.replace("there", "here") for line in said["there"][1]] == said["here"][1]
    before = {path: path.stat().st_mtime_ns for path in Path("there").iterdir()}
    again = ["--skip-existing", "--dask", scheduler]
    assert main(["denoise", "in", "-o", "there", *options, *again]) == 1
    assert "3 done already, 1 failed, of 4 photos." in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in Path("there").iterdir()} == before


def test_a_folder_that_workers_do_not_see_is_named(scheduler, batch, monkeypatch):
    make_photos(1)
    made = batch("out")
    monkeypatch.setattr("nerd_gui.denoising.cluster._make_folders", lambda _: None)
    with Cluster(scheduler) as cluster:
        (outcome,) = cluster.outcomes(made)
    assert outcome.state == "failed" and f"does not see “{Path('out').absolute()}”" in outcome.reason
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "address", ["nowhere", "", "ftp://127.0.0.1:21", "tcp://127.0.0.1:1", "a server of another kind"]
)
def test_what_is_no_cluster_is_said_in_time(address, tiny_model_path, capsys, monkeypatch):
    make_photos(1)
    monkeypatch.setattr("nerd_gui.denoising.cluster._PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if " " in address:
            address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert main(["denoise", "in", "-o", "out", "--model", str(tiny_model_path), "--dask", address]) == 2
    said = capsys.readouterr().err
    assert f"The Dask cluster “{address}” does not answer" in said and said.count("\n") == 1
    assert not Path("out").exists() and threading.active_count() < 20


def test_a_cluster_that_is_lost_is_said(batch):
    make_photos(2)
    lost = distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50)
    with Cluster(lost.scheduler_address) as cluster:
        assert cluster.workers == 0
        timer = threading.Timer(0.3, lost.close)
        timer.start()
        with pytest.raises(RunError, match="was lost; once it is back, continue with --skip-existing"):
            list(cluster.outcomes(batch("out")))
        timer.join()


@pytest.mark.parametrize(
    ("asked", "allowed", "limit"), [(None, 4_000_000_000, 3.0), (1.5, 4_000_000_000, 1.5), (None, None, None)]
)
def test_a_run_keeps_within_the_memory_that_its_worker_may_take(asked, allowed, limit):
    """Dask kills workers that exceed their memory."""
    settings = _here(RunSettings(device="cuda", memory_limit=asked), "cpu", allowed)
    assert (settings.device, settings.memory_limit) == ("cpu", limit)


def test_a_device_that_a_worker_lacks_is_named():
    with pytest.raises(RunError, match="no device “tpu”"):
        _here(RunSettings(), "tpu", None)


def test_without_distributed_a_sentence_says_how_to_get_it(tiny_model_path, capsys, monkeypatch):
    make_photos(1)
    monkeypatch.setitem(sys.modules, "distributed", None)
    command = ["denoise", "in", "-o", "out", "--model", str(tiny_model_path), "--dask", "tcp://127.0.0.1:8786"]
    assert main(command) == 2
    assert 'pip install "nerd-gui[cluster]"' in capsys.readouterr().err
    with pytest.raises(RunError, match="“distributed”, which is not installed"):
        Cluster("tcp://127.0.0.1:8786")


def test_threads_are_the_workers_own(capsys):
    make_photos(1)
    assert main(["denoise", "in", "-o", "out", "--dask", "tcp://127.0.0.1:8786", "--threads", "2"]) == 2
    assert "--nthreads" in capsys.readouterr().err

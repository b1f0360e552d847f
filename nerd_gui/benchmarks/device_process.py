"""Runs a job of `device_jobs` in a separate process with time limits, and reads its results as they arrive."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from time import monotonic
from typing import IO

from nerd_gui.benchmarks.device_checks import Row


def results(task: Row, limit: float, idle: float) -> Iterator[Row]:
    """Yield the rows of a job; its process is ended after `limit` seconds in total, or `idle` seconds without a row."""
    if min(limit, idle) <= 0:
        yield {"failed": "no time was left"}
        return
    lines: queue.Queue[str | None] = queue.Queue()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "nerd_gui.benchmarks.device_jobs", json.dumps(task)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that helper processes of compilers can be ended together with it
        )
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, lines), name="device-job")
        reader.start()
        try:
            yield from _rows(lines, monotonic() + limit, idle)
            if process.wait() != 0:
                errors.seek(0)
                yield {"failed": _last(errors.read()) or f"the process ended with {process.returncode}"}
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            reader.join()
            process.stdout.close()


def _read(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _rows(lines: "queue.Queue[str | None]", end: float, idle: float) -> Iterator[Row]:
    while True:
        try:
            line = lines.get(timeout=max(0.01, min(idle, end - monotonic())))
        except queue.Empty:
            yield {"failed": f"ended, because it gave no result for {idle:.0f} s or its time was over"}
            return
        if line is None:
            return
        if line.startswith("{"):
            yield json.loads(line)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""

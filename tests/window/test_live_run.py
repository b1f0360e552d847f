"""A network of the released size live in the window: long, run by hand (`-m soak`)."""

import time

import pytest
from PySide6.QtCore import Qt, QTimer

from nerd_gui.nerd import NERD, NerdConfig, save_model


@pytest.mark.soak
def test_the_event_loop_keeps_turning_during_a_run(qtbot, make_window, tmp_path):
    """A 5 ms timer while a lite network runs on 256x256: 99 % of the gaps under 50 ms, none over 250 ms."""
    path = tmp_path / "lite.safetensors"
    save_model(path, NERD(NerdConfig(features=64, window=17)).eval(), {})
    gaps, last = [], [0.0]
    window = make_window(model=path)
    window.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    window.controller.stop()
    qtbot.waitUntil(lambda: not window.controller._workers, timeout=5000)

    def tick():
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(5)
    timer.timeout.connect(tick)
    with qtbot.waitSignal(window.controller.ended, timeout=120_000):
        window.run()
        last[0] = time.perf_counter()
        timer.start()
    timer.stop()
    ordered = sorted(gaps)
    most = ordered[int(0.99 * len(gaps))]
    print(f"{len(gaps)} gaps: 99 % under {1e3 * most:.1f} ms, largest {1e3 * ordered[-1]:.1f} ms")
    assert len(window.controller.trajectory) == 18
    assert most < 0.05 and ordered[-1] < 0.25


@pytest.mark.soak
def test_stop_ends_a_lite_run_within_a_second(qtbot, make_window, tmp_path):
    """The size of the released networks on 256x256, stopped at several moments of a run."""
    path = tmp_path / "lite.safetensors"
    save_model(path, NERD(NerdConfig(features=64, window=17)).eval(), {})
    window = make_window(model=path)
    window.controls.settings_button.max_iter.setValue(200)
    window.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    window.controller.stop()
    for wanted in (1, 2, 3, 5, 8):
        qtbot.waitUntil(lambda: not window.controller._workers, timeout=5000)
        window.run()
        with qtbot.waitSignal(window.controller.ended, timeout=60_000):
            run = window.controller
            qtbot.waitUntil(
                lambda run=run, n=wanted: run.trajectory is not None and len(run.trajectory) >= n, timeout=30_000
            )
            began = time.perf_counter()
            window.actions_.stop.trigger()
            freed = time.perf_counter() - began
        qtbot.waitUntil(lambda: not window.controller._workers, timeout=5000)
        print(f"after {wanted}: window free in {1e3 * freed:.1f} ms, worker in {time.perf_counter() - began:.2f} s")
        assert freed < 0.1 and time.perf_counter() - began < 1

"""Measured rows on disk: a run that was stopped continues, and nothing is measured twice."""

import csv

import pytest

from nerd_gui.reproduce.item import ReproduceError
from nerd_gui.reproduce.store import Store

KEY, VALUES = {"solver": str, "steps": int}, {"psnr": float, "step": int}
WHAT = {"network": "a", "weights": "w1", "picture": "set12/05", "sigma": 25.0, "solver": "plain", "steps": 3}


def store_in(folder, when=("2026-01-02", "1")):
    return Store(folder / "item.csv", KEY, VALUES, when)


def test_a_measurement_is_made_once_and_then_read(tmp_path):
    asked = []

    def measure():
        asked.append(1)
        return [{"step": 0, "psnr": 20.123456789}, {"step": 1, "psnr": float("inf")}]

    first = store_in(tmp_path).measured(WHAT, measure)
    later = store_in(tmp_path, ("2027-01-01", "2")).measured(WHAT, measure)
    assert first == later and len(asked) == 1
    assert [(row["step"], row["psnr"]) for row in later] == [(0, 20.123457), (1, None)]
    assert {(row["date"], row["version"], row["picture"], row["sigma"]) for row in later} == {
        ("2026-01-02", "1", "set12/05", 25.0)
    }
    with open(tmp_path / "item.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["psnr"] for row in rows] == ["20.123457", ""]
    assert {row["weights"] for row in rows} == {"w1"}


@pytest.mark.parametrize("change", [{"weights": "w2"}, {"steps": 4}, {"sigma": 15.0}, {"picture": "set12/06"}])
def test_what_was_measured_of_something_else_does_not_count(tmp_path, change):
    store = store_in(tmp_path)
    store.measured(WHAT, lambda: [{"step": 0, "psnr": 1.0}])
    assert store.measured({**WHAT, **change}, lambda: [{"step": 0, "psnr": 2.0}])[0]["psnr"] == 2.0
    assert store_in(tmp_path).measured(WHAT, list)[0]["psnr"] == 1.0


def test_a_measurement_that_breaks_off_leaves_what_was_there(tmp_path):
    store = store_in(tmp_path)
    store.measured(WHAT, lambda: [{"step": 0, "psnr": 1.0}])
    before = (tmp_path / "item.csv").read_bytes()

    def broken():
        yield {"step": 0, "psnr": 2.0}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.measured({**WHAT, "steps": 9}, broken)
    assert (tmp_path / "item.csv").read_bytes() == before
    assert store.measured({**WHAT, "steps": 9}, lambda: [{"step": 0, "psnr": 3.0}])[0]["psnr"] == 3.0


def test_a_file_that_is_another_one_is_a_sentence(tmp_path):
    path = tmp_path / "item.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ReproduceError, match="other columns than this version writes; move it away"):
        store_in(tmp_path)
    path.unlink()
    store_in(tmp_path).measured(WHAT, lambda: [{"step": 0, "psnr": 1.0}])
    path.write_text(path.read_text().replace("25", "much"))
    with pytest.raises(ReproduceError, match="is damaged"):
        store_in(tmp_path)
    path.unlink()
    with pytest.raises(KeyError, match="no column colour"):
        store_in(tmp_path).measured(WHAT, lambda: [{"colour": 1}])

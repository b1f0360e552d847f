"""The measured rows, compared with the same numbers computed in another way."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from nerd_gui.equilibrium import broyden
from nerd_gui.evaluation.paper_figures import MONARCH, TABLE_I, TABLE_III, TABLE_IV, TABLE_V, TABLE_VI, TABLE_VII
from nerd_gui.imaging import add_noise, open_sample
from nerd_gui.nerd import load_model
from nerd_gui.places import data_folder
from nerd_gui.reproduce import ITEMS, reproduce
from nerd_gui.reproduce.scores import mean_score, scores
from nerd_gui.reproduce.store import Store
from nerd_gui.reproduce.workbench import CleanPicture, Workbench


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows of some items in quick mode, by item."""
    folder = tmp_path_factory.mktemp("rows")
    names = ("table-5", "figure-10", "figure-9")
    reproduce(names, folder, quick=True, say=lambda words: None)
    found = {}
    for name in names:
        with open(folder / f"{name}.csv", newline="") as file:
            found[name] = list(csv.DictReader(file))
    return found


def stand_in(side=24):
    pixels = open_sample("camera 256").grey().pixels
    first = (256 - side) // 2
    clean = pixels[:, first : first + side, first : first + side]
    return clean, torch.from_numpy(add_noise(clean, 25, 0))[None]


def test_norm_and_variance_of_the_equilibrium(rows):
    clean, y = stand_in()
    net = load_model("nerd-lite-25-ablation-no-post")
    with torch.no_grad():
        s = net.inject(y)
        steps = list(broyden(lambda z: net.implicit(z, s), net.initial(s), max_iter=3, tol=0))
        pictures = [(y + net.decode(step.z))[0, 0].numpy() for step in steps]
    found = [row for row in rows["table-5"] if row["network"] == "nerd-lite-25-ablation-no-post" and row["seed"] == "0"]
    assert [int(row["iterate"]) for row in found] == [0, 1, 2, 3]
    for row, step, picture in zip(found, steps, pictures, strict=True):
        z = step.z.numpy().ravel()
        assert float(row["norm"]) == pytest.approx(float(np.sqrt((z.astype(float) ** 2).sum())), rel=1e-4)
        assert float(row["variance"]) == pytest.approx(float(z.var()), rel=1e-3, abs=1e-9)
        rounded = np.rint(255 * picture.clip(0, 1)).astype(np.uint8)
        truth = np.rint(255 * clean[0]).astype(np.uint8)
        assert float(row["psnr"]) == pytest.approx(peak_signal_noise_ratio(truth, rounded), abs=1e-3)
        assert float(row["mse"]) == pytest.approx(255**2 * float(((picture - clean[0]) ** 2).mean()), rel=1e-3)


def test_plain_iteration_with_damping_is_what_it_says(rows):
    _, y = stand_in()
    net = load_model("nerd-lite-25")
    with torch.no_grad():
        s = net.inject(y)
        z, residuals = net.initial(s), []
        for _ in range(5):
            f_z = net.implicit(z, s)
            residuals.append(float((f_z - z).norm() / f_z.norm()))
            z = 0.7 * f_z + 0.3 * z
    of_network = [row for row in rows["figure-10"] if row["network"] == "nerd-lite-25"]
    found = [row for row in of_network if row["solver"] == "plain, damping 0.7"]
    assert [int(row["evaluations"]) for row in found] == [1, 2, 3, 4, 5]
    assert [float(row["residual"]) for row in found] == pytest.approx(residuals, rel=1e-4)


def test_the_radius_of_a_head(rows):
    for row in rows["figure-9"]:
        assert 0 < float(row["radius"]) < 17 and 0 < float(row["entropy"]) < 2 * np.log2(17)
        assert 0 < float(row["itself"]) < 1
    assert len({row["radius"] for row in rows["figure-9"]}) >= 4


def test_figures_of_a_card_are_taken_where_all_is_the_same(tmp_path):
    item = ITEMS["table-1"]
    store = Store(tmp_path / item.csv, item.key, item.values, ("2026-01-02", "1"))
    bench = Workbench(item, tmp_path, None, store, quick=False, fresh=False, measures=True, say=print)
    photo = open_sample("camera 256").grey()
    photo = dataclasses.replace(photo, pixels=photo.pixels[:, :16, :16])
    monarch = CleanPicture(photo, "set12/05", 4)
    (row,) = scores(bench, "nerd-lite-25", [monarch], 25.0)
    card = json.loads((data_folder("weights") / "nerd-lite-25.json").read_text())["figures"]
    printed = [
        image["psnr"]
        for entry in card
        if (entry["folder"], entry["settings"]["max_iter"]) == ("set12", 17)
        for image in entry["images"]
        if image["name"] == "05"
    ]
    assert row["source"] == "card" and row["psnr"] == pytest.approx(printed[0], rel=1e-6)
    other_noise = CleanPicture(photo, "set12/05", 5)
    (row,) = scores(bench, "nerd-lite-25", [other_noise], 25.0)
    assert row["source"] == "measured"
    (row,) = scores(bench, "nerd-lite-25", [monarch], 25.0, window=3)
    assert row["source"] == "measured" and row["window"] == 3


def test_mean_scores():
    assert mean_score([{"psnr": 20.0, "ssim": 0.5}, {"psnr": 30.0, "ssim": 0.7}]) == pytest.approx((25.0, 0.6))


def test_the_papers_numbers_agree_among_themselves():
    for (_, method), scores_of in TABLE_III.items():
        average = scores_of["Average"]
        maps = [score for name, score in scores_of.items() if name != "Average"]
        assert len(maps) == 7, method
        assert average.psnr == pytest.approx(np.mean([score.psnr for score in maps]), abs=0.011)
        assert average.ssim == pytest.approx(np.mean([score.ssim for score in maps]), abs=2e-4)
    for sigma in (15.0, 25.0, 50.0):
        assert TABLE_IV[sigma, "noise"] == TABLE_I["set12", sigma]["NERD"]
    best = TABLE_I["set12", 25]["NERD"]
    assert TABLE_V["with"][0] == TABLE_VI[4] == TABLE_VII["both"] == best == (30.84, 0.8736)
    assert 1 - TABLE_V["with"][2] / TABLE_V["without"][2] > 0.9  # "the variance by more than 90%"
    assert MONARCH["with"].psnr > MONARCH["without"].psnr
    assert {len(printed) for (_, sigma), printed in TABLE_I.items() if sigma == 15} == {6}  # N3Net has none

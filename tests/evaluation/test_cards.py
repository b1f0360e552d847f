"""Cards: hand-written text is kept, figures belong to exactly these weights, and the rest is generated."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from card_figures import entry_of
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.evaluation.cards import MARKER, Card, cards_in
from nerd_gui.evaluation.curve_picture import curve_svg
from nerd_gui.evaluation.figures import EvaluationError
from nerd_gui.evaluation.readme_table import BEST_MARKERS, MARKERS, render_document
from nerd_gui.nerd import NERD, NerdConfig, save_model, weights_sha256

HEAD = "# net\n\n| | |\n|---|---|\n| for | Rauschen, σ 25 |\n\nWritten by hand.\n\n"
RECORD = {"samples": 12345, "steps": 678, "hours": 1.25, "device": "cuda", "threads": 3, "validation_psnr": 28.5}
CURVE = (
    "samples,seconds,mse,residual,validation_psnr,validation_residual,learning_rate\n"
    "100,60,9,0.1,20,0.05,0.001\n200,120,8,0.1,25,0.004,0.001\n400,240,7,0.1,24,0.0005,0.0\n"
)


def write_network(path, seed=0):
    torch.manual_seed(seed)
    save_model(path, NERD(NerdConfig(features=8, window=5)).eval(), RECORD)


@pytest.fixture
def folder(tmp_path):
    """A folder with one card, a network without a card, and another document."""
    made = tmp_path / "weights"
    made.mkdir()
    for seed, name in enumerate(("net", "other")):
        write_network(made / f"{name}.safetensors", seed)
    (made / "net.md").write_text(HEAD + MARKER + "\n\nnot by hand", encoding="utf-8")
    (made / "net.csv").write_text(CURVE)
    (made / "other.md").write_text("# other\n\nall of it by hand")
    (made / "NOTES.md").write_text(MARKER)
    return made


@pytest.fixture
def card(folder):
    [card] = cards_in(folder)
    return card


def test_a_card_is_made_of_its_head_the_record_the_figures_and_the_curve(card):
    weights = weights_sha256(card.network)
    card.add(entry_of("set12", 25.0, 12, weights=weights, model="/elsewhere/net.safetensors"))
    text = card.path.read_text(encoding="utf-8")
    assert text.startswith(HEAD + MARKER) and "not by hand" not in text
    assert card.purpose == "Rauschen, σ 25"
    for words in ("| samples | 12,345 |", "| hours | 1.25 |", "| device | cuda |", "| threads | 3 |", weights):
        assert words in text
    assert "nerd-gui evaluate set12 --sigma 25 --model net --tol 0\n" in text
    assert "| 30.44 / 0.8622 | 30.84 / 0.8736 |" in text and "| 12 | 11 | 30.00 / 0.8000 |" in text
    assert "| 200 | 2 | 25.00 | 4.0e-03 | 0.001 |" in text and "(net-curve.svg)" in text
    card.render()
    assert card.path.read_text(encoding="utf-8") == text


def test_figures_are_replaced_by_those_of_the_same_folder_sigma_and_settings(card):
    weights = weights_sha256(card.network)
    for entry in (
        entry_of("set12", 25.0, 12, psnr=29.0),
        entry_of("set12", 15.0, 12),
        entry_of("set12", 25.0, 12, max_iter=50),
        entry_of("nam", None, 3),
        entry_of("set12", 25.0, 12, psnr=31.0, other_solver="anderson"),
    ):
        card.add({**entry, "weights": weights})
    kept = [(one["folder"], one["sigma"], one["settings"]["max_iter"], one["psnr"]) for one in card.figures()]
    assert kept == [("nam", None, 17, 30), ("set12", 15, 17, 30), ("set12", 25, 50, 30), ("set12", 25, 17, 31)]
    lines = card.path.with_suffix(".json").read_text().splitlines()
    assert len([line for line in lines if '"seconds"' in line]) == 12 * 3 + 3  # an image in each


def test_figures_of_other_weights_are_dropped(card):
    old = weights_sha256(card.network)
    card.add(entry_of("a", 25.0, 1, weights=old))
    assert len(card.figures()) == 1
    write_network(card.network, seed=5)
    assert card.figures() == []
    card.render()
    assert "These weights have not been measured yet." in card.path.read_text(encoding="utf-8")
    with pytest.raises(EvaluationError, match="other weights than"):
        card.add(entry_of("a", 25.0, 1, weights=old))
    card.add(entry_of("b", 25.0, 1, weights=weights_sha256(card.network)))
    assert [one["folder"] for one in card.figures()] == ["b"]


def test_a_spoilt_file_of_figures_or_curve_is_named(card):
    card.path.with_suffix(".json").write_text('{"weights": 1}')
    with pytest.raises(EvaluationError, match=r"net\.json"):
        card.figures()
    card.path.with_suffix(".json").unlink()
    card.path.with_suffix(".csv").write_text(CURVE + "500,300,7,0.1,nan,0.0005,0.0\n")
    with pytest.raises(EvaluationError, match=r"net\.csv"):
        card.render()


def test_the_table_of_the_networks(folder, tmp_path):
    (folder / "other.md").write_text(f"{MARKER}\n")
    net, other = cards_in(folder)
    for card, folder_name, sigma, count, psnr, settings in (
        (net, "set12", 25.0, 12, 30.1, {}),
        (net, "set12", 25.0, 12, 30.9, {"max_iter": 50}),  # not the paper's protocol
        (net, "bsd68", 15.0, 3, 30.2, {"limit": 3}),  # not the whole set
        (other, "set12", 25.0, 12, 30.3, {"max_iter": 8}),
        (other, "nam", None, 2, 30.4, {}),
    ):
        entry = entry_of(folder_name, sigma, count, psnr=psnr, weights=weights_sha256(card.network), **settings)
        entry["images"][0]["psnr"] = 28.5
        card.add(entry)
    document = tmp_path / "README.md"
    short = tmp_path / "short.md"
    document.write_text(f"before\n{MARKERS[0]}\nold\n{MARKERS[1]}\nafter", encoding="utf-8")
    short.write_text(f"{BEST_MARKERS[0]}\nold\n{BEST_MARKERS[1]}\n{MARKERS[1]}", encoding="utf-8")
    render_document(document, [net, other])
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{MARKERS[0]}\n") and text.endswith(f"{MARKERS[1]}\nafter") and "old" not in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [row[1:4] for row in rows if row[0] == "set12, sigma 25"] == [
        ["`net`", "20.00 → 30.10", "0.8000"],
        ["`other`", "20.00 → 30.30", "0.8000"],
        ["DnCNN, 0.56 M parameters (Table I)", "30.44", "0.8622"],
        ["NERD, 1.4 M parameters (Table I)", "30.84", "0.8736"],
    ]
    gains = ["nam, real photos", "`other`", "20.00 → 30.40", "0.8000", "1.0e-03", "smallest gain of a photo: +8.50"]
    assert gains in rows
    assert "12,345 samples, 1.2 h (the last stage on cuda" in text and "bsd68" not in text and "Rauschen, σ 25" in text
    calls = text.partition("```sh\n")[2].partition("\n```")[0].splitlines()
    assert sorted(call.partition("  #")[0].rstrip() for call in calls) == [
        "nerd-gui evaluate nam --model other --tol 0",
        "nerd-gui evaluate set12 --sigma 25 --model net --tol 0",
        "nerd-gui evaluate set12 --sigma 25 --model other --max-iter 8 --tol 0",
    ]
    render_document(document, [net, other])
    assert document.read_text(encoding="utf-8") == text

    render_document(short, [net, other])
    text = short.read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        ["nam, real photos", "`other`", "20.00 → 30.40"],
        ["set12, sigma 25", "`other`", "20.00 → 30.30", "30.84"],
    ]
    assert "--model net" not in text and "evaluate nam --model other" in text and "old" not in text


def test_a_measurement_goes_into_card_and_document(folder, tmp_path, capsys):
    pictures, document = tmp_path / "pictures", tmp_path / "README.md"
    pictures.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24), np.uint8)).save(pictures / "a.png")
    document.write_text("\n".join(MARKERS))
    models = [str(folder / "net.safetensors"), str(folder / "other.safetensors")]
    options = ["--sigma", "25", "--model", *models, "--max-iter", "2", "--card", str(folder), "--readme", str(document)]
    out = tmp_path / "figures.json"
    assert main(["evaluate", str(pictures), *options, "--json", str(out)]) == 0
    assert f"“{models[1]}” has no card" in capsys.readouterr().err
    entry = json.loads(out.read_text())[0]
    [kept] = Card(folder / "net.md").figures()
    assert {**kept, "model": models[0], "weights": entry["weights"]} == entry
    assert f" → {entry['psnr']:.2f} | {entry['ssim']:.4f} |" in document.read_text(encoding="utf-8")
    assert (folder / "other.md").read_text() == "# other\n\nall of it by hand"
    assert not (folder / "other.json").exists()

    card, readme = (folder / "net.md").read_bytes(), document.read_bytes()
    (folder / "net.md").write_text(HEAD + MARKER, encoding="utf-8")
    document.write_text("\n".join(MARKERS))
    assert main(["evaluate", "--card", str(folder), "--readme", str(document)]) == 0
    assert (folder / "net.md").read_bytes() == card and document.read_bytes() == readme


def test_the_card_of_other_weights_is_refused_before_the_first_run(folder, tmp_path, capsys):
    write_network(tmp_path / "net.safetensors", seed=5)
    command = ["evaluate", ".", "--sigma", "25", "--model", str(tmp_path / "net.safetensors"), "--card", str(folder)]
    assert main(command) == 2
    assert "other weights than" in capsys.readouterr().err


def test_what_was_measured_before_is_kept(folder, card, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours, there = weights_sha256(card.network), "/on/another/machine/net.safetensors"
    entries = [entry_of("a", 25.0, 2, weights=ours, model=there), entry_of("b", 25.0, 1, model="other")]
    (tmp_path / "all.json").write_text(json.dumps([*entries, {**entries[0], "folder": "c", "partial": True}]))
    command = ["evaluate", "--card", str(folder), "--figures", "all.json"]
    assert main(command) == 0
    assert "“other” has no card" in capsys.readouterr().err
    assert [(one["folder"], one["model"]) for one in card.figures()] == [("a", "net")]
    for spoilt, word in (
        ([{"partial": False}], "lack agreement"),
        ({}, "no list of entries"),
        ([1], "is not a file of"),
        (["x"], "is not a file of"),
    ):
        (tmp_path / "all.json").write_text(json.dumps(spoilt))
        assert main(command) == 2
        assert word in capsys.readouterr().err
    (tmp_path / "all.json").write_text(json.dumps([{**entries[0], "weights": "others"}]))
    assert main(command) == 2
    assert "other weights than" in capsys.readouterr().err


def test_the_curve_as_a_picture():
    text = curve_svg([100, 200, 400], [20, 25, 24], [0.05, 0.004, 0.0005])
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and float(root.get("viewBox").split()[2]) > 0
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"PSNR (dB)", "residual", "samples", "20", "24", "0.01", "0.001", "200", "400"} <= set(words)
    lines = [element.get("points").split() for element in root.iter() if element.tag.endswith("polyline")]
    (score, residual) = ([tuple(map(float, point.split(","))) for point in line] for line in lines)
    assert [x for x, _ in score] == [x for x, _ in residual]
    x0, x1, x2 = (x for x, _ in score)
    assert (x1 - x0) / (x2 - x0) == pytest.approx(1 / 3, abs=1e-3)
    y0, y1, y2 = (y for _, y in score)
    assert (y0 - y2) / (y0 - y1) == pytest.approx(4 / 5, abs=1e-3)  # up means more
    y0, y1, y2 = (y for _, y in residual)
    assert (y1 - y0) / (y2 - y0) == pytest.approx(np.log(0.05 / 0.004) / np.log(100), abs=1e-3)


def test_the_curve_of_a_single_point():
    assert "<circle" in curve_svg([100], [20], [0.05])

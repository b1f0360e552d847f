"""`nerd-gui noise`: measurements of photos and folders, as text, JSON and table."""

import json

import numpy as np
import pytest
from command_line import recipe, refused
from PIL import Image

from nerd_gui.cli import main
from nerd_gui.imaging import open_photo
from nerd_gui.imaging.noise_statistics import noise_statistics


def write_noisy(path, level=6.0, seed=0, side=128, value=120):
    path.parent.mkdir(exist_ok=True)
    noise = level * np.random.default_rng(seed).standard_normal((side, side, 3))
    Image.fromarray(np.clip(np.rint(value + noise), 0, 255).astype(np.uint8)).save(path)
    return path


def said(capsys, *arguments):
    assert main([str(argument) for argument in ("noise", *arguments)]) == 0
    return capsys.readouterr().out


def test_a_photo_is_described(tmp_path, capsys):
    path = write_noisy(tmp_path / "photo.png")
    statistics = noise_statistics(open_photo(path).pixels)
    text = said(capsys, path)
    assert f"photo.png: noise level {statistics.level:.2f} in Y" in text
    assert [line.split()[0] for line in text.splitlines() if "mean" in line] == ["Y", "Cb", "Cr"]
    assert "flat blocks" in text and "excess kurtosis" in text


def test_json_holds_all_numbers(tmp_path, capsys):
    path = write_noisy(tmp_path / "photo.png")
    (entry,) = json.loads(said(capsys, path, "--json"))
    statistics = noise_statistics(open_photo(path).pixels)
    assert entry == {"name": "photo.png", **json.loads(json.dumps(statistics.to_json()))}


def rows(table):
    header, _, *lines = (line.strip("| ").split(" | ") for line in table.splitlines())
    return header, {(cells[0], cells[1]): cells for cells in lines}


def test_a_folder_gives_quantiles_and_of_pairs_the_noisy_halves_count(tmp_path, capsys):
    for index, level in enumerate((4, 6, 8)):
        write_noisy(tmp_path / "pairs" / f"{index}_real.png", level, index)
        write_noisy(tmp_path / "pairs" / f"{index}_mean.png", 0.5, index)
    header, table = rows(said(capsys, tmp_path / "pairs", "--table"))
    of_luma = np.sqrt(0.299**2 + 0.587**2 + 0.114**2)  # the channels have different noise
    for name, level in (("10 %", 4.4), ("median", 6), ("90 %", 7.6)):
        assert float(table["Y", name][header.index("level")]) == pytest.approx(of_luma * level, rel=0.08)
    assert table["Y", "median"][header.index("dark")] == "-"


def test_a_table_of_grey_and_colour_photos_has_all_planes(tmp_path, capsys):
    colour = write_noisy(tmp_path / "mixed" / "b.png")
    Image.open(colour).convert("L").save(tmp_path / "mixed" / "a.png")
    _, table = rows(said(capsys, tmp_path / "mixed", "--table"))
    assert {plane for plane, _ in table} == {"Y", "Cb", "Cr"}
    _, alone = rows(said(capsys, colour, "--table"))
    assert table["Cb", "median"] == alone["Cb", "median"]


def test_the_noise_that_a_recipe_draws(tmp_path, capsys):
    folder = write_noisy(tmp_path / "clean" / "a.png", 0).parent
    write_noisy(folder / "rough.png", 30, seed=1)
    (tmp_path / "own.json").write_text(json.dumps(recipe()))
    entries = json.loads(said(capsys, folder, "--json", "--drawn-by", tmp_path / "own.json"))
    assert [entry["name"] for entry in entries] == [f"a, draw {draw}" for draw in range(1, 9)]
    for entry in entries:
        assert entry["planes"][0]["level"] == pytest.approx(25, rel=0.06)


def test_what_makes_no_sense_is_a_sentence(tmp_path, capsys):
    small = write_noisy(tmp_path / "small" / "small.png", side=40)
    assert "too small" in refused(capsys, "noise", small)
    assert "No photo could be measured" in refused(capsys, "noise", "small")
    assert "missing.png" in refused(capsys, "noise", "missing.png")
    assert "choose one" in refused(capsys, "noise", small, "--json", "--table")
    assert "There is no recipe “film”" in refused(capsys, "noise", "small", "--drawn-by", "film")
    assert "folder" in refused(capsys, "noise", small, "--drawn-by", "nerd-lite")

"""The tables of an evaluation, the paper's figures in them, and the commands that they name."""

import pytest
from card_figures import entry_of

from nerd_gui.cli.evaluate import parser
from nerd_gui.evaluation.paper_figures import paper_figures, without_seen
from nerd_gui.evaluation.tables import as_markdown, commands, markdown, summary


@pytest.mark.parametrize(
    ("folder", "sigma", "count", "figures"),
    [
        ("Set12", 25.0, 12, ("30.44 / 0.8622", "30.84 / 0.8736")),
        ("bsd68", 50.0, 68, ("26.23 / 0.7189", "26.49 / 0.7389")),
        ("set12", 25.0, 11, None),  # a part of the set is not comparable
        ("set12", 30.0, 12, None),
        ("other", 25.0, 12, None),
    ],
)
def test_figures_of_the_paper(folder, sigma, count, figures):
    entry = entry_of(folder, sigma, count)
    assert paper_figures(entry) == figures
    table = summary([entry, entry_of(folder, 1.0, count)])
    assert len({len(row) for row in table}) == 1
    assert tuple(table[1][-2:]) == figures if figures else not any("Table I" in cell for cell in table[0])


def test_a_part_of_a_set_is_not_the_set():
    assert paper_figures(entry_of("set12", 25.0, 12, limit=12)) is None
    assert paper_figures({**entry_of("set12", 25.0, 12), "partial": True}) is None


def test_the_mean_without_the_picture_that_training_saw():
    entry = entry_of("set12", 25.0, 12)
    entry["images"][3]["psnr"] = 90.0
    assert entry["images"][3]["name"] == "04"
    assert without_seen(entry) == ("04", 30.0)
    assert without_seen(entry_of("bsd68", 25.0, 68)) is None


def test_a_table_in_markdown():
    table = [["model", "dB"], ["a|b", "29.7"], ["longer", "9.1"]]
    assert as_markdown(table) == "| model | dB |\n| --- | --- |\n| a\\|b | 29.7 |\n| longer | 9.1 |"


def test_the_document():
    entries = [entry_of("set12", 25.0, 12, window=9), entry_of("nam", None, 2, solver="anderson")]
    document = markdown([*entries, entry_of("nam", None, 2, solver="anderson", model="two.safetensors")])
    assert "nerd-gui evaluate set12 --sigma 25 --model nerd-lite --tol 0 --window 9\n" in document
    assert "nerd-gui evaluate nam --model nerd-lite two --solver anderson --tol 0\n" in document
    assert "30.84 / 0.8736" in document and "without set12's picture 04" in document
    assert document.count(" | 30.00 / 0.8000 |\n") == 12  # the pictures of set12
    pair = "| 01 | 20.00 / 0.5000 | 30.00 / 0.8000 | +10.00 | 30.00 / 0.8000 | +10.00 |"
    assert pair in document


def test_commands_ask_for_what_was_measured_and_for_nothing_else():
    measured = [
        *(
            entry_of(folder, sigma, 2, model=model)
            for folder in ("a", "b")
            for sigma in (15.0, 25.0)
            for model in ("m", "n")
        ),
        entry_of("c", 25.0, 2, model="m"),
        entry_of("a", 25.0, 2, model="m", max_iter=50, limit=2, memory=3),
        entry_of("a", 25.0, 2, model="m", solver="plain", tol=0.001, precision="bfloat16", other_solver="anderson"),
        entry_of("nam", None, 2, model="n"),
        entry_of("a", 25.0, 2, model="n", safeguard=False, start="random", start_seed=3, stop_on="relative_step"),
        entry_of("a", 25.0, 2, model="n", solver="plain", damping=0.5),
    ]
    asked = []
    for command, entries in commands(measured):
        args = parser().parse_intermixed_args(command.split()[2:])
        options = {name: getattr(args, name) for name in entries[0]["settings"]} | {"other": args.other_solver}
        product = [(d.name, s, m) for d in args.folders for m in args.model for s in args.sigma or [None]]
        assert sorted(product) == sorted((one["folder"], one["sigma"], one["model"]) for one in entries)
        asked += [(*one, str(options)) for one in product]
    expected = [
        (one["folder"], one["sigma"], one["model"], str({**one["settings"], "other": one["other_solver"]}))
        for one in measured
    ]
    assert sorted(map(str, asked)) == sorted(map(str, expected))
    assert len(commands(measured)) == 7

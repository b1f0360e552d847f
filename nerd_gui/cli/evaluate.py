"""`nerd-gui evaluate`: measures PSNR and SSIM of networks on folders of pictures, and updates the networks' cards."""

import argparse
import json
import sys
from pathlib import Path

from nerd_gui.cli.arguments import Parser, UsageError, say, sigma, whole
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import check_file, check_folder, write_text
from nerd_gui.cli.text_table import as_text
from nerd_gui.evaluation.cards import Card, card_of, cards_in
from nerd_gui.evaluation.evaluate import evaluate
from nerd_gui.evaluation.figures import EvaluationError, Figures, read_entries
from nerd_gui.evaluation.readme_table import check_document, render_document
from nerd_gui.evaluation.tables import image_line, markdown, summary
from nerd_gui.nerd import weights_sha256


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui evaluate`."""
    made = Parser(
        "evaluate",
        "Denoise the pictures of folders, and measure PSNR and SSIM. A folder holds either clean pictures, to which "
        "noise is added, or pairs of a real photo NAME_real and its clean picture NAME_mean.",
        "examples:\n  nerd-gui evaluate set12 bsd68 --sigma 15 25 50 --model nerd-lite nerd-lite-25 --json all.json\n"
        "  nerd-gui evaluate nam --model nerd-lite-photo\n"
        "  nerd-gui evaluate set12 --sigma 25 --model nerd-lite --tol 0 --card weights\n"
        "  nerd-gui evaluate --card weights --readme README.md docs/networks.md   (measures nothing)\n"
        "  nerd-gui evaluate set12 --sigma 25 --model nerd-lite-25 --window 9 17 25 33 65 --tol 0\n"
        "  nerd-gui evaluate --figures all.json --card weights           (keeps what was measured before)",
    )
    add = made.add_argument
    add("folders", nargs="*", type=Path, metavar="DIR", help="folder of clean pictures, or of pairs")
    add("--sigma", nargs="+", default=[], type=sigma, metavar="S", help="noise levels (0-255) for clean pictures")
    add("--model", nargs="+", default=[], metavar="NAME", help="networks by name, or .safetensors files")
    add("--limit", type=whole(1), metavar="K", help="take the first K pictures of each folder only")
    add("--other-solver", metavar="NAME", help="solve with this solver as well, and compare the two results")
    add("--json", type=Path, metavar="FILE", help="write all figures, after every picture")
    add("--markdown", type=Path, metavar="FILE", help="write means, images and protocol as a document")
    add("--card", type=Path, metavar="DIR", help="keep the figures in the networks' cards NAME.md in this folder")
    add("--figures", nargs="+", default=[], type=Path, metavar="FILE", help="files of --json to add to the cards")
    add(
        "--readme",
        nargs="+",
        default=[],
        type=Path,
        metavar="FILE",
        help="in these documents, update the table of networks (all with a card, or the best) between its markers",
    )
    add_run_options(made, several_windows=True)
    return made


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the means, and write the requested files and cards.

    Raises
    ------
    UsageError, EvaluationError, PhotoError, ModelError, RunError
        Before the first run.
    """
    _check(args)
    cards = [] if args.card is None else cards_in(args.card)
    for document in args.readme:
        check_document(document)
    _keep([entry for path in args.figures for entry in read_entries(path)], cards, args.card)
    if args.folders:
        entries = _measured(args, cards)
        if args.markdown is not None:
            write_text(args.markdown, markdown(entries))
        print(as_text(summary(entries)))
    else:
        for card in cards:
            card.render()
    for document in args.readme:
        render_document(document, cards)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Check the combination of options, and that the files can be written."""
    if args.card is None and (args.readme or args.figures):
        raise UsageError("--readme and --figures need the folder of the networks' cards; name it with --card.")
    if not args.folders and (args.card is None or args.model or args.sigma):
        raise UsageError("There is nothing to measure; name folders of pictures before the options.")
    if args.folders and not args.model:
        raise UsageError("There is no network to measure; name one with --model.")
    if args.other_solver is not None and args.other_solver == args.solver:
        raise UsageError(
            f"--other-solver {args.other_solver} is the same as --solver; choose another one to compare with."
        )
    for path in (args.json, args.markdown, *args.readme):
        check_file(path)
    if args.card is not None:
        check_folder(args.card)


def _keep(entries: list[Figures], cards: list[Card], folder: Path) -> None:
    """Add figures from earlier measurements to the cards."""
    for entry in entries:
        card = card_of(cards, entry["model"])
        if card is None:
            _without_card(entry["model"], folder)
        else:
            card.add(entry)


def _without_card(model: str, folder: Path) -> None:
    say(f"“{model}” has no card in “{folder}”, so its figures are not saved there.")


def _measured(args: argparse.Namespace, cards: list[Card]) -> list[Figures]:
    for model in args.model if args.card is not None else []:
        card = card_of(cards, model)
        if card is None:
            _without_card(model, args.card)
        else:
            card.check(weights_sha256(model))

    def watch(entries: list[Figures], total: int) -> None:
        entry = entries[-1]
        print(image_line(entries, total), file=sys.stderr, flush=True)
        if args.json is not None:
            write_text(args.json, json.dumps(entries, indent=2, allow_nan=False) + "\n")
        card = card_of(cards, entry["model"])
        if card is not None and not entry["partial"]:
            try:
                card.add(entry)
            except EvaluationError as error:  # the network was replaced in the meantime; go on with the others
                say(error)

    settings = run_settings(args, args.model[0])
    return evaluate(
        args.folders,
        args.sigma,
        args.model,
        settings,
        windows=args.window or [None],
        limit=args.limit,
        other_solver=args.other_solver,
        watch=watch,
        announce=say,
    )

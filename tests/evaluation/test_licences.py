"""Licences of the training pictures: the networks' licence and each card agree, and name every picture set."""

import pytest

from nerd_gui.evaluation.cards import MARKER, cards_in
from nerd_gui.evaluation.criteria import row
from nerd_gui.places import data_folder

WEIGHTS = data_folder("weights")
LICENCE = (WEIGHTS / "LICENSE").read_text(encoding="utf-8")
SETS = ("BSDS500", "Debian", "Sun-Hays")


@pytest.mark.parametrize("card", cards_in(WEIGHTS), ids=lambda card: card.name)
def test_each_card_says_what_its_pictures_allow_and_the_licence_agrees(card):
    head, _, made = card.path.read_text(encoding="utf-8").partition(MARKER)
    told = row(made, "training pictures")
    for name in SETS:
        assert (name in row(head, "data")) == (name in told), f"{card.name}: {name}"
    assert "non-commercial research" in told and "[LICENSE](LICENSE)" in row(made, "licence")
    assert all(row(made, name) not in ("", "not stated") for name in ("training code", "limits", "reproduction"))


def test_the_licence_names_every_set_of_pictures_that_a_card_names():
    named = {name for card in cards_in(WEIGHTS) for name in SETS if name in row(card.path.read_text("utf-8"), "data")}
    assert named and all(name in LICENCE for name in named)
    assert "non-commercial" in LICENCE

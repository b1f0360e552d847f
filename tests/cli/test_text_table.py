"""Tables for the terminal."""

from nerd_gui.cli.text_table import as_text


def test_words_stand_to_the_left_and_figures_to_the_right():
    table = [["model", "dB"], ["a|b", "29.7"], ["longer", "9.1"]]
    assert as_text(table) == "model     dB\na|b     29.7\nlonger   9.1"

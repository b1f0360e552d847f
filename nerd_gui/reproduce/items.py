"""All items by name, in the order of the paper."""

from nerd_gui.reproduce.figure_10 import FIGURE_10
from nerd_gui.reproduce.item import Item

ITEMS: dict[str, Item] = {item.name: item for item in (FIGURE_10,)}

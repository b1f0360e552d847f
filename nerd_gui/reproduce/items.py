"""All items by name, in the order of the paper."""

from nerd_gui.reproduce.compared import COMPARED
from nerd_gui.reproduce.figure_1 import FIGURE_1
from nerd_gui.reproduce.figure_6 import FIGURE_6
from nerd_gui.reproduce.figure_9 import FIGURE_9
from nerd_gui.reproduce.figure_10 import FIGURE_10
from nerd_gui.reproduce.figure_11 import FIGURE_11
from nerd_gui.reproduce.item import Item
from nerd_gui.reproduce.section_4b import SECTION_4B
from nerd_gui.reproduce.table_1 import TABLE_1
from nerd_gui.reproduce.table_3 import TABLE_3
from nerd_gui.reproduce.table_5 import TABLE_5
from nerd_gui.reproduce.trainings import TRAININGS

_TABLE_4, *_TABLES_6_TO_8 = COMPARED
ITEMS: dict[str, Item] = {
    item.name: item
    for item in (
        *(FIGURE_1, SECTION_4B, TABLE_1, TABLE_3, FIGURE_6, _TABLE_4, TABLE_5, FIGURE_9),
        *_TABLES_6_TO_8,
        *(FIGURE_10, FIGURE_11, TRAININGS),
    )
}

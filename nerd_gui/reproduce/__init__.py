"""The paper's tables and figures made anew by networks that are here: `nerd-gui reproduce`. Knows no window.

An item measures rows, which are kept on disk one measurement after another, and shows them beside the paper's numbers
as a section of one page.
"""

from nerd_gui.reproduce.items import ITEMS
from nerd_gui.reproduce.run import reproduce

__all__ = ["ITEMS", "reproduce"]

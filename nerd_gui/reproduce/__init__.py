"""`nerd-gui reproduce`: measures the paper's tables and figures again, with the networks of this program. No Qt.

Each table or figure is an `Item`. An item measures rows and saves them to a CSV file after every measurement. It then
shows them beside the paper's numbers, as one section of the page `index.md`.
"""

from nerd_gui.reproduce.items import ITEMS
from nerd_gui.reproduce.run import reproduce

__all__ = ["ITEMS", "reproduce"]

"""`python -m nerd_gui`: the same as `nerd-gui`."""

import sys

from nerd_gui.cli import main

sys.exit(main())

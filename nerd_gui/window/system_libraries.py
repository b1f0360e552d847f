"""The libraries of the system that Qt needs on Linux, and what to say where one is missing. Knows no Qt."""

import re

#: The packages of Debian and Ubuntu that they are in, as the README has them, too.
PACKAGES = (
    "libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 "
    "libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0"
)
#: What to do about a missing one.
REMEDY = f"On Debian and Ubuntu: apt install {PACKAGES}."
_MISSING = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")


def missing_library(error: ImportError) -> str | None:
    """The library of the system for want of which Qt could not be imported; None if that was not the reason."""
    found = _MISSING.match(str(error))
    return found[1] if found else None

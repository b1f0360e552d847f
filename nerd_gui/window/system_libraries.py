"""The system libraries that Qt needs on Linux, and what to tell the user if one is missing. Does not import Qt."""

import re

#: The packages of Debian and Ubuntu that contain them; the FAQ lists the same ones.
PACKAGES = (
    "libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 "
    "libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0"
)
#: What the user can do about a missing library.
REMEDY = f"On Debian and Ubuntu: apt install {PACKAGES}."
_MISSING = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")


def missing_library(error: ImportError) -> str | None:
    """Return the system library whose absence kept Qt from being imported; None if the error has another reason."""
    found = _MISSING.match(str(error))
    return found[1] if found else None

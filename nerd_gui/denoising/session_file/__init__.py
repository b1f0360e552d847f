"""Session files: photo, runs, pins and view in one zip file, without pickle."""

from nerd_gui.denoising.session_file.archive import MIME_TYPE, SUFFIX, SessionFolder, read_session, write_session
from nerd_gui.denoising.session_file.errors import PhotoWanted, SessionFileError
from nerd_gui.denoising.session_file.record import SavedRun, SavedSession

__all__ = [
    "MIME_TYPE",
    "SUFFIX",
    "PhotoWanted",
    "SavedRun",
    "SavedSession",
    "SessionFileError",
    "SessionFolder",
    "read_session",
    "write_session",
]

"""Session files: a zip file with JSON, a PNG preview and NPY arrays, which NumPy reads as NPZ; or such a folder."""

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from weakref import ReferenceType, ref

from numpy.typing import NDArray

from nerd_gui import __version__
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.look import Look
from nerd_gui.denoising.session_file.analyses import add_analyses, analysis_arrays
from nerd_gui.denoising.session_file.arrays import Count, Room, read_array, write_array
from nerd_gui.denoising.session_file.errors import PhotoWanted, SessionFileError
from nerd_gui.denoising.session_file.fields import Damaged, Fields
from nerd_gui.denoising.session_file.photos import embedded_arrays, photo_from_json, photo_to_json
from nerd_gui.denoising.session_file.preview import preview_png
from nerd_gui.denoising.session_file.record import SavedRun, SavedSession
from nerd_gui.denoising.session_file.runs import add_iterates, run_from_json, run_to_json
from nerd_gui.denoising.whole_photo import StoppedPhoto
from nerd_gui.files import whole_file, why_not
from nerd_gui.imaging import Photo, open_photo

SUFFIX = ".nerd"
MIME_TYPE = "application/x-nerd-gui-session"
FORMAT, VERSION = "NERD GUI session", 1
_JSON, _MIME, _PREVIEW = "session.json", "mimetype", "preview.png"
_MOST_JSON = 64 << 20  # bytes
_PHOTO_SHARE = 0.3  # share of the photo in the progress of opening

Tell = Callable[[float], object]
_Stopped = Mapping[int, StoppedPhoto | None]


def write_session(
    path: str | os.PathLike[str], session: SavedSession, *, overwrite: bool, tell: Tell = lambda _: None
) -> None:
    """Write a session to a file, whole or not at all.

    Noise estimates are not compressed: compression saves only 7 % of half-precision values and is slower than a disk.

    Parameters
    ----------
    path : path
    session : SavedSession
    overwrite : bool
        Whether an existing file may be replaced.
    tell : callable, optional
        Called with the fraction that is written. If it raises an exception, writing ends and an old file is kept.

    Raises
    ------
    SessionFileError
        If the file cannot be written, or exists and may not be replaced.
    """
    path = Path(path)
    arrays = dict(_arrays(session))
    total, done = max(1, sum(array.nbytes for array in arrays.values())), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        tell(done / total)

    try:
        with (
            _standing_still(session) as stopped,
            whole_file(path, overwrite=overwrite) as file,
            zipfile.ZipFile(file, "w") as archive,
        ):
            archive.writestr(_MIME, MIME_TYPE)  # first and uncompressed, so that desktops recognise the file type
            text = json.dumps(session_to_json(session, path.parent, stopped), allow_nan=False)
            archive.writestr(_JSON, text, zipfile.ZIP_DEFLATED)
            archive.writestr(_PREVIEW, preview_png(session))
            for name, array in arrays.items():
                with archive.open(name, "w", force_zip64=True) as member:
                    write_array(member, array, count)  # type: ignore[arg-type]
    except OSError as error:
        raise SessionFileError(f"The session “{path}” was not saved: {why_not(error, path)}.") from error


def read_session(
    path: str | os.PathLike[str],
    *,
    photo: Path | None = None,
    tell: Tell = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> SavedSession:
    """Read a session from a file of `write_session`, or from a folder of `SessionFolder`.

    Parameters
    ----------
    path : path
    photo : Path, optional
        The photo's file; None: the path in the session, relative or absolute.
    tell : callable, optional
        Called with the fraction that is read; an exception that it raises ends the reading.
    cancelled : callable, optional
        See `open_photo`.

    Raises
    ------
    PhotoWanted
        If the photo is not found.
    SessionFileError
        If the file is not a session, is from a newer version, damaged, cut off, or too large.
    OpeningCancelled
        If `cancelled` returns True.
    """
    path = Path(path)

    def open_(place: Path) -> Photo:
        return open_photo(place, progress=lambda part: tell(_PHOTO_SHARE * part), cancelled=cancelled)

    try:
        with _members(path) as members:
            return _read(members, path, photo, open_, lambda part: tell(_PHOTO_SHARE + (1 - _PHOTO_SHARE) * part))
    except SessionFileError:
        raise
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError, LookupError) as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise SessionFileError(f"The session “{path.name}” cannot be read ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error


class SessionFolder:
    """A session in a folder. Writing only updates what has changed, and the folder always holds a whole session.

    Parameters
    ----------
    path : Path
        Created if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, ReferenceType[NDArray[Any]]] = {}

    def write(self, session: SavedSession, changed: Container[int] = (), count: Count = lambda _: None) -> None:
        """Write a session to the folder, and remove files that no longer belong to it.

        Parameters
        ----------
        session : SavedSession
        changed : container of int, optional
            Numbers of the runs whose noise estimates have changed in place since the last call.
        count : callable, optional
            Called with numbers of bytes written; an exception that it raises ends the writing.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        with _standing_still(session) as stopped:
            self._write(session, stopped, changed, count)

    def _write(self, session: SavedSession, stopped: _Stopped, changed: Container[int], count: Count) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        arrays = dict(_arrays(session))
        anew = {f"run_{run.number}" for run in session.runs if run.number in changed}
        for name, array in arrays.items():
            written = self._written.get(name)
            if written is not None and written() is array and name.partition("/")[0] not in anew:
                continue
            (self.path / name).parent.mkdir(exist_ok=True)
            with whole_file(self.path / name) as file:
                write_array(file, array, count)
            self._written[name] = ref(array)
        text = json.dumps(session_to_json(session, self.path, stopped), allow_nan=False)
        with whole_file(self.path / _JSON) as file:
            file.write(text.encode())
        for name in self._written.keys() - arrays.keys():
            (self.path / name).unlink(missing_ok=True)
            del self._written[name]


def session_to_json(session: SavedSession, folder: Path, stopped: _Stopped) -> dict[str, Any]:
    """Convert a session without its arrays to JSON, for a file in `folder`; `stopped` has the states of its runs."""
    compared = session.compared
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": f"NERD GUI {__version__}",
        "photo": photo_to_json(session.photo, folder),
        "clean": None if session.clean is None else photo_to_json(session.clean, folder),
        "add_noise": session.add_noise,
        "sigma": session.sigma,
        "seed": session.seed,
        "region": session.region,
        "runs": [run_to_json(run, session.clean, stopped[run.number]) for run in session.runs],
        "shown": session.shown,
        "follow": session.follow,
        "pins": [list(pin) for pin in session.pins],
        "selected": session.selected,
        "compared": None if compared is None else {"run": compared[0], "index": compared[1], "look": vars(compared[2])},
        "look": vars(session.look),
        "channel": session.channel,
        "view": session.view,
    }


# ---- inside ---------------------------------------------------------------------------------------------------------


def _arrays(session: SavedSession) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of a session, with the names of their members."""
    yield from embedded_arrays(session.photo, "photo").items()
    if session.clean is not None:
        yield from embedded_arrays(session.clean, "clean").items()
    for run in session.runs:
        for iterate in run.trajectory.iterates:
            yield _estimate(run.number, iterate.index), iterate.n_hat
        yield from analysis_arrays(run)


@contextmanager
def _standing_still(session: SavedSession) -> Iterator[_Stopped]:
    """Within this context no iterate of the session changes; the value is the state of each run by its number."""
    with ExitStack() as stack:
        yield {run.number: stack.enter_context(run.standing_still()) for run in session.runs}


def _estimate(run: int, index: int) -> str:
    return f"run_{run}/n_hat_{index:02d}.npy"


class _Members:
    """Gives access to the members of a session in a zip file or in a folder."""

    def __init__(self, source: zipfile.ZipFile | Path) -> None:
        self._source = source

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        if isinstance(self._source, Path):
            with (self._source / name).open("rb") as file:
                yield file
        else:
            with self._source.open(name) as member:
                yield member  # type: ignore[misc]

    def text(self) -> bytes:
        """Read the JSON of the session, up to a limit of its size."""
        with self.open(_JSON) as file:
            text = file.read(_MOST_JSON + 1)
        if len(text) > _MOST_JSON:
            raise Damaged("its description is too large for a session")
        return text


@contextmanager
def _members(path: Path) -> Iterator[_Members]:
    if path.is_dir():
        yield _Members(path)
        return
    if not path.exists():
        raise SessionFileError(f"“{path}” does not exist; check its name and folder.")
    if not path.is_file():
        raise SessionFileError(f"“{path.name}” is a device and not a file; choose a session.")
    if not zipfile.is_zipfile(path):
        raise SessionFileError(f"“{path.name}” is not a session of NERD GUI, or its end is missing.")
    with zipfile.ZipFile(path) as archive:
        yield _Members(archive)


def _read(
    members: _Members, path: Path, located: Path | None, open_: Callable[[Path], Photo], tell: Tell
) -> SavedSession:
    fields = _description(members, path)
    folder, total, done = path.parent, 1, 0
    room = Room(0)

    def count(size: int) -> None:
        nonlocal done
        done += size
        tell(min(1.0, done / total))

    def load(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        with members.open(name) as member:
            return read_array(member, room.array(shape, dtype), count)

    photo = photo_from_json(fields.fields("photo"), "photo", folder, located, open_, load)
    clean, notice = None, ""
    if fields.has("clean"):
        try:
            clean = photo_from_json(fields.fields("clean"), "clean", folder, None, open_, load)
        except PhotoWanted as error:
            notice = f"{error} To get PSNR and SSIM of new runs, open it again as the clean reference."
    subjects: dict[Any, Any] = {}
    runs = [(each, run_from_json(each, photo, clean, subjects)) for each in fields.each("runs")]
    total = sum(2 * run.trajectory.subject.noisy.size * len(each.list("iterates")) for each, run in runs) or 1
    room, done = Room(total), 0
    read = [
        add_iterates(run, each, lambda number, index, shape: load(_estimate(number, index), shape, "float16"))
        for each, run in runs
    ]
    if not all(len(run.trajectory) for run in read):
        raise Damaged("a run has no iterate")
    for run, (each, _) in zip(read, runs, strict=True):
        if each.has("analyses"):  # missing in sessions of earlier versions
            add_analyses(run, each.fields("analyses"), lambda name, shape: load(name, shape, "float32"))
    return _session(fields, photo, clean, tuple(read), notice)


def _description(members: _Members, path: Path) -> Fields:
    try:
        fields = Fields(json.loads(members.text(), parse_constant=_no_number))
    except (KeyError, FileNotFoundError) as error:
        raise SessionFileError(f"“{path.name}” is not a session of NERD GUI.") from error
    if not fields.has("format") or fields.text("format") != FORMAT:
        raise SessionFileError(f"“{path.name}” is not a session of NERD GUI.")
    if fields.whole("version", 1) > VERSION:
        raise SessionFileError(
            f"“{path.name}” was saved by a newer version of the program ({fields.text('program')}); update yours."
        )
    return fields


def _no_number(name: str) -> float:
    raise Damaged(f"{name} is not a number that JSON allows")


def _session(
    fields: Fields, photo: Photo, clean: Photo | None, runs: tuple[SavedRun, ...], notice: str
) -> SavedSession:
    lengths = {run.number: len(run.trajectory) for run in runs}
    if len(lengths) != len(runs) or any(run.index >= len(run.trajectory) for run in runs):
        raise Damaged("the numbers of its runs or iterates are wrong")
    region = fields.wholes("region", 4) if fields.has("region") else None
    if region is not None:
        photo.crop(*region)  # raises an error if the region does not lie inside the photo
    pins = tuple(Fields({"pin": pin}).wholes("pin", 3) for pin in fields.list("pins"))
    compared = None
    if fields.has("compared"):
        kept = fields.fields("compared")
        compared = kept.whole("run"), kept.whole("index"), _look(kept.object("look"))
        if compared[1] >= lengths.get(compared[0], 0):
            compared = None
    shown = fields.whole("shown", 1) if fields.has("shown") else None
    channel = fields.whole("channel") if fields.has("channel") else None
    return SavedSession(
        photo,
        clean,
        fields.flag("add_noise"),
        fields.real("sigma"),
        fields.whole("seed"),
        None if region is None else (region[0], region[1], region[2], region[3]),
        runs,
        shown if shown in lengths else None,
        fields.flag("follow"),
        tuple((pin[0], pin[1], pin[2]) for pin in pins if pin[1] < photo.rows and pin[2] < photo.cols),
        fields.whole("selected") if fields.has("selected") else None,
        compared,
        _look(fields.object("look")),
        channel if channel is not None and channel < photo.channels else None,
        fields.object("view"),
        notice,
    )


def _look(values: dict[str, Any]) -> Look:
    fields = Fields(values)
    return Look(fields.real("luma"), fields.real("chroma"), fields.real("detail"))


def _damaged(path: Path, error: Exception) -> SessionFileError:
    why = f": {error}" if isinstance(error, Damaged | RunError) else ""
    return SessionFileError(f"The session “{path.name}” is damaged or incomplete{why}; take another copy of it.")

"""Writing a file leaves the old one or the new one, complete, and no other files."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from nerd_gui.files import from_json, remove_leftovers, why_not, write_file, write_text

unix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as Unix has them")


def opened_with(path, content=b""):
    """Return the permissions that a file gets, or keeps, if `open` writes it."""
    with open(path, "wb") as file:
        file.write(content)
    return stat.S_IMODE(path.stat().st_mode)


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.fixture(params=[False, True], ids=["new", "existing"])
def path(request, tmp_path):
    """A file that may exist; afterwards the folder must have the same contents as before."""
    made = tmp_path / "a.json"
    if request.param:
        made.write_bytes(b"precious")
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    yield made
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("defect"), KeyboardInterrupt()], ids=repr
)
def test_what_fails_leaves_the_folder_as_it_was(path, monkeypatch, function, error):
    monkeypatch.setattr(os, function, failing(error))
    with pytest.raises(type(error)):
        write_file(path, b"new")


def test_a_write_that_the_system_refuses_midway_leaves_the_folder_as_it_was(path):
    resource = pytest.importorskip("resource", reason="needs Unix")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError) as caught:
            write_file(path, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path)


def test_the_whole_file_is_there_afterwards(tmp_path):
    path = tmp_path / ("ä" * 120 + ".json")  # the longest allowed name
    for content in (b"first", b"", bytes(300_000)):
        write_file(path, content)
        assert os.listdir(tmp_path) == [path.name] and path.read_bytes() == content
    write_text(path, "σ 25 \udcff")
    assert path.read_text(encoding="utf-8") == "σ 25 \\udcff"


def test_it_is_never_seen_half_written(tmp_path):
    """A second thread always reads one of the two contents completely."""
    path, contents = tmp_path / "a", [bytes([value]) * 200_000 for value in range(2)]
    write_file(path, contents[0])
    seen, over = set(), threading.Event()

    def read():
        while not over.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for index in range(30):
            write_file(path, contents[index % 2])
    finally:
        over.set()
        reader.join()
    assert seen <= set(contents)


def test_a_file_that_may_not_be_replaced_is_not(tmp_path):
    path = tmp_path / "a"
    write_file(path, b"first", overwrite=False)
    with pytest.raises(FileExistsError):
        write_file(path, b"second", overwrite=False)
    assert os.listdir(tmp_path) == ["a"] and path.read_bytes() == b"first"


@pytest.mark.parametrize("hard_links", [True, False])
def test_nor_is_one_that_comes_up_meanwhile(tmp_path, monkeypatch, hard_links):
    path, synced = tmp_path / "a", os.fsync
    if not hard_links:  # such as a memory card
        monkeypatch.setattr(os, "link", failing(PermissionError(errno.EPERM, "Operation not permitted")))

    def another_program(descriptor):
        synced(descriptor)
        path.write_bytes(b"another's")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", another_program)
        with pytest.raises(FileExistsError):
            write_file(path, b"ours", overwrite=False)
    assert os.listdir(tmp_path) == ["a"] and path.read_bytes() == b"another's"
    path.unlink()
    write_file(path, b"ours", overwrite=False)
    assert os.listdir(tmp_path) == ["a"] and path.read_bytes() == b"ours"


@unix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("existing", [None, 0o600, 0o664, 0o755])
def test_permissions_are_those_that_open_gives(tmp_path, umask, existing):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    before = os.umask(umask)
    try:
        for path in (ours, theirs) if existing is not None else ():
            path.touch()
            path.chmod(existing)
        write_file(ours, b"new")
        assert stat.S_IMODE(ours.stat().st_mode) == opened_with(theirs)
    finally:
        os.umask(before)


@unix
def test_a_link_stays_a_link(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link, target = tmp_path / "link", folder / "target"
    link.symlink_to("elsewhere/target")
    for content in (b"first", b"second"):  # the target is created, then replaced
        write_file(link, content)
        assert link.is_symlink() and not target.is_symlink() and target.read_bytes() == content
        assert (os.listdir(folder), sorted(os.listdir(tmp_path))) == (["target"], ["elsewhere", "link"])
    target.unlink()
    with pytest.raises(FileExistsError):
        write_file(link, b"third", overwrite=False)
    assert not target.exists()
    round_and_round = tmp_path / "round"
    round_and_round.symlink_to("round")
    with pytest.raises(OSError):
        write_file(round_and_round, b"")
    assert round_and_round.is_symlink()


@unix
def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"precious")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError) as caught:
        write_file(path, b"new")
    assert why_not(caught.value, path) == "it is write-protected; choose another name"
    assert os.listdir(tmp_path) == ["a"] and path.read_bytes() == b"precious"


@unix
@pytest.mark.parametrize("overwrite", [True, False])  # there is no file to replace
def test_a_pipe_is_written_to_and_stays(tmp_path, overwrite):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    try:
        write_file(pipe, b"figures", overwrite=overwrite)
    finally:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # ends a reader that is still waiting
        reader.join()
    assert read == [b"figures"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_why_it_was_not_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path / "nowhere" / "a", f"the folder “{tmp_path / 'nowhere'}” does not exist; choose another one"),
        (tmp_path / "file" / "a", f"the folder “{tmp_path / 'file'}” does not exist; choose another one"),
        (tmp_path, "it is a folder; choose a file name in it"),
    ):
        with pytest.raises(OSError) as caught:
            write_file(path, b"")
        assert why_not(caught.value, path) == words
        assert caught.value.filename == str(path)
    assert why_not(OSError(errno.ENOSPC, "No space left"), "a").startswith("the disk is full;")
    assert why_not(PermissionError(errno.EACCES, "Permission denied"), "b/a").startswith("writing in the folder “b” is")
    assert why_not(OSError(errno.EIO, "Input/output error"), "a") == "Input/output error; try another folder or name"
    with pytest.raises(FileExistsError) as caught:
        write_file(tmp_path / "file", b"", overwrite=False)
    assert why_not(caught.value, tmp_path / "file") == "it exists already; choose another name"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5_000, b"\xff\xfe\xfd", "{", ""], ids=range(6)
)
def test_json_of_anyone_is_read_or_refused_in_one_way(text):
    with pytest.raises(json.JSONDecodeError):
        from_json(text)
    assert from_json('{"a": [1, null, "σ"]}') == {"a": [1, None, "σ"]}


def killed_while_writing(path):
    """Kill a process while it writes a file; return the temporary file that it leaves."""
    program = (
        "import os, signal, sys\nfrom nerd_gui.files import write_file\n"
        f"os.fsync = lambda _: os.kill(os.getpid(), {signal.SIGKILL})\nwrite_file(sys.argv[1], b'new')"
    )
    before = set(path.parent.iterdir())
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ended = subprocess.run([sys.executable, "-c", program, path], env={**os.environ, "PYTHONPATH": root}, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    (left,) = set(path.parent.iterdir()) - before
    return left


@unix
def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    path, other = tmp_path / f"{'long ' * 12}name.png", tmp_path / "other.png"
    path.write_bytes(b"old")
    left, others = killed_while_writing(path), killed_while_writing(other)
    ours = [
        path,
        others,
        tmp_path / f".{path.name}.part",
        tmp_path / f".{path.name[:40]}.0123456789abcdeg.part",
        tmp_path / f"{path.name[:40]}.0123456789abcdef.part",
    ]
    for file in ours[2:]:
        file.touch()
    seen = []

    def meanwhile(_):
        remove_leftovers([path, tmp_path / "nowhere" / "a.png"])
        seen.extend(tmp_path.iterdir())

    monkeypatch.setattr(os, "fsync", meanwhile)
    write_file(path, b"newer")
    assert left not in seen and len(seen) == len(ours) + 1  # files that this process is writing are kept, too
    assert set(tmp_path.iterdir()) == set(ours) and path.read_bytes() == b"newer"


@unix
def test_a_file_that_was_taken_for_left_over_is_written_all_the_same(tmp_path, monkeypatch):
    """Before the temporary file is marked, another process may remove it as a leftover."""
    import fcntl

    path, lock = tmp_path / "a.png", fcntl.flock

    def late(file, operation):
        monkeypatch.setattr(fcntl, "flock", lock)
        remove_leftovers([path])
        assert list(tmp_path.iterdir()) == []
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    write_file(path, b"new")
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"new"

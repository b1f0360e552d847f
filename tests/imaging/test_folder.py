"""The pictures of a folder: those with a readable suffix, sorted by name."""

import pytest

from nerd_gui.imaging import PhotoError, picture_files


def test_pictures_are_told_by_their_suffixes_and_sorted(tmp_path):
    for name in ("b.JPG", "a.tiff", "c.webp", "d.bmp", "notes.txt", ".state.part", "e.npz", "f.jpeg", "g.tif", "h.png"):
        (tmp_path / name).touch()
    names = ["a.tiff", "b.JPG", "c.webp", "d.bmp", "f.jpeg", "g.tif", "h.png"]
    assert [path.name for path in picture_files(tmp_path)] == names


def test_a_folder_without_pictures_is_a_sentence(tmp_path):
    with pytest.raises(PhotoError, match=r"holds no pictures; name a folder"):
        picture_files(tmp_path)
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        with pytest.raises(PhotoError, match=rf"{name}” does not exist"):
            picture_files(tmp_path / name)

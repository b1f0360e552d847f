"""No test picture is used for training, whole or cut: thumbnails of the training pictures against Set12 and BSD68.

Likeness is the correlation of thumbnails of 16 x 16 grey values, which scaling, compression and contrast hardly
change. For whole pictures in all eight orientations, two different pictures of BSDS500, Set12 and BSD68 reach at most
0.950 (two that are dark below a bright sky). A copy at half the size in JPEG quality 70 stays above 0.995, one at a
quarter in quality 30 above 0.98.

For pictures cut out of others, the search over places and sizes would find a likeness for every smooth picture. There
the thumbnails are compared without their local means: squares of training pictures reach at most 0.61 with a picture of
Set12 that does not come from them. The starfish, which is cut out of picture 12003 of BSDS500, reaches 0.83 ... 0.97,
depending on the grid of sizes.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data as samples

from nerd_gui.imaging import picture_files
from nerd_gui.training.cutting import landscape
from nerd_gui.training.data import load_pictures, read_grey, validation_names

SETS = Path(__file__).resolve().parents[3] / "shared" / "data"
SIDE = 16
COPY, CUT = 0.97, 0.75


def symmetries(picture):
    """The eight turns and flips of a picture."""
    return [np.rot90(one, turns) for one in (picture, picture[:, ::-1]) for turns in range(4)]


def thumbnail(picture):
    """16 x 16 grey values of a picture, of mean 0 and length 1."""
    small = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    small = small - small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-6)


def copies(pictures, tests):
    """Return the pairs (index of a picture, index of a test picture) that are the same in some orientation."""
    known = np.stack([thumbnail(picture).ravel() for picture in pictures])
    turned = np.stack([[one.ravel() for one in symmetries(thumbnail(test))] for test in tests])
    likeness = np.einsum("pi,tsi->pts", known, turned).max(2)
    return [(int(picture), int(test)) for picture, test in np.argwhere(likeness > COPY)]


def without_means(fields, dilation):
    """Subtract from each value the mean of its eight neighbours."""
    kernel = torch.full((1, 1, 3, 3), -1 / 8)
    kernel[..., 1, 1] = 1
    return F.conv2d(fields, kernel, dilation=dilation)


def cuts(pictures, tests):
    """Return the pairs (index of a picture, index of a test picture) where a large square of the picture is the test.

    The square has at least 60 % of the picture's side. Pictures are (N, rows, cols) uint8, tests are squares. Places
    are half a value of the thumbnail apart, sizes 7 %.
    """
    turned = np.stack([one for test in tests for one in symmetries(thumbnail(test))])
    sought = without_means(torch.from_numpy(turned)[:, None], 1)
    sought = sought - sought.mean((2, 3), keepdim=True)
    sought = sought / sought.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-6)
    ones = torch.ones(1, 1, *sought.shape[2:])
    found = set()
    largest = min(pictures.shape[1:])
    for size in (largest / 1.07**power for power in range(8)):
        shape = [round(2 * SIDE * length / size) for length in pictures.shape[1:]]
        for first in range(0, len(pictures), 20):
            some = pictures[first : first + 20, None].float()
            fine = F.interpolate(some, size=shape, mode="bilinear", antialias=True)
            fine = without_means(F.avg_pool2d(fine, 2, 1), 2)
            mean, square = (F.conv2d(values, ones / ones.numel(), dilation=2) for values in (fine, fine**2))
            length = (ones.numel() * (square - mean**2).clamp(min=0.25)).sqrt()
            likeness = (F.conv2d(fine, sought, dilation=2) / length).amax((2, 3))
            likeness = likeness.unflatten(1, (len(tests), 8)).amax(2)
            found |= {(first + int(picture), int(test)) for picture, test in torch.argwhere(likeness > CUT)}
    return sorted(found)


def square(picture):
    """The middle of a picture."""
    side = min(picture.shape)
    top, left = ((length - side) // 2 for length in picture.shape)
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def of_set(name):
    return [read_grey(path) for path in picture_files(SETS / name)]


@pytest.mark.skipif(not SETS.is_dir(), reason="the image sets (../shared/data) are not part of the repository")
def test_what_the_loader_opens_holds_no_test_picture():
    training, validation = load_pictures(SETS / "bsd400")
    set12, bsd68 = of_set("set12"), of_set("bsd68")
    assert (len(training), len(validation), len(set12), len(bsd68)) == (379, 20, 12, 68)
    assert copies([*training.numpy(), *validation], set12 + bsd68) == []
    assert cuts(training, [square(picture) for picture in set12]) == []


@pytest.mark.skipif(not SETS.is_dir(), reason="the image sets (../shared/data) are not part of the repository")
def test_the_further_photos_to_train_on_hold_no_test_picture():
    files = [path for name in ("photos/free", "photos/sunhays80") for path in picture_files(SETS / name)]
    photos = [landscape(read_grey(path)) for path in files]
    small = [np.asarray(Image.fromarray(photo).resize((481, 321), Image.Resampling.BOX)) for photo in photos]
    noisy = [*picture_files(SETS / "real-noise/rni15"), *picture_files(SETS / "real-noise/nam")]
    noisy = [read_grey(path) for path in noisy if not path.stem.endswith("_mean")]
    set12 = of_set("set12")
    assert (len(photos), len(noisy)) == (117, 30)
    assert copies(small, [*set12, *of_set("bsd68"), *noisy]) == []
    assert cuts(torch.from_numpy(np.stack(small)), [square(picture) for picture in set12]) == []


@pytest.mark.skipif(not SETS.is_dir(), reason="the image sets (../shared/data) are not part of the repository")
def test_the_starfish_of_set12_is_cut_out_of_a_picture_that_is_left_out():
    opened = np.stack([read_grey(SETS / "bsd400" / f"{name}.jpg") for name in ("100007", "12003", "100075")])
    assert cuts(torch.from_numpy(opened), [square(picture) for picture in of_set("set12")]) == [(1, 3)]


def pictures_at_hand():
    """Grey pictures of one size, all different."""
    names = ("astronaut", "coffee", "chelsea", "camera", "coins", "moon", "rocket", "page", "text", "brick")
    opened = [Image.fromarray(getattr(samples, name)()).convert("L") for name in names]
    return [np.asarray(picture.resize((300, 200), Image.Resampling.BOX)) for picture in opened]


def worn(picture, folder, name, *, box=None, turn=None, scale=1.0, quality=60):
    """Write a picture cut, turned, scaled, with changed brightness, and compressed."""
    image = Image.fromarray(picture)
    image = image.crop(box) if box else image
    image = image.transpose(turn) if turn is not None else image
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    image.point(lambda value: 20 + 0.8 * value).save(folder / f"{name}.jpg", quality=quality)


def load(folder):
    training, _ = load_pictures(folder)
    names = [path.stem for path in picture_files(folder) if path.stem not in validation_names()]
    return training, names


@pytest.fixture
def folder(tmp_path):
    Image.new("L", (300, 200), 99).save(tmp_path / f"{validation_names()[0]}.png")
    return tmp_path


def test_planted_copies_are_found(folder):
    tests = pictures_at_hand()
    ours, theirs = tests[:4], tests[4:]
    for number, picture in enumerate(ours):
        worn(picture, folder, f"own{number}")
    assert copies(load(folder)[0].numpy(), theirs) == []
    for number, turn in enumerate((None, *Image.Transpose)):
        worn(theirs[number % 6], folder, f"planted{number}", turn=turn)
    training, names = load(folder)
    found = [(names[picture], test) for picture, test in copies(training.numpy(), theirs)]
    assert found == [(f"planted{number}", number % 6) for number in range(8)]
    assert copies([np.asarray(Image.fromarray(theirs[1]).resize((70, 60)))], theirs) == [(0, 1)]


def test_planted_cuts_are_found(folder):
    tests = pictures_at_hand()
    for number, picture in enumerate(tests[:4]):
        worn(picture, folder, f"own{number}")
    whole, names = load(folder)
    # The test picture is a part of a training picture, at another size and turned.
    boxes = {0: (40, 10, 200, 170), 1: (120, 30, 290, 200), 3: (10, 60, 140, 190)}
    parts = {number: np.asarray(Image.fromarray(tests[number]).crop(box)) for number, box in boxes.items()}
    sought = [np.rot90(parts[0]), np.asarray(Image.fromarray(parts[1]).resize((96, 96))), parts[3][:, ::-1]]
    sought = [np.ascontiguousarray(picture) for picture in sought]
    others = [square(picture) for picture in tests[4:]]
    assert [(names[picture], test) for picture, test in cuts(whole, sought + others)] == [
        ("own0", 0),
        ("own1", 1),
        ("own3", 2),
    ]

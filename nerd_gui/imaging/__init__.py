"""Pictures: opening, saving, noise and quality figures.

Importing this room needs only numpy and Pillow, because machines that train have no more. Functions that need tifffile,
imagecodecs or scikit-image import them when they are called.
"""

from nerd_gui.imaging.colour import luma
from nerd_gui.imaging.errors import PhotoError
from nerd_gui.imaging.folder import picture_files
from nerd_gui.imaging.limits import MAX_PIXELS, MAX_SIDE
from nerd_gui.imaging.noise import add_noise
from nerd_gui.imaging.noise_estimate import noise_level
from nerd_gui.imaging.photo import Photo, open_photo
from nerd_gui.imaging.photo_noise import PhotoNoise, photo_noise
from nerd_gui.imaging.preview import Preview, preview
from nerd_gui.imaging.psnr_ssim import psnr, ssim, to_8_bit
from nerd_gui.imaging.samples import describe_sample, open_sample, sample_names
from nerd_gui.imaging.save import (
    check_saving,
    denoised_name,
    free_name,
    save_picture,
    suffix_for_file,
    usual_suffix,
    what_is_lost,
)
from nerd_gui.imaging.watch import OpeningCancelled
from nerd_gui.imaging.xmp import Edit

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "Edit",
    "OpeningCancelled",
    "Photo",
    "PhotoError",
    "PhotoNoise",
    "Preview",
    "add_noise",
    "check_saving",
    "denoised_name",
    "describe_sample",
    "free_name",
    "luma",
    "noise_level",
    "open_photo",
    "open_sample",
    "photo_noise",
    "picture_files",
    "preview",
    "psnr",
    "sample_names",
    "save_picture",
    "ssim",
    "suffix_for_file",
    "to_8_bit",
    "usual_suffix",
    "what_is_lost",
]

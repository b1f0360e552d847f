"""Runs of whole photos: tiles, which share the photo's statistics, are solved separately and blended."""

from nerd_gui.denoising.whole_photo.photo_plan import PhotoPlan
from nerd_gui.denoising.whole_photo.photo_run import ONE_PIECE, PhotoProgress, PhotoRun, record_photo
from nerd_gui.denoising.whole_photo.stopped import StoppedPhoto

__all__ = ["ONE_PIECE", "PhotoPlan", "PhotoProgress", "PhotoRun", "StoppedPhoto", "record_photo"]

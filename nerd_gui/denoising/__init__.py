"""Denoising runs: a subject and settings become a stream of iterates, which a trajectory records."""

from nerd_gui.denoising.auto import AUTO, Choice, choose, is_for_photos
from nerd_gui.denoising.devices import check_device, default_device, default_model, devices, fast_precision
from nerd_gui.denoising.errors import RunError, TooLittleMemory
from nerd_gui.denoising.features import Features
from nerd_gui.denoising.look import LOOK_HALO, PLAIN, Look, NoiseProfile, look_picture
from nerd_gui.denoising.memory_plan import MemoryPlan, estimate_bytes, peak_memory_mb, plan_run
from nerd_gui.denoising.recorder import Recorder, denoise, record
from nerd_gui.denoising.run import DenoisingRun
from nerd_gui.denoising.settings import PICTURE, STOPS, RunSettings
from nerd_gui.denoising.strength import is_told_level
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import CURVES, Iterate, Trajectory
from nerd_gui.denoising.warm_start import Equilibrium, Saving
from nerd_gui.denoising.whole_photo import PhotoPlan, PhotoProgress, PhotoRun, record_photo

__all__ = [
    "AUTO",
    "CURVES",
    "LOOK_HALO",
    "PICTURE",
    "PLAIN",
    "STOPS",
    "Choice",
    "DenoisingRun",
    "Equilibrium",
    "Features",
    "Iterate",
    "Look",
    "MemoryPlan",
    "NoiseProfile",
    "PhotoPlan",
    "PhotoProgress",
    "PhotoRun",
    "Recorder",
    "RunError",
    "RunSettings",
    "Saving",
    "Subject",
    "TooLittleMemory",
    "Trajectory",
    "check_device",
    "choose",
    "default_device",
    "default_model",
    "denoise",
    "devices",
    "estimate_bytes",
    "fast_precision",
    "is_for_photos",
    "is_told_level",
    "look_picture",
    "peak_memory_mb",
    "plan_run",
    "record",
    "record_photo",
]

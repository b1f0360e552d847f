"""Auto: chooses the network and the grain size for a photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nerd_gui.denoising.errors import RunError
from nerd_gui.imaging import Photo, PhotoNoise, photo_noise
from nerd_gui.nerd import ModelError, load_record, model_names

#: The name that stands for the network that `choose` chooses; no network has this name.
AUTO = "auto"
_Suits = Callable[["Network"], tuple[Any, ...]]
_LITE = 64  # features up to which a network is quick enough for a processor
#: A photo has hardly any noise if its level (0-255) is below the first value where it was measured with confidence, or
#: below the second where it was not, and if the level at the brightness with the strongest noise is below the third.
HARDLY_ANY, UNSURE, NOWHERE = 2.0, 1.25, 3.0
#: Grain size 2 is chosen if neighbouring pixels' noise correlates strongly: in luma above the first value, or in luma
#: above the second and in colour above the third, as after demosaicking. The photo's fine detail must also be below the
#: fourth value times the noise level. The rule was tested with `nerd-lite-photo-colour` on 51 new pairs that it chose,
#: with synthetic and with measured noise: they gained 1.4 dB on average. One, white noise enlarged 1.5 times, lost
#: 1.6 dB; no other lost more than 0.6 dB.
COARSE, COARSE_LUMA, COARSE_CHROMA, DETAILED = 0.67, 0.45, 0.6, 0.3
_SURE, _SURER = 0.4, 0.5  # confidence that counts as high, and that is high enough for grain size 2
_COARSE = "The noise is coarse, so the photo is denoised at half its size first (grain size 2)."


@dataclass(frozen=True)
class Choice:
    """Auto's choice, and its reason.

    Attributes
    ----------
    model : str or None
        A network of `model_names()`; None for a photo with hardly any noise, which is best left as it is.
    grain : int
        The grain size, 1 or 2.
    reason : str
        One sentence for a photographer.
    """

    model: str | None
    grain: int
    reason: str


def choose(
    photo: Photo, *, adds_noise: bool, device: str, sigma: float | None = None, noise: PhotoNoise | None = None
) -> Choice:
    """Choose the network and the grain size for a photo.

    Parameters
    ----------
    adds_noise : bool
        Whether white Gaussian noise is added to the photo; otherwise the photo has its camera's noise.
    device : str
        The device of the run; large networks are chosen for accelerators only.
    sigma : float, optional
        Level of the added noise, 0-255, if it is known.
    noise : PhotoNoise, optional
        The noise of the photo; None: it is measured here if it is needed.

    Raises
    ------
    RunError
        If there is no trained network.
    """
    networks = trained_networks()
    if not networks:
        raise RunError("This installation has no trained network; reinstall the program or open a network's file.")
    kind = "grey" if photo.channels == 1 else "colour"

    def suits(network: Network) -> tuple[Any, ...]:
        return network.suitability(photo.channels, device)

    if adds_noise:
        model, reason = _for_white_noise(networks, suits, sigma, kind)
        return Choice(model, 1, reason)
    noise = noise or photo_noise(photo.pixels)
    if hardly_any(noise):
        return Choice(None, 1, f"This photo has hardly any noise (σ {noise.level:.1f}), so it is best left unchanged.")
    model, reason = _for_cameras(networks, suits, kind)
    grain = grain_size(noise)
    return Choice(model, grain, f"{reason} {_COARSE}" if grain > 1 else reason)


def hardly_any(noise: PhotoNoise) -> bool:
    """Whether a photo has so little noise that a network would mainly remove texture."""
    return noise.strongest < NOWHERE and noise.level < (HARDLY_ANY if noise.confidence >= _SURE else UNSURE)


def grain_size(noise: PhotoNoise) -> int:
    """Choose the grain size for a photo with this noise, 1 or 2.

    With grain size 2, the network first denoises the photo at half its size, where coarse noise is fine. This harms
    fine detail.
    """
    luma, chroma = noise.luma_correlation[0], noise.chroma_correlation[0]
    coarse = luma > COARSE or (luma > COARSE_LUMA and chroma > COARSE_CHROMA)
    return 2 if coarse and noise.detail < DETAILED * noise.strongest and noise.confidence >= _SURER else 1


@dataclass(frozen=True)
class Network:
    """A trained network of the catalogue, and the noise that it was trained on.

    Attributes
    ----------
    name : str
    channels : int
        1 or 3; a grey network takes the channels of a colour photo separately.
    features : int
    for_photos : bool
        Whether it was trained on camera noise; otherwise on white Gaussian noise.
    low, high : float
        The noise levels that it was trained on, 0-255.
    whole : bool
        Whether it has all parts of the architecture; networks without some part exist for comparison.
    psnr : float
        PSNR on the validation pictures with the noise that it was trained on, in dB.
    """

    name: str
    channels: int
    features: int
    for_photos: bool
    low: float
    high: float
    whole: bool
    psnr: float

    def suitability(self, channels: int, device: str) -> tuple[Any, ...]:
        """A sort key: how well it suits photos with this number of channels on a device; larger is better."""
        return self.whole, self.channels == channels, self.features <= _LITE if device == "cpu" else self.features

    @property
    def kind(self) -> str:
        """The kind of photos that the network is made for, "grey" or "colour"."""
        return "grey" if self.channels == 1 else "colour"

    @property
    def is_blind(self) -> bool:
        """Whether it was trained on a range of noise levels."""
        return self.low < self.high

    def is_for(self, sigma: float | None) -> bool:
        """Whether it was trained on white noise of this level, or, if sigma is None, on a range of levels."""
        return not self.for_photos and (self.is_blind if sigma is None else self.low <= sigma <= self.high)

    def beats(self, blind: Network) -> bool:
        """Whether this network for one level is better at that level than a blind network.

        The two can be compared only if the blind network was validated at this level; otherwise the special network is
        taken to be better. Networks for white noise are validated at sigma 25 if they were trained on it, else at their
        highest level; see `NoiseRange.for_validation`.
        """
        validated_at = 25.0 if blind.low <= 25 <= blind.high else blind.high
        return validated_at != self.low or self.psnr > blind.psnr


def trained_networks() -> list[Network]:
    """The shipped networks that are trained and whose files say on which noise."""
    return [network for name in model_names() if (network := _network(name)) is not None]


def is_for_photos(recipe: dict[str, Any]) -> bool:
    """Whether a network was trained on camera noise, of either model; otherwise it was white noise.

    Raises
    ------
    KeyError
        If the recipe does not say on which noise.
    """
    return bool(recipe["noise"]["kind"] != "white")


def _network(name: str) -> Network | None:
    """Read the description of a network from its file; None if it has none, or the network is not trained."""
    try:
        record = load_record(name)
        recipe = record["recipe"]
        model, noise = recipe["model"], recipe["noise"]
        network = Network(
            name=name,
            channels=model["channels"],
            features=model["features"],
            for_photos=is_for_photos(recipe),
            low=noise["low"],
            high=noise["high"],
            whole=model["post_normalization"] and model["non_local"] and model["transformation"],
            psnr=record["validation_psnr"],
        )
    except (ModelError, KeyError, TypeError):  # using the network reports the error; or another program wrote the file
        return None
    return network if record.get("samples") else None


def _for_cameras(networks: Sequence[Network], suits: _Suits, kind: str) -> tuple[str, str]:
    """Choose the network for camera noise, and give the reason; `kind` is that of the photo, "grey" or "colour"."""
    made = [one for one in networks if one.for_photos]
    best = max(made or networks, key=lambda one: (suits(one), one.psnr))
    if not made:
        return best.name, f"No installed network is made for camera noise; {best.name} is the next best."
    if best.kind != kind:
        return best.name, f"The network for {kind} photos is missing; {best.name} is the next best for camera noise."
    return best.name, f"{best.name} is made for {kind} photos with camera noise."


def _for_white_noise(networks: Sequence[Network], suits: _Suits, sigma: float | None, kind: str) -> tuple[str, str]:
    """Choose the network for added noise of this level (None: of any level), and give the reason."""
    fit = [one for one in networks if one.is_for(sigma)]
    if not fit:
        best = max(networks, key=lambda one: (not one.for_photos, one.high, suits(one)))
        of = "" if sigma is None else f" of σ {sigma:g}"
        return best.name, f"No installed network is made for added noise{of}; {best.name} is the next best."
    most = max(suits(one) for one in fit)
    alike = sorted((one for one in fit if suits(one) == most), key=lambda one: one.psnr)
    special, blind = ([one for one in alike if one.is_blind == blind] for blind in (False, True))
    if special and (not blind or special[-1].beats(blind[-1])):
        return special[-1].name, f"{special[-1].name} is made for added noise of exactly σ {special[-1].low:g}."
    best = blind[-1]
    if best.kind != kind:
        return best.name, f"The network for added noise in {kind} photos is missing; {best.name} is the next best."
    return best.name, f"{best.name} is made for added noise of any strength in {kind} photos."

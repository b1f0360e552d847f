"""Recipes: what to train and how, including those of the networks that are shipped with the program."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nerd_gui.files import from_json
from nerd_gui.nerd import NerdConfig
from nerd_gui.nerd.attention import Precision
from nerd_gui.training.camera_chain import CameraChain
from nerd_gui.training.noise_models import NoiseModel, NoiseRange, noise_from_json, noise_to_json

_MOST = 1e12  # limit of all numbers in a recipe


@dataclass(frozen=True)
class Stage:
    """The settings of one stage of a training run.

    Attributes
    ----------
    until : int or None
        The stage ends when the run has seen this many samples; None: never.
    solver_steps : int
        Number of Broyden steps to the equilibrium. With 0, the network is trained as a shallow recurrent network:
        `unroll` plain steps from z = 0 with full backpropagation.
    unroll : int
        T, the steps of the phantom gradient (Eq. 16).
    patch, batch : int
        Side of a patch in pixels, and number of patches in a step.
    precision : {"float32", "bfloat16"}
        Arithmetic inside f.
    rate : float
        The stage's learning rate as a fraction of the recipe's.
    window : int or None
        Side of the attention window in pixels; None: that of the network. A smaller one makes steps cheaper.
    """

    until: int | None
    solver_steps: int
    unroll: int
    patch: int
    batch: int
    precision: Precision = "bfloat16"
    rate: float = 1.0
    window: int | None = None


@dataclass(frozen=True)
class Recipe:
    """All settings that determine a training run. Schedules count samples, so the time limit only ends a session.

    The learning rate warms up over `warm_up` samples and stays at `learning_rate`. It falls to 0 in a decay, which
    starts on request, to release a network, or at the sample `decay_at`.
    """

    name: str
    model: NerdConfig
    noise: NoiseModel
    stages: tuple[Stage, ...]
    #: The last stage of every decay: it takes many solver steps, so that the released network converges.
    decay_stage: Stage
    #: The fraction of a decay that this stage takes.
    deep_part: float = 0.25
    learning_rate: float = 2e-3
    #: The decoder's learning rate as a fraction of the others'. Its weights are ten times smaller, but AdamW's steps
    #: are not; without this factor, the decoder's noise would hide the gradient of all other layers.
    decoder_rate: float = 0.15
    #: Whether Muon trains the matrix weights instead of AdamW.
    muon: bool = False
    warm_up: int = 2000
    weight_decay: float = 1e-4
    damping: float = 0.8  # lambda of Eq. 16
    ema: float = 0.999  # decay per step
    clip: float = 1.0  # largest gradient norm
    #: Each sample's error is weighted by (25 / max(sigma, 5)) to this power; 0 is the paper's plain MSE.
    noise_weight: float = 0.0
    #: Weight of a penalty on the squared rate at which f contracts the residual that a solve leaves, relative to an
    #: error of (0.1)^2. It keeps the equilibrium easy to find while the network learns.
    contraction_weight: float = 0.0
    #: From this number of samples on, BatchNorm uses fixed statistics of the whole training set. The statistics of a
    #: small batch would hide how strong its noise is, which a blind network has to see.
    norms_fixed_from: int | None = None
    #: A network with level input gets the true level of each patch times a log-uniform random factor between 1 / this
    #: and this. So it tolerates estimated levels, and a user can make it remove more or less.
    level_jitter: float = 1.4
    #: The decay starts automatically after this number of samples and takes `decay_over` samples, so that runs for
    #: comparison have the same length. None: it starts on request.
    decay_at: int | None = None
    decay_over: int = 0
    #: The learning rate falls as 1 - sqrt(t), or as (1 + cos(pi t)) / 2, where t is the fraction of the decay that is
    #: over.
    decay_shape: Literal["root", "cosine"] = "root"
    seed: int = 0

    def stage(self, samples: int, decayed: float = 0.0) -> Stage:
        """Return the stage for a number of samples seen and the fraction of the decay that is over."""
        if decayed > 0 and decayed >= 1 - self.deep_part:
            return self.decay_stage
        for stage in self.stages:
            if stage.until is None or samples < stage.until:
                return stage
        return self.stages[-1]

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as a dictionary that JSON can hold."""
        return {**asdict(self), "noise": noise_to_json(self.noise)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Recipe":
        """Make a recipe from `to_json`'s dictionary, or one that a user wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a value is missing, unknown, or has a wrong type.
        """
        recipe = cls(
            **{
                **values,
                "model": NerdConfig(**values["model"]),
                "noise": noise_from_json(values["noise"]),
                "stages": tuple(Stage(**stage) for stage in values["stages"]),
                "decay_stage": Stage(**values["decay_stage"]),
            }
        )
        if not recipe.stages:
            raise ValueError("it has no stages")
        for part in (recipe, recipe.noise, *recipe.stages, recipe.decay_stage):
            _check_kinds(part)
        if recipe.decay_at is not None and recipe.decay_over < 1:
            raise ValueError("a decay that starts automatically needs its length, decay_over")
        return recipe


def _check_kinds(part: Any) -> None:
    """Check the types of all fields of a dataclass, because a file may hold anything."""
    for name, kind in get_type_hints(type(part)).items():
        value, kinds = getattr(part, name), get_args(kind) if get_origin(kind) is UnionType else (kind,)
        if float in kinds and type(value) is int:
            kinds = (*kinds, int)
        if get_origin(kind) is Literal:
            fits = value in get_args(kind)
        else:
            # Of a container, such as the tuple of stages, the parts are checked one by one.
            container = get_origin(kind) not in (None, UnionType)
            fits = container or type(value) in kinds or is_dataclass(value)
        if isinstance(value, int | float) and not 0 <= value < _MOST:
            fits = False
        if not fits:
            raise ValueError(f"“{name}” cannot be {value!r}")


_LITE = NerdConfig(features=64, window=17, weight_norm=False)
#: Training starts with plain steps and continues with equilibria as soon as plain steps limit the quality: see
#: weights/TRAINING.md.
_BLIND_LITE = Recipe(
    name="nerd-lite",
    model=_LITE,
    noise=NoiseRange(0, 55),
    stages=(
        Stage(until=40_000, solver_steps=0, unroll=3, patch=32, batch=8),
        Stage(until=None, solver_steps=5, unroll=3, patch=48, batch=6, rate=0.5),
    ),
    decay_stage=Stage(until=None, solver_steps=8, unroll=3, patch=64, batch=4, rate=0.5),
    noise_weight=1.0,
    contraction_weight=0.003,
    muon=True,
    norms_fixed_from=40_000,
)

_LITE_25 = replace(_BLIND_LITE, name="nerd-lite-25", noise=NoiseRange(25, 25), noise_weight=0.0)

#: For photos, with level input. The batches are larger, because patches differ more, and the patches are larger at the
#: end, to contain whole grains. A fraction of the patches has white noise, which the level describes completely.
_PHOTO_LITE = replace(
    _BLIND_LITE,
    name="nerd-lite-photo",
    model=replace(_LITE, level_input=True),
    noise=CameraChain(0, 45, gaussian=0.25),
    stages=(
        Stage(until=40_000, solver_steps=0, unroll=3, patch=32, batch=12),
        Stage(until=None, solver_steps=5, unroll=3, patch=48, batch=12, rate=0.5),
    ),
    decay_stage=Stage(until=None, solver_steps=8, unroll=3, patch=96, batch=4, rate=0.5),
    deep_part=0.15,
    contraction_weight=0.002,
    ema=0.998,  # shorter than usual, because it starts from another network and changes fast at first
)

#: The paper's network, for an accelerator: large batches, plain steps on small patches for the first minute or two, and
#: then equilibria on the paper's 64x64 patches, whose size suits the window q = 65. It has no weight norm, because Muon
#: already fixes the size of steps.
_NERD = Recipe(
    name="nerd",
    model=NerdConfig(weight_norm=False),
    noise=NoiseRange(0, 55),
    stages=(
        Stage(until=300_000, solver_steps=0, unroll=3, patch=32, batch=128),
        Stage(until=700_000, solver_steps=5, unroll=3, patch=48, batch=64, rate=0.7),
        Stage(until=None, solver_steps=7, unroll=4, patch=64, batch=64, rate=0.5),
    ),
    decay_stage=Stage(until=None, solver_steps=12, unroll=4, patch=64, batch=32, rate=0.5),
    learning_rate=3e-3,
    warm_up=20_000,
    noise_weight=1.0,
    contraction_weight=0.003,
    muon=True,
    ema=0.998,
    norms_fixed_from=300_000,
)

#: The paper's network for sigma 25, widened from `nerd-lite-25` (`--fork` with `--widen`) on a processor. Its sample
#: count continues from that network's. Its window grows with the patches, from that network's to the paper's.
_NERD_25_WIDENED = replace(
    _LITE_25,
    name="nerd-25-widened",
    model=NerdConfig(weight_norm=False),
    stages=(
        Stage(until=150_000, solver_steps=5, unroll=3, patch=48, batch=6, rate=0.5, window=17),
        Stage(until=170_000, solver_steps=5, unroll=3, patch=64, batch=4, rate=0.5, window=33),
        Stage(until=None, solver_steps=6, unroll=3, patch=64, batch=4, rate=0.5),
    ),
    decay_stage=Stage(until=None, solver_steps=8, unroll=3, patch=96, batch=3, rate=0.5),
    contraction_weight=0.001,
)

#: The common recipe of all networks that are compared with each other: random initial weights, equal samples, one seed.
_COMPARED = replace(
    _LITE_25,
    name="nerd-lite-25-ablation-baseline",
    stages=(
        Stage(until=12_000, solver_steps=0, unroll=3, patch=32, batch=8),
        Stage(until=None, solver_steps=5, unroll=3, patch=48, batch=6, rate=0.5),
    ),
    contraction_weight=0.001,
    norms_fixed_from=12_000,
    decay_at=17_052,
    decay_over=2_316,
)


def _compared() -> Iterator[Recipe]:
    """The networks of Fig. 10 and Tables IV to VIII, each with one change; two seeds show the random variation."""
    start = "nerd-lite-25-ablation-"
    yield _COMPARED
    yield replace(_COMPARED, name=f"{start}no-penalty", contraction_weight=0.0)
    changes: dict[str, dict[str, Any]] = {
        "no-post": {"post_normalization": False},
        "image": {"equilibrium": "image"},
        "non-local-only": {"transformation": False},
        "transformation-only": {"non_local": False},
        **{f"heads-{heads}": {"heads": heads} for heads in (1, 8)},
        **{f"window-{window}": {"window": window} for window in (9, 25, 33)},
    }
    for name, change in changes.items():
        yield replace(_COMPARED, name=start + name, model=replace(_LITE, **change))
    for sigma in (15, 50):
        noise = NoiseRange(sigma, sigma)
        yield replace(_COMPARED, name=f"nerd-lite-{sigma}-ablation-baseline", noise=noise)
        image = replace(_LITE, equilibrium="image")
        yield replace(_COMPARED, name=f"nerd-lite-{sigma}-ablation-image", noise=noise, model=image)
    yield replace(_COMPARED, name=f"{start}seed-1", seed=1)


def _as_printed(sigma: int) -> Recipe:
    """The training of Sec. VII-A: 100 epochs of 128 patches of 64x64 from each of 400 pictures.

    The paper does not state the dropout rate (0.1 is our choice), AdamW's weight decay (we use PyTorch's default), or
    the residual at which a solve ends before its 17th step (`trainer.TOLERANCE`). It uses no weight averaging, no
    gradient clipping and no warm-up.
    """
    stage = Stage(until=None, solver_steps=17, unroll=8, patch=64, batch=4, precision="float32")
    return Recipe(
        name=f"nerd-paper-{sigma}",
        model=NerdConfig(dropout=0.1),
        noise=NoiseRange(sigma, sigma),
        stages=(stage,),
        decay_stage=stage,
        deep_part=0.0,
        learning_rate=1e-3,
        decoder_rate=1.0,
        warm_up=1,
        weight_decay=0.01,
        ema=0.0,
        clip=1e9,
        decay_at=0,
        decay_over=100 * 128 * 400,
        decay_shape="cosine",
    )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        _NERD,
        # Fine-tuned from `nerd` (`--fork`), so their sample counts continue from those of `nerd`.
        *(
            replace(_NERD, name=f"nerd-{sigma}", noise=NoiseRange(sigma, sigma), noise_weight=0.0)
            for sigma in (15, 25, 50)
        ),
        _NERD_25_WIDENED,
        _BLIND_LITE,
        _LITE_25,
        # The other half of Fig. 8.
        replace(_LITE_25, name="nerd-lite-25-no-post", model=replace(_LITE, post_normalization=False)),
        replace(_BLIND_LITE, name="nerd-lite-colour", model=replace(_LITE, channels=3)),
        _PHOTO_LITE,
        replace(_PHOTO_LITE, name="nerd-lite-photo-colour", model=replace(_PHOTO_LITE.model, channels=3)),
        *_compared(),
        *map(_as_printed, (15, 25, 50)),
    )
}


def find_recipe(name_or_path: str) -> Recipe:
    """Return a recipe by name, or read it from a user's JSON file in the format of `Recipe.to_json`.

    Raises
    ------
    ValueError
        If there is no such recipe or file, or the file is invalid.
    """
    if name_or_path in RECIPES:
        return RECIPES[name_or_path]
    path = Path(name_or_path)
    if not path.is_file():
        raise ValueError(f"There is no recipe “{name_or_path}”; choose one of {', '.join(RECIPES)}, or a JSON file.")
    try:
        return Recipe.from_json(from_json(path.read_bytes()))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ValueError(
            f"The recipe “{path}” is invalid ({error}); compare it with the recipe.json of a training."
        ) from error

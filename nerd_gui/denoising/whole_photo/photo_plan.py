"""Plans the memory of a whole photo's run: the size of the tiles, and where the iterates are stored."""

from dataclasses import dataclass

from nerd_gui.denoising.kept_memory import IN_MEMORY
from nerd_gui.denoising.memory_plan import (
    PAIR_DTYPE,
    MemoryPlan,
    budget_bytes,
    estimate_bytes,
    may_reuse,
    too_little,
    uncertain_bytes,
)
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.whole_photo.grid import grid
from nerd_gui.denoising.whole_photo.sample import first_halo, sample_settings, sample_shape
from nerd_gui.nerd import NerdConfig

#: Sides of tiles to choose from. Large tiles have relatively less halo; beyond the first value, time hardly falls.
CORES = (512, 384, 256, 128, 64)
_LEAST_HALO = 16  # pixels; a larger one does not make the equilibrium more accurate (see `PhotoRun`)
#: Memory of the libraries that choose the sample, and of its small parts, beside that of every run.
_SAMPLING = 40 << 20


@dataclass(frozen=True)
class PhotoPlan:
    """How the tiles of a photo are made to fit into the available memory.

    Attributes
    ----------
    memory : MemoryPlan
    core : int
        Largest side of a tile's core, in pixels.
    halo : int
        Pixels around its core that a tile is solved with.
    in_memory : int
        Bytes of iterates that are kept in memory; the others are in temporary files.
    """

    memory: MemoryPlan
    core: int
    halo: int
    in_memory: int


def halo_of(window: int) -> int:
    """The halo in pixels for a window q: twice the reach of the attention, but at least 16."""
    return max(_LEAST_HALO, 2 * (window // 2))


def plan_photo(config: NerdConfig, settings: RunSettings, channels: int, rows: int, cols: int, grain: int) -> PhotoPlan:
    """Choose the largest tiles that fit into memory.

    Raises
    ------
    RunError
        If no tiles fit; the message says how much memory is needed.
    """
    halo = halo_of(settings.window or config.window)
    budget = budget_bytes(settings)
    pictures = channels if config.channels == 1 else 1
    whole_halo = first_halo(halo, grain)
    count, tall, wide = sample_shape(rows, cols, halo, grain)
    sample = sample_settings(settings), pictures * count, tall, wide
    needed = 0
    for core in CORES:
        tiles = grid(rows, cols, core, whole_halo)
        tall, wide = (max(extent) for extent in zip(*(tile.shape for tile in tiles), strict=True))
        tile = settings, pictures, tall, wide
        parts = ((_SAMPLING + estimate_bytes(config, *part), uncertain_bytes(config, *part)) for part in (sample, tile))
        needed, uncertain = max(parts, key=sum)
        if needed + uncertain <= budget:
            kept = max(_SAMPLING + estimate_bytes(config, *part, reuse=True) for part in (sample, tile))
            reuse = may_reuse(settings, kept, budget)
            needed = kept if reuse else needed
            memory = MemoryPlan(needed, budget, PAIR_DTYPE, settings.memory, tiles=len(tiles), reuse=reuse)
            return PhotoPlan(memory, core, whole_halo, max(0, min(IN_MEMORY, budget - needed - uncertain)))
    raise too_little(needed, settings, budget)

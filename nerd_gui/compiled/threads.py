"""Work that several threads of the processor share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


def in_threads(work: Callable[[], None]) -> None:
    """Let as many threads as PyTorch uses do the `work`, which shares its tasks out; return when all have ended."""
    others = torch.get_num_threads() - 1
    if not others:
        work()
        return
    with ThreadPoolExecutor(others, "compiled") as pool:
        helpers = [pool.submit(work) for _ in range(others)]
        work()
        for helper in helpers:
            helper.result()

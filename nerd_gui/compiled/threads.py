"""Runs work on several CPU threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


def in_threads(work: Callable[[], None]) -> None:
    """Run `work`, which distributes its tasks itself, on as many threads as PyTorch uses; wait until all have ended."""
    others = torch.get_num_threads() - 1
    if not others:
        work()
        return
    with ThreadPoolExecutor(others, "compiled") as pool:
        helpers = [pool.submit(work) for _ in range(others)]
        work()
        for helper in helpers:
            helper.result()

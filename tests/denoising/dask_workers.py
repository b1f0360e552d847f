"""Dask workers as separate processes, without a nanny that would restart them."""

import asyncio
import multiprocessing

from distributed import Worker

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def start_workers(address, count):
    """Start worker processes with one thread each, which load PyTorch at the same time."""
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload(["nerd_gui.denoising.cluster", "distributed"])
    processes = [context.Process(target=_serve, args=(address,), daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    return processes


def _serve(address):
    asyncio.run(_work(address))


async def _work(address):
    async with Worker(address, nthreads=1, dashboard=False) as worker:
        await worker.finished()

"""Dask workers that are processes of their own, without a nanny that would start them again."""

import asyncio
import multiprocessing

from distributed import Worker

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def start_workers(address, count):
    """Start worker processes of one thread each, which load PyTorch together."""
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

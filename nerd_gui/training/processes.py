"""Training in several processes at once, as `torchrun` starts them.

Every process draws its own patches, and all use the mean of their gradients. The gradients are averaged together when
they are complete, and not by DistributedDataParallel. That expects one forward pass of a module, but f is evaluated
many times: by the solver without gradients, and then repeatedly by the unrolling of the phantom gradient. Sending
gradients while others are still computed would not be faster for a network of 0.35 to 1.4 M parameters.
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Processes:
    """One of several processes that train together, or a single process, for which all methods are trivial.

    All processes must call the methods in the same order.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this is the process that makes decisions, writes files and prints."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace the tensors in place by their mean over the processes, which is bit for bit the same in each."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten().to(self.device) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def agree(self, *numbers: float) -> list[float]:
        """Return the numbers of the first process in all processes; all wait for it."""
        if self.count == 1:
            return list(numbers)
        said = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.broadcast(said, src=0)
        return said.tolist()

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all processes, which must have the same shape, in the order of ranks."""
        if self.count == 1:
            return [tensor]
        sent = tensor.to(self.device)
        received = [torch.empty_like(sent) for _ in range(self.count)]
        dist.all_gather(received, sent)
        return received


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, if there are several; on CUDA each uses the GPU of its local rank."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device=device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    # The functions of this module keep the process group that exists at import as a default argument. So it is imported
    # before there is a group; otherwise the group's threads could abort the process when the interpreter shuts down.
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield Processes(dist.get_rank(), count, device)
    # Not called after an error: it would wait for the other processes, which torchrun ends.
    dist.destroy_process_group()

"""Training in several processes at once, as `torchrun` starts them.

Every process draws patches of its own; what they share is the mean of their gradients. It is taken over the finished
gradients, in one go, and not by DistributedDataParallel: that wants to see every use of a parameter in the one forward
of a module, whereas f is evaluated by the solver without gradients and then again and again by the phantom gradient's
unrolling. A network of 0.35 to 1.4 M parameters has nothing to gain from sending gradients while others are computed.
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
    """One process among those that train together; alone, everything it exchanges is its own.

    Every process has to call each of the methods, in the same order.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this is the process that decides, writes and prints."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace the tensors, in place, by their mean over the processes; to the bit the same in each."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten().to(self.device) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def agree(self, *numbers: float) -> list[float]:
        """The numbers of the first process, whatever the others give; all wait for it."""
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

"""The memory of the C library: freed memory is kept or returned, as requested."""

import subprocess
import sys

import pytest

_PROGRAM = """
import sys, threading
from nerd_gui import allocator
import psutil, torch
process = psutil.Process()
allocator.prepare()
allocator.set_reuse(sys.argv[1] == "reuse")

def work():
    before = process.memory_info().rss
    tensors = [torch.ones(20 << 20) for _ in range(2)]  # 80 MB each
    guard = torch.ones(1 << 8)
    during = process.memory_info().rss
    del tensors
    after = process.memory_info().rss
    allocator.trim()
    print(during - before, after - before, process.memory_info().rss - before)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
@pytest.mark.parametrize("way", ["reuse", "return"])
def test_freed_tensors_stay_until_trimmed_or_go_at_once(way):
    done = subprocess.run([sys.executable, "-c", _PROGRAM, way], capture_output=True, text=True, check=True)
    taken, kept, left = (int(size) >> 20 for size in done.stdout.split())
    assert taken >= 150
    assert kept >= 150 if way == "reuse" else kept < 30
    assert left < 30


_APART = """
from nerd_gui import allocator
import psutil, torch
rss = psutil.Process().memory_info
allocator.prepare()
allocator.set_reuse(True)
before = rss().rss
room = allocator.apart(80 << 20)
lasting = torch.frombuffer(room, dtype=torch.float32).fill_(1)
del room
held = rss().rss
del lasting
print(held - before, rss().rss - before, allocator.apart(1000), allocator.set_reuse(False), allocator.apart(80 << 20))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_a_lasting_tensor_lies_apart_from_memory_that_is_reused():
    done = subprocess.run([sys.executable, "-c", _APART], capture_output=True, text=True, check=True)
    held, left, small, _, returned = done.stdout.split()
    assert 78 <= int(held) >> 20 <= 90 and int(left) >> 20 <= 10
    assert small == returned == "None"  # neither a small one, nor where freed memory is returned anyway

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
address = room.ctypes.data
lasting = torch.from_numpy(room).view(torch.float32).fill_(1)
del room
held = rss().rss
del lasting
kept = rss().rss
again, other = allocator.apart(80 << 20), allocator.apart(80 << 20)
reused = again.ctypes.data == address and other.ctypes.data != address
del again
allocator.trim()
left = rss().rss
print(*((size - before) >> 20 for size in (held, kept, left)), reused, allocator.apart(1000))
allocator.set_reuse(False)
del other
print(allocator.apart(80 << 20), (rss().rss - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_a_lasting_tensor_lies_apart_and_its_memory_goes_to_the_next_one_until_trimmed():
    done = subprocess.run([sys.executable, "-c", _APART], capture_output=True, text=True, check=True)
    held, kept, left, reused, small, returned, at_last = done.stdout.split()
    assert 78 <= int(held) <= 90 and 78 <= int(kept) <= 90 and int(left) <= 10 and int(at_last) <= 10
    assert reused == "True"
    assert small == returned == "None"  # neither a small one, nor where freed memory is returned anyway

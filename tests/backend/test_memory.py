"""From the first model on, the process keeps freed memory; work between steps returns its memory to the system."""

import contextlib
import json
import mmap
import os
import platform
import resource
import subprocess
import sys

import numpy as np
import pytest

from keras_gan import GAN
from keras_gan.adversarial import model
from keras_gan.backend import memory

SETTINGS = ("MALLOC_", "GLIBC_TUNABLES")  # set by users, they take precedence
VALUES = 5_000_000  # 40 MB, which glibc maps anew each time by default

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")

# Allocates, fills and frees memory, as a step does with a tensor. Prints the page faults (median of nine times) before
# and after `keep_freed_memory`; then by how many bytes the process has grown after one more such tensor, and after one
# within `giving_back`. No framework is loaded.
SCRIPT = """
import json, os, resource, runpy, statistics, sys
import numpy as np

memory, values = runpy.run_path(sys.argv[1]), int(sys.argv[2])

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(values)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

found = [statistics.median(faults() for _ in range(9))]
memory["keep_freed_memory"]()
faults()
found.append(statistics.median(faults() for _ in range(9)))
with memory["giving_back"]():
    pass
before = resident()
np.ones(values)
found.append(resident() - before)
with memory["giving_back"]():
    np.ones(values)
found.append(resident() - before)
print(json.dumps(found))
"""


def measured(**environment):
    """The script's output, with no other memory settings in the environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    command = [sys.executable, "-c", SCRIPT, memory.__file__, str(VALUES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean | environment, check=True)
    return json.loads(done.stdout)


def test_freed_memory_is_kept_and_memory_freed_between_steps_is_given_back():
    before, after, kept, given_back = measured()
    assert before > 5 * after
    assert kept > 0.75 * 8 * VALUES > 0.25 * 8 * VALUES > given_back


def test_user_settings_take_precedence():
    before, after, kept, _ = measured(MALLOC_MMAP_MAX_="1000")
    assert before < 2 * after and kept < 0.25 * 8 * VALUES


def faults_of(do):
    """The page faults of a function: a minimum, because other threads have some too."""
    counts = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        do()
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return min(counts)


def fill_new_pages():
    with mmap.mmap(-1, 8 * VALUES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as new:
        with contextlib.suppress(OSError):  # a system without large pages
            new.madvise(mmap.MADV_HUGEPAGE)  # like NumPy
        pages = np.frombuffer(new, "float64")
        pages[:] = 1
        del pages


@pytest.mark.skipif(any(name.startswith(SETTINGS) for name in os.environ), reason="the environment has its own")
def test_memory_is_kept_from_the_first_model_on(monkeypatch):
    """The C library is configured before the model allocates anything."""
    configured = []

    def configure():
        configured.append(memory.keep_freed_memory())
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(model, "keep_freed_memory", configure)
        patch.setattr("keras.Model.__init__", lambda *arguments, **options: pytest.fail("the model allocated first"))
        GAN(dataset_name="drawn_digits")
    assert configured[0]
    GAN(dataset_name="drawn_digits")
    np.ones(VALUES)
    assert faults_of(fill_new_pages) > 5 * faults_of(lambda: np.ones(VALUES))

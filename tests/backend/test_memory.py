"""Freed memory stays with the process from the first model on, and what happens between steps gives its own back."""

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

SETTINGS = ("MALLOC_", "GLIBC_TUNABLES")  # the user's own, which come first
VALUES = 5_000_000  # 40 MB, which glibc by itself maps anew each time

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")

# Memory is taken, filled and freed, as a step does it with a tensor. Printed are how often the system has to find pages
# for it (the median of nine times) before and after the C library is told to keep what is freed; and by how many bytes
# the process has grown after one more such tensor, and after one within `giving_back`. No framework is loaded.
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
    """What the script prints, where the environment has no settings but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    command = [sys.executable, "-c", SCRIPT, memory.__file__, str(VALUES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean | environment, check=True)
    return json.loads(done.stdout)


def test_freed_memory_is_kept_and_what_samples_and_checkpoints_free_is_given_back():
    before, after, kept, given_back = measured()
    assert before > 5 * after
    assert kept > 0.75 * 8 * VALUES > 0.25 * 8 * VALUES > given_back


def test_the_settings_of_the_user_come_first():
    before, after, kept, _ = measured(MALLOC_MMAP_MAX_="1000")
    assert before < 2 * after and kept < 0.25 * 8 * VALUES


def faults_of(do):
    """How many pages the system has to find for this, at least: other threads may need some too."""
    counts = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        do()
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return min(counts)


def fill_new_pages():
    with mmap.mmap(-1, 8 * VALUES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as new:
        with contextlib.suppress(OSError):  # a system without large pages
            new.madvise(mmap.MADV_HUGEPAGE)  # as NumPy does it
        pages = np.frombuffer(new, "float64")
        pages[:] = 1
        del pages


@pytest.mark.skipif(any(name.startswith(SETTINGS) for name in os.environ), reason="the environment has its own")
def test_it_is_kept_from_the_first_model_on(monkeypatch):
    """The C library is told before the model makes anything."""
    told = []

    def tell():
        told.append(memory.keep_freed_memory())
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(model, "keep_freed_memory", tell)
        patch.setattr("keras.Model.__init__", lambda *arguments, **options: pytest.fail("something was made before"))
        GAN(dataset_name="drawn_digits")
    assert told[0]
    GAN(dataset_name="drawn_digits")
    np.ones(VALUES)
    assert faults_of(fill_new_pages) > 5 * faults_of(lambda: np.ones(VALUES))

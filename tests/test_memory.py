import platform

import pytest

SETTINGS = ("MALLOC_", "GLIBC_TUNABLES")  # the user's own, which come first

# What a step does with a tensor: 40 MB are taken, filled and freed; 10 times, after a model was built
SCRIPT = """
import resource
import numpy as np
from keras_gan import GAN

GAN(dataset_name="drawn_digits")
faults = []
for _ in range(11):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(5_000_000)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(sum(faults[1:]) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
@pytest.mark.parametrize("environment, kept", [({}, True), ({"MALLOC_MMAP_MAX_": "1000"}, False)])
def test_freed_memory_is_kept_unless_the_user_says_otherwise(output_of, environment, kept):
    """Pages of 4 kB that were mapped anew; of 2 MB where the system gives large ones."""
    faults = float(output_of(SCRIPT, SETTINGS, **environment).split()[-1])
    assert faults < 1 if kept else faults > 15


# 40 MB are taken and freed, without and with `giving_back`; MB by which the process has grown
GROWTH = """
import contextlib, os
from pathlib import Path
import numpy as np
from keras_gan import GAN
from keras_gan.backend.memory import giving_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

GAN(dataset_name="drawn_digits")
before = resident()
for context in (contextlib.nullcontext(), giving_back()):
    with context:
        np.ones(5_000_000)
    print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_what_samples_and_checkpoints_free_is_given_back(output_of):
    kept, given_back = map(float, output_of(GROWTH, SETTINGS).split()[-2:])
    assert kept > 30 and given_back < 10

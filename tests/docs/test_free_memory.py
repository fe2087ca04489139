"""What memory is free, as the machine, a container and the process' own limit tell."""

import math
import sys

import pytest

from keras_gan import console
from keras_gan.machine import memory

SCRIPT = """
import resource
from keras_gan.machine import memory
free = memory.available()
resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
assert 0 < memory.available() < 10**9 < free or free < 10**9, (free, memory.available())
print(memory.fault_of(10**9), memory.fault_of(10**7))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_limit_of_the_process_counts(output_of):
    told = output_of(SCRIPT, without="KERAS")
    assert told.startswith("it takes 1 GB of memory, and ") and told.endswith(" MB are free None")


def test_the_limit_of_a_container_counts(tmp_path):
    files = tmp_path / "limit", tmp_path / "used"
    assert memory.of_container(*files) == math.inf
    for limit, free in (("max\n", math.inf), ("5000\n", 4000)):
        files[0].write_text(limit)
        files[1].write_text("1000\n")
        assert memory.of_container(*files) == free


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 MB"), (7e7, "70 MB"), (1.5e9, "1.5 GB"), (4e13, "40 TB"), (1e25, "1e+10 PB")]
)
def test_sizes_as_text(size, text):
    assert memory.in_units(size) == text


@pytest.mark.parametrize("text", ["", "Unable to allocate 3. GiB for an array"])
def test_a_lack_of_memory_ends_a_command_in_one_line(text, capsys):
    with pytest.raises(SystemExit) as stop, console.one_line_errors():
        raise MemoryError(text) if text else MemoryError
    said = capsys.readouterr().err
    assert stop.value.code == 2 and len(said.splitlines()) == 1
    assert said.startswith("error: the machine has too little memory") and text in said

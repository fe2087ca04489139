"""The memory that the machine can still give, to ask before much is taken: Linux promises more than it has, then kills.

Not known on every system; then there seems to be no limit.
"""

import contextlib
import math
import os
from pathlib import Path

try:
    import resource
except ModuleNotFoundError:  # Windows
    resource = None  # type: ignore[assignment]

SMALL = 2**26  # bytes that need no asking
#: Files with the limit and the use of a container, in the second and the first version of control groups.
CONTAINER = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def fault_of(needed: float) -> str | None:
    """Why so many bytes are too many, such as "it takes 4 TB of memory, and 12.3 GB are free"; None if they are not."""
    free = math.inf if needed < SMALL else available()
    return None if needed <= free else f"it takes {in_units(needed)} of memory, and {in_units(free)} are free"


def available() -> float:
    """The bytes that this process can still get."""
    return max(0, min(of_machine(), *(of_container(*files) for files in CONTAINER), of_process()))


def of_machine() -> float:
    """The free bytes of the machine, caches included."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return math.inf


def of_container(limit: str, used: str) -> float:
    """The free bytes of the container that the process runs in."""
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
        return int(Path(limit).read_text()) - int(Path(used).read_text())
    return math.inf


def of_process() -> float:
    """The bytes up to the process' own limit (RLIMIT_AS, as `ulimit -v` sets it)."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0] if resource else -1
    if resource is None or limit == resource.RLIM_INFINITY:
        return math.inf
    with contextlib.suppress(OSError, ValueError):
        return limit - int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return limit


def in_units(size: float) -> str:
    """A number of bytes as text, such as "1.5 GB"."""
    power = min(5, max(2, int(math.log(max(size, 1), 1000))))
    return f"{size / 1000**power:.3g} {' kMGTP'[power]}B"

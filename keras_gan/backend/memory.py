"""Keeps freed memory in the process, so that each training step reuses the memory of the previous one."""

import contextlib
import ctypes
import functools
import os
import sys
from collections.abc import Iterator

# From glibc's malloc.h: never trim the heap, allocate large blocks on the heap, use a single heap.
TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8
OPTIONS = {TRIM_THRESHOLD: -1, MMAP_MAX: 0, ARENA_MAX: 1}


@functools.cache
def keep_freed_memory() -> ctypes.CDLL | None:
    """Makes glibc keep freed memory; call it before the first tensor is made. Further calls do nothing.

    A step allocates gigabytes, tensor by tensor. By default glibc maps many tensors anew in every step, and the kernel
    zeroes each page on first access. User settings in the environment (`MALLOC_...`, `GLIBC_TUNABLES`) take precedence:
    then this does nothing, as with other C libraries.

    Returns:
        The C library if it was configured, else None.
    """
    user_settings = [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]
    library = ctypes.CDLL(None) if sys.platform == "linux" and not user_settings else None
    if library is None or not hasattr(library, "mallopt"):
        return None
    for option, value in OPTIONS.items():
        library.mallopt(option, value)
    return library


@contextlib.contextmanager
def giving_back() -> Iterator[None]:
    """On exit, returns free memory to the system. For work between steps: steps would not reuse its memory."""
    try:
        yield
    finally:
        library = keep_freed_memory()
        if library:
            library.malloc_trim(0)

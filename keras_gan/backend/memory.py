"""Freed memory stays with the process, so that a step finds what the one before it has left."""

import contextlib
import ctypes
import functools
import os
import sys

# Of glibc's malloc.h: keep what is free at the end of the heap, have large blocks in the heap, have one heap.
TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8
OPTIONS = {TRIM_THRESHOLD: -1, MMAP_MAX: 0, ARENA_MAX: 1}


@functools.cache
def keep_freed_memory():
    """Has the C library give no freed memory back to the system, once; to be called before the first tensor is made.

    A step takes gigabytes, a tensor at a time. By itself glibc maps many of them anew in every step, in which the
    system clears each page when it is first touched. Nothing is done where the environment has settings of its own
    (`MALLOC_...`, `GLIBC_TUNABLES`) or the library is another.

    Returns:
        The library if it was told so, else None.
    """
    of_the_user = [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]
    library = ctypes.CDLL(None) if sys.platform == "linux" and not of_the_user else None
    if not hasattr(library, "mallopt"):
        return None
    for option, value in OPTIONS.items():
        library.mallopt(option, value)
    return library


@contextlib.contextmanager
def giving_back():
    """Gives back what is free at the end of this: what happens between steps leaves other memory than they use."""
    try:
        yield
    finally:
        library = keep_freed_memory()
        if library:
            library.malloc_trim(0)

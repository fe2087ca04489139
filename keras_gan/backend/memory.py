"""Freed memory stays with the process, so that a step finds what the one before it has left."""

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

    A step takes gigabytes, a tensor at a time. By itself glibc maps most of them anew in every step, in which the
    system clears each page when it is first touched: that can take longer than what is computed. Nothing is
    done where the environment has settings of its own (`MALLOC_...`, `GLIBC_TUNABLES`) or the library is another.
    """
    of_the_user = [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]
    if sys.platform != "linux" or of_the_user:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in OPTIONS.items():
            mallopt(option, value)

"""Describes the machine, and measures matrix products and memory copies on all cores.

echo | python benchmarks/machine.py
"""

import json
import os
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SIDE = 2048
COPIED = 2**28  # bytes
TINY = 64, 2**16  # of both, where the figures mean nothing


def describe():
    """Returns one line: the CPU, its cores and its vector instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    of = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = of.get("model name") or platform.processor() or platform.machine()
    flags = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_bf16": "AMX BF16"}
    flags = [text for flag, text in flags.items() if flag in of.get("flags", "").split()]
    return ", ".join([f"{os.cpu_count()} cores of {name}", *flags])


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def serve(side, copied):
    """Answers each line on stdin: operations per second of two matrix products, bytes per second of a copy.

    `side` is that of the matrices, `copied` the bytes.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf

    matrices = {name: tf.cast(tf.random.normal((side, side)), name) for name in ("float32", "bfloat16")}
    product = tf.function(tf.linalg.matmul)
    cores = os.cpu_count()
    source, target = np.ones((2, cores, copied // cores), "uint8")

    def copy():
        list(pool.map(np.copyto, target, source))

    with ThreadPoolExecutor(cores) as pool:
        for _ in sys.stdin:
            rates = {}
            for name, matrix in matrices.items():
                best = min(seconds(lambda matrix=matrix: product(matrix, matrix).numpy()) for _ in range(3))
                rates[name] = 2 * side**3 / best
            rates["copy"] = 2 * copied / min(seconds(copy) for _ in range(3))  # read and written
            print(json.dumps(rates), flush=True)


if __name__ == "__main__":
    serve(*(TINY if "--tiny" in sys.argv else (SIDE, COPIED)))

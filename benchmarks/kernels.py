"""Counts what XLA makes of a step for a GPU, on a machine without one: kernels, the memory they move, their kinds.

    pip install "jax[cuda12]"                       compiles for a GPU, without one
    python benchmarks/kernels.py                    DiscoGAN at 128x128, batch 1 and 16
    python benchmarks/kernels.py --settings cyclegan-1 --dtype bfloat16 --largest 20

Nothing is timed. The step is compiled for an NVIDIA H100 with JAX's default settings, but without trying which of
several kernels is fastest. The bytes of a kernel are those of its arguments and results, as if it read them whole.
"""

import argparse
import collections
import math
import os
import re
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["KERAS_GAN_COMPILE_CACHE"] = "0"  # which cannot read programs for a device that is not here
os.environ.setdefault("JAX_PLATFORMS", "cpu")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "contestants")]

from keras_gan.backend import operations  # noqa: E402

import host  # noqa: E402
import jax  # noqa: E402
from gpu import SETTINGS  # noqa: E402
from jax.experimental import topologies  # noqa: E402
from ours import model  # noqa: E402
from worker import noise  # noqa: E402

H100 = """
gpu_device_info {
  cuda_compute_capability { major: 9 } core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  shared_memory_per_block: 49152 shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 device_memory_size: 84978434048
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 }
runtime_version { major: 12 minor: 9 }
device_description_str: "NVIDIA H100"
"""
BYTES = {"f32": 4, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "pred": 1, "u8": 1, "f64": 8, "s64": 8, "u64": 8}
NOT_KERNELS = {"parameter", "get-tuple-element", "tuple", "bitcast", "constant", "after-all"}
INSTRUCTION = re.compile(r"\s*(?:ROOT )?%(?P<name>[\w.\-]+) = (?P<type>\(.*?\)|\S+) (?P<what>[\w\-]+)\((?P<of>[^)]*)\)")


def compiled(setting):
    """Returns the text of the program that XLA makes of a step, and the bytes that it needs for results in between."""
    try:
        device = topologies.get_topology_desc(platform="cuda", target_config=H100, topology="1x1x1").devices[0]
    except NotImplementedError:
        sys.exit('JAX cannot compile for a GPU here: pip install "jax[cuda12]"')
    on_device = jax.sharding.SingleDeviceSharding(device)
    gan = model(setting)
    gan.make_train_function()

    def like(x):
        return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=on_device)

    state = [[like(variable.value) for variable in part] for part in host.step_state(gan)]
    batch = tuple(map(like, noise(setting)))
    program = jax.jit(gan.train_step, donate_argnums=0).lower(state, batch).compile()
    return program.as_text(), program.memory_analysis().temp_size_in_bytes


def size(types):
    """Returns the bytes of all arrays in a text of types."""
    arrays = re.findall(r"(\w+)\[([\d,]*)\]", types)
    return sum(BYTES.get(dtype, 4) * math.prod(map(int, filter(None, shape.split(",")))) for dtype, shape in arrays)


def kernels(text):
    """Returns (kind, bytes, types) of each kernel of a program."""
    entry = text[text.index("\nENTRY") :].partition("\n}")[0]
    types, found = {}, []
    for line in entry.splitlines():
        match = INSTRUCTION.match(line)
        if not match:
            continue
        types[match["name"]] = match["type"]
        if match["what"] in NOT_KERNELS:
            continue
        arguments = [types[name] for name in re.findall(r"%([\w.\-]+)", match["of"])]
        moved = size(match["type"]) + sum(map(size, arguments))
        found.append((kind_of(match, line), moved, f"{match['type']} from {', '.join(arguments)}"))
    return found


def kind_of(match, line):
    """Returns what a reader calls a kernel."""
    called = re.search(r'custom_call_target="__(\w+)', line)
    if called or "gemm" in match["name"]:
        return "convolutions and products"
    for word, kind in {"transpose": "rearranging", "copy": "copying", "reduce": "sums"}.items():
        if word in match["name"]:
            return kind
    return "elementwise"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["discogan-1", "discogan-16"])
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--largest", type=int, default=0, help="also list the kernels that move most")
    parser.add_argument("--forms-for-cpu", action="store_true", help="compile the forms of layers for a CPU instead")
    args = parser.parse_args()
    operations.on_gpu = lambda: not args.forms_for_cpu
    for name in args.settings:
        text, between = compiled(SETTINGS[name] | {"dtype": args.dtype})
        found = kernels(text)
        count, moved = collections.Counter(), collections.Counter()
        for kind, of_it, _ in found:
            count[kind] += 1
            moved[kind] += of_it
        gigabytes = sum(moved.values()) / 1e9
        print(f"\n{name}: {len(found)} kernels move {gigabytes:.2f} GB; {between / 1e9:.2f} GB between\n")
        print("| kind | kernels | GB moved |\n|---|---|---|")
        for kind, n in count.most_common():
            print(f"| {kind} | {n} | {moved[kind] / 1e9:.2f} |")
        for _, of_it, types in sorted(found, key=lambda kernel: -kernel[1])[: args.largest]:
            print(f"{of_it / 1e6:9.1f} MB  {types[:150]}")


if __name__ == "__main__":
    main()

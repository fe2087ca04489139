"""Features of the processor."""

from pathlib import Path

CPU = Path("/proc/cpuinfo")
HAS_BFLOAT16 = CPU.exists() and bool({"avx512_bf16", "amx_bf16"} & set(CPU.read_text().split()))

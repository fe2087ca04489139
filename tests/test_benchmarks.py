"""That the benchmarks run; what they measure is theirs to say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
SMALL = {
    "DiscoGAN's speed": ["speed.py", "--image-size", "32", "--filters", "4", "--rounds", "1"],
    "CycleGAN's speed": ["speed_cyclegan.py", "--sizes", "32", "--recipes", "unet", "--rounds", "1"],
    "the toy experiment": ["learning_family.py", "toy", "--iterations", "0"],
}


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", SMALL)
def test_a_benchmark_prints_its_table(benchmark, tmp_path):
    script, *arguments = SMALL[benchmark]
    command = [sys.executable, BENCHMARKS / script, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n|") >= 3

"""The Slurm script of docs/many-devices.md, with stand-ins for what a cluster has."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "many-devices.md"
STAND_INS = {
    "scontrol": 'echo "node7\nnode8"',
    "srun": 'shift; for n in 0 1; do SLURM_PROCID=$n "$@"; done',
    "python": 'echo "$JAX_COORDINATOR_ADDRESS $JAX_NUM_PROCESSES $JAX_PROCESS_ID $KERAS_BACKEND $*"',
}


@pytest.mark.skipif(os.name == "nt", reason="needs bash")
def test_each_task_knows_its_place(tmp_path):
    (script,) = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, lines in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{lines}\n")
        (tmp_path / name).chmod(0o755)
    cluster = {"SLURM_JOB_NODELIST": "node[7-8]", "SLURM_NTASKS": "2", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=os.environ | cluster, capture_output=True, text=True, check=True)
    options = "--dataset /shared/pairs --output /shared/runs/shoes --devices all --batch-size 128"
    expected = [f"node7:29500 2 {number} jax -m keras_gan.discogan {options}" for number in (0, 1)]
    assert done.stdout.splitlines() == expected

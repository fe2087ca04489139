"""LSGAN, added by following docs/add-a-model.md. Other tests cover it by its row in `support.models.MODELS`."""

import subprocess
import sys

import numpy as np
import pytest
from support import lsgan
from support.commands import run_here
from support.lsgan import LSGAN

pytestmark = pytest.mark.slow


@pytest.fixture
def build():
    return lambda **options: LSGAN((32, 32, 3), gf=4, df=4, **options)


def test_lsgan_has_the_losses_of_the_paper(build):
    gan = build()
    verdicts = np.array([[0.5], [-1.0]], "float32")
    for part in gan.parts:
        assert float(part.compute_loss(y=np.ones_like(verdicts), y_pred=verdicts)) == pytest.approx((0.25 + 4) / 2)


def test_lsgan_has_a_command_line_and_can_be_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny = ["--image-size", "32", "--filters", "4", "--batch-size", "4", "--steps-per-epoch", "2", "--seed", "0"]
    run_here(LSGAN, *tiny, "--epochs", "1")
    assert "runs/lsgan-drawn_shoes-1/models/generator.keras" in capsys.readouterr().out
    run_here(LSGAN, "--resume", "--epochs", "2")
    assert "epoch 2/2" in capsys.readouterr().out


def test_lsgan_is_a_program():
    done = subprocess.run([sys.executable, lsgan.__file__, "--epochs", "0x"], capture_output=True, text=True)
    assert done.returncode == 2 and "invalid int value: '0x'" in done.stderr

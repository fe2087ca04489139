"""A GAN that was added as docs/architecture.md says. That its code is the page's is in test_documents.py."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lsgan import LSGAN
from support.commands import run_here
from support.models import loop_of_the_keras_posts

# Collected here, these hold the new model to what holds for every model.
from test_models import (  # noqa: F401
    test_a_discriminator_update_moves_that_discriminator_alone,
    test_a_generator_update_moves_the_generators_alone,
    test_a_step_moves_everyone_and_the_same_seed_gives_the_same_losses,
    test_every_network_is_named_and_compiled_parts_know_their_losses,
    test_real_and_fake_never_share_a_batch_of_statistics,
    test_the_fixed_sample_is_the_same_pictures_and_what_the_networks_now_make_of_them,
    test_training_writes_grids_networks_and_history_and_is_traced_once,
)

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.fixture
def build():
    return lambda **options: LSGAN((32, 32, 3), gf=4, df=4, **options)


@pytest.fixture(scope="module")
def built():
    return LSGAN((32, 32, 3), gf=4, df=4)


def test_its_step_is_the_loop_of_the_posts_by_least_squares(build, batch):
    ours, theirs = build(seed=3), build(seed=3)
    for step in range(2):
        imgs, _ = batch(size=2, seed=step)
        logs, expected = ours.train_on_batch(imgs, return_dict=True), loop_of_the_keras_posts(theirs, imgs)
        np.testing.assert_allclose([logs[name] for name in expected], list(expected.values()), rtol=1e-4)


def test_its_losses_are_those_of_the_paper(build):
    gan = build()
    verdicts = np.array([[0.5], [-1.0]], "float32")
    for part in gan.parts:
        assert float(part.compute_loss(y=np.ones_like(verdicts), y_pred=verdicts)) == pytest.approx((0.25 + 4) / 2)


def test_it_has_a_command_line_and_can_be_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny = ["--image-size", "32", "--filters", "4", "--batch-size", "4", "--steps-per-epoch", "2", "--seed", "0"]
    run_here(LSGAN, *tiny, "--epochs", "1")
    assert "runs/lsgan-drawn_shoes-1/models/generator.keras" in capsys.readouterr().out
    run_here(LSGAN, "--resume", "--epochs", "2")
    assert "epoch 2/2" in capsys.readouterr().out


def test_its_file_is_a_program():
    done = subprocess.run([sys.executable, HERE / "lsgan.py", "--epochs", "0x"], capture_output=True, text=True)
    assert done.returncode == 2 and "invalid int value: '0x'" in done.stderr

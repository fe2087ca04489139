"""Runs of earlier versions, in which some models were recipes of others, can be resumed."""

import json

import h5py
import numpy as np
import pytest
from support.commands import check_complaint, run_here
from support.models import MODELS
from support.resuming import EVERY_STEP, check_same, cut_back
from support.scoring import scores

from keras_gan import CycleGAN, DiscoGAN, DiscoGANPaper
from keras_gan.errors import BadValueError
from keras_gan.files import write_json
from keras_gan.training import checkpoints, old_runs, run_folder
from keras_gan.training.checkpoints import WEIGHTS

OLD = {  # old class and arguments; today's class, command and arguments
    "discogan": ("DiscoGAN", {"recipe": "post"}, ("DiscoGAN", "discogan", {})),
    "paper": ("DiscoGAN", {"recipe": "paper"}, ("DiscoGANPaper", "discogan_paper", {"game": "discogan"})),
    "gan": ("DiscoGAN", {"recipe": "gan"}, ("DiscoGANPaper", "discogan_paper", {"game": "gan"})),
    "unet": ("CycleGAN", {"recipe": "unet", "pool_size": None}, ("CycleGAN", "cyclegan", {})),
    "pool": ("CycleGAN", {"recipe": "resnet", "pool_size": 7}, ("CycleGANPaper", "cyclegan_paper", {"pool_size": 7})),
    "no recipe": ("Pix2Pix", {"gf": 4}, ("Pix2Pix", "pix2pix", {"gf": 4})),
}


@pytest.mark.parametrize("case", OLD)
def test_recipes_become_models(case, tmp_path):
    kind, arguments, expected = OLD[case]
    config = {"class": kind, "model": kind.lower(), "arguments": arguments, "seed": 1}
    write_json(tmp_path / run_folder.CONFIG, config)
    found = run_folder.read_config(tmp_path)
    assert (found["class"], found["model"], found["arguments"]) == expected and found["seed"] == 1


def as_before(run, kind, **arguments):
    """Converts a run to the format of an earlier version: its arguments, and the layout of its weights."""
    config = json.loads((run / run_folder.CONFIG).read_text())
    config |= {"class": kind, "model": kind.lower(), "arguments": config["arguments"] | arguments}
    config["arguments"].pop("game", None)
    config.pop("sum")
    (run / run_folder.CONFIG).write_text(json.dumps(config))
    for folder in checkpoints.names(run / "checkpoints"):
        state = json.loads((folder / checkpoints.STATE).read_text())
        del state["config"], state["compiled"]
        (folder / checkpoints.STATE).write_text(json.dumps(state))
        with h5py.File(folder / WEIGHTS, "r+") as file:
            for old, new in old_runs.MOVED.get(kind, {}).items():
                if new in file:
                    file.move(new, old)
        sums = [f"{checkpoints.checksum(folder / name):08x} {name}\n" for name in (WEIGHTS, checkpoints.STATE)]
        (folder / checkpoints.SUMS).write_text("".join(sums))
    return run


RUNS = {
    "discogan": ("DiscoGAN", {"recipe": "post", "adversarial_loss": None, "distance": None, "average": False}),
    "discogan paper": ("DiscoGAN", {"recipe": "paper"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("model", RUNS)
def test_an_old_run_resumes_to_the_same_result(model, tmp_path, monkeypatch, capsys):
    gan = MODELS[model](seed=7, output=tmp_path / "run")
    gan.train(**EVERY_STEP, quiet=True)
    kind, arguments = RUNS[model]
    copy = as_before(cut_back(tmp_path / "run", tmp_path / "copy", iteration=2), kind, **arguments)
    before = {path: path.read_bytes() for path in (copy / "checkpoints").rglob("*") if path.is_file()}
    check_same(gan, type(gan).resume(copy))
    assert all(path.read_bytes() == content for path, content in before.items())  # the old checkpoints stay unchanged
    assert not list((copy / "checkpoints").glob(".*"))
    if model == "discogan paper":
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit):
            run_here("discogan", "--resume", "copy")
        check_complaint(capsys.readouterr().err, "python -m keras_gan.discogan_paper --resume copy")


THIN = {"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes", "seed": 0}
WEIGHTED = {"adversarial_weight": 2.0, "translation_weight": 3.0, "reconstruction_weight": 5.0, "average": True}


@pytest.mark.usefixtures("eagerly")
def test_removed_options_still_compile_the_same_losses(batch):
    A, B = batch()
    gan = DiscoGAN.from_arguments(THIN | WEIGHTED | {"adversarial_loss": "bce", "distance": "mse"})
    figures = scores(gan, A, B)
    weights = {"valid": 1.0, "fake": 1.5, "reconstr": 2.5}
    terms = {name: value for name, value in figures.items() if name != "loss"}
    expected = sum(value * weights[name.split("_")[0]] for name, value in terms.items())
    np.testing.assert_allclose(figures["loss"], expected, rtol=1e-5)
    back = np.asarray(gan.g_BA(gan.g_AB(A)))
    np.testing.assert_allclose(terms["reconstr_A_loss"], np.mean((back - A) ** 2), rtol=1e-4)
    gan.d_A.set_weights([0 * weight for weight in gan.d_A.get_weights()])
    np.testing.assert_allclose(scores(gan, A, B)["valid_A_loss"], np.log(2), rtol=1e-5)
    assert np.isfinite(gan.train_on_batch(A, B)).all()


def test_removed_options_of_the_paper_model_scale_its_curriculum():
    gan = DiscoGANPaper.from_arguments(THIN | WEIGHTED | {"game": "gan", "adversarial_loss": None, "distance": None})
    gan.before_step()
    found = {kind: float(variable) for kind, variable in gan.weights_now.items()}
    assert found == pytest.approx({"valid": 0.1, "features": 0.45, "reconstr": 0.0})


def test_the_error_for_a_recipe_names_its_model():
    with pytest.raises(BadValueError, match="python -m keras_gan.cyclegan_paper"):
        CycleGAN(recipe="resnet")


@pytest.mark.parametrize(("before", "now"), [(True, "horizontal"), (False, "none"), ("both", "both"), ([], [])])
def test_whether_a_run_flipped_is_how_it_did(before, now):
    config = {"class": "CycleGAN", "arguments": {"flip": before}, "loader": {"class": "L", "flip": before}}
    upgraded = old_runs.upgraded(config)
    assert upgraded["arguments"]["flip"] == upgraded["loader"]["flip"] == now

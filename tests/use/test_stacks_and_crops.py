"""What a run that stacks several folders, makes other channels or saw random crops tells translate and evaluate."""

import numpy as np
import pytest
from PIL import Image
from support.commands import translate_here as command
from support.pictures import opened
from support.runs import copy_run

from keras_gan import Pix2Pix, evaluate, generators, translate
from keras_gan.demo.__main__ import opened as opened_for_the_page
from keras_gan.errors import BadValueError
from keras_gan.files import write_json
from keras_gan.images.arrays import read_array
from keras_gan.training import run_folder
from keras_gan.training.compiled import loader_config
from keras_gan.training.options import as_json
from keras_gan.translate.trained import scale_of

pytestmark = pytest.mark.usefixtures("opening_once")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of 10 pictures of the same names: gray depth, colour photos, gray masks."""
    top, rng = tmp_path_factory.mktemp("folders"), np.random.default_rng(0)
    for name, shape in {"depth": (32, 40), "photos": (32, 40, 3), "masks": (32, 40)}.items():
        (top / name / "more").mkdir(parents=True)
        for number in range(10):
            place = top / name / ("more" if number == 5 else "")
            Image.fromarray(rng.integers(0, 256, shape, "uint8")).save(place / f"{number}.png")
    return top


@pytest.fixture(scope="module")
def stacking(folders, tmp_path_factory):
    """The run of a tiny Pix2Pix from depth and photos to masks."""
    run = tmp_path_factory.mktemp("runs") / "run"
    A = [str(folders / "depth"), str(folders / "photos")]
    options = {"shape_B": (24, 24, 1), "gf": 2, "df": 2, "dataset_A": A, "dataset_B": str(folders / "masks")}
    gan = Pix2Pix((24, 24, 3), **options, seed=0, output=run)
    gan.save_networks()
    arguments = as_json(gan.constructor_arguments) | {"dtype_policy": "float32"}
    config = {"model": gan.name, "class": "Pix2Pix", "arguments": arguments, "seed": 0}
    write_json(run / run_folder.CONFIG, config | {"loader": loader_config(gan.data_loader)})
    return run


def test_pictures_of_the_same_name_are_stacked_and_gray_is_written_as_gray(stacking, folders, tmp_path):
    out = tmp_path / "out"
    assert command(stacking, folders / "depth", folders / "photos", "--output", out, "--grid") == 0
    assert {str(path.relative_to(out)) for path in out.rglob("*.png")} >= {"0.png", "more/5.png", "grid.png"}
    written = opened(out / "more" / "5.png")
    assert written.mode == "L" and written.size == (24, 24)
    depth, photo = (
        read_array(folders / name / "more" / "5.png", count) for name, count in (("depth", 1), ("photos", 3))
    )
    assert command(stacking, *(folders / name / "more" / "5.png" for name in ("depth", "photos")), "--size", "original",
                   "--output", tmp_path / "one") == 0  # fmt: skip
    pixels = np.concatenate([depth, photo], axis=2)
    (expected,) = translate(stacking, [pixels // 257 * np.uint16(257)])
    assert np.abs(np.asarray(opened(tmp_path / "one" / "5.png"), int)[..., None] - expected / 257).max() <= 1


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            ["depth"],
            "the run stacks pictures of 2 folders, .*depth, .*photos: name as many inputs, in this order, not 1",
        ),
        (["depth", "photos", "masks"], "in this order, not 3"),
        (["depth", "photos/more"], "0.png has no picture of the same name in '.*more' to stack behind it"),
    ],
)
def test_inputs_that_cannot_be_stacked_are_one_line(stacking, folders, tmp_path, capsys, inputs, message):
    assert command(stacking, *(folders / name for name in inputs), "--output", tmp_path / "out") == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(complaint)
    assert not (tmp_path / "out").exists()


def test_films_cannot_be_stacked(stacking, folders, tmp_path, capsys):
    frames = [Image.new("RGB", (24, 24), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert command(stacking, folders / "depth" / "0.png", tmp_path / "two.gif", "--output", tmp_path / "out") == 2
    assert "two.gif is an animation or a video: only pictures can be stacked" in capsys.readouterr().err


def test_the_page_refuses_a_stack(stacking):
    with pytest.raises(BadValueError, match="maps 4 to 1 channels: the page supports 1 or 3"):
        opened_for_the_page(stacking)


@pytest.mark.parametrize("names", [None, ["depth", "photos", "masks"]])
def test_a_run_that_stacks_is_evaluated_on_its_own_or_other_folders(stacking, folders, names):
    config = run_folder.read_config(stacking)
    loader = evaluate.loader_of(config, [folders / name for name in names] if names else None)
    assert loader.stacked == (1, 3) and loader.dataset_name == "depth+photos2masks"
    assert next(loader.load_batch(1, is_testing=True))[0].shape == (1, 24, 24, 4)


def test_as_many_data_sets_as_the_run_has_folders_are_taken(stacking, folders):
    with pytest.raises(BadValueError, match=r"Pix2Pix takes at most 3 data set\(s\), not 4"):
        evaluate.loader_of(run_folder.read_config(stacking), ["depth", "photos", "masks", "more"])


@pytest.mark.parametrize(
    ("load_size", "given", "expected"),
    [(None, None, (60, 40)), (None, "original", (60, 40)), (36, None, (54, 36)), (36, 20, (30, 20))],
)
def test_after_random_crops_pictures_are_translated_at_the_scale_of_training(
    saved, tmp_path, load_size, given, expected
):
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", fit="random-crop", load_size=load_size)
    Image.new("RGB", (60, 40), "red").save(tmp_path / "photo.png")
    options = ["--size", given] if given else []
    assert command(run, tmp_path / "photo.png", "--half", "whole", "--output", tmp_path / "out", *options) == 0
    assert opened(tmp_path / "out" / "photo.png").size == expected
    generator = generators.find(run)
    assert (scale_of(generator), generator.fit) == (load_size or "original", "crop")  # the page crops the middle

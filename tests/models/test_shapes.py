"""Domains with different channels, and several folders as one domain."""

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gan import CycleGAN, DiscoGAN, DiscoGANPaper, DiscoGANPyTorch, Pix2Pix
from keras_gan.errors import BadValueError

THIN = {"gf": 2, "df": 2, "dataset_name": "drawn_shoes", "seed": 0}
SIDE = {DiscoGANPyTorch: 64}  # the smallest pictures of a model, if they are larger than 32x32
MODELS = [Pix2Pix, DiscoGAN, DiscoGANPaper, DiscoGANPyTorch]


@pytest.fixture
def unbuilt(monkeypatch):
    """Builds no network, since only the data are looked at."""

    def built(*arguments, **options):
        raise AssertionError("a network is built")

    for kind in (Pix2Pix, CycleGAN):
        monkeypatch.setattr(kind, "build_discriminator", built)


@pytest.fixture
def folders(tmp_path):
    """Folders of ten pictures of the same names: gray depth, photos, arrays of two channels, and targets."""
    rng = np.random.default_rng(0)
    for number in range(10):
        for name, shape in {
            "depth": (24, 24),
            "photos": (24, 24, 3),
            "bands": (24, 24, 2),
            "targets": (24, 24, 3),
        }.items():
            (tmp_path / name).mkdir(exist_ok=True)
            pixels = rng.integers(0, 256, shape, "uint8")
            if name == "bands":
                np.save(tmp_path / name / f"{number}.npy", pixels)
            else:
                Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return {path.name: str(path) for path in tmp_path.iterdir()}


@pytest.mark.parametrize("kind", MODELS)
def test_the_networks_have_the_channels_of_their_domains(kind, monkeypatch):
    monkeypatch.setattr(kind, "build_combined", lambda self: pytest.skip("built"))
    side = SIDE.get(kind, 32)
    A, B = ((side, side, count) for count in (1, 3))
    built = []

    def noted(self, method, *arguments, **options):
        built.append(method(self, *arguments, **options))
        return built[-1]

    for name in ("build_generator", "build_discriminator"):
        method = getattr(kind, name)
        monkeypatch.setattr(
            kind, name, lambda self, *given, method=method, **options: noted(self, method, *given, **options)
        )
    with pytest.raises(pytest.skip.Exception):
        kind(shape_A=A, shape_B=B, **THIN)
    generators = [(x.input_shape[1:], x.output_shape[1:]) for x in built if x.name in ("g_AB", "g_BA", "generator")]
    judges = [keras.tree.flatten(x.inputs) for x in built if x.name in ("d_A", "d_B", "discriminator")]
    assert generators == ([(A, B)] if kind is Pix2Pix else [(A, B), (B, A)])
    assert [tuple(tensor.shape[1:]) for inputs in judges for tensor in inputs] == [A, B]


@pytest.mark.usefixtures("eagerly")
def test_gray_becomes_colour_in_the_grids(tmp_path):
    gan = Pix2Pix(shape_A=(32, 32, 1), shape_B=(32, 32, 3), output=tmp_path / "run", **THIN)
    A, B = gan.data_loader.load_data(2)
    assert A.shape == (2, 32, 32, 1) and B.shape == (2, 32, 32, 3)
    assert gan.generator.predict_on_batch(A).shape == B.shape
    assert gan.sample_images(0, 0).exists() and gan.fixed_sample().figures["L1_A_to_B"] > 0


def test_both_shapes_have_the_same_size(unbuilt):
    with pytest.raises(BadValueError, match=r"shape_A \(64, 64, 1\) and shape_B \(256, 256, 3\) need the same height"):
        Pix2Pix(shape_A=(64, 64, 1), **THIN)


def opened(kind, folders, names, **options):
    """The data loader of a model for several folders."""
    loaders = []

    class Opening(kind):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "data_loader":
                loaders.append((value, self.constructor_arguments))
                raise AssertionError("a network is built")

    given = {"img_shape": (32, 32, 3), "dataset_A": [folders[name] for name in names], "dataset_B": folders["targets"]}
    with pytest.raises(AssertionError, match="a network is built"):
        Opening(**given | options, seed=0)
    return loaders[0]


@pytest.mark.parametrize("kind", [Pix2Pix, CycleGAN])
@pytest.mark.parametrize(
    ("names", "channels"),
    [
        (["depth", "photos"], (1, 3)),
        (["photos", "bands", "depth"], (3, 2, 1)),
        (["photos"], ()),
        (["depth", "bands"], (1, 2)),
    ],
)
def test_several_folders_are_one_input(folders, capsys, kind, names, channels):
    loader, arguments = opened(kind, folders, names)
    total = sum(channels) or 3
    A, B = loader.load_data(3, is_testing=True) if kind is CycleGAN else loader.load_data(1, is_testing=True)
    assert A.shape[1:] == (32, 32, total) and B.shape[1:] == (32, 32, 3)
    assert loader.stacked == channels
    if channels:
        assert f"A has {' + '.join(map(str, channels))} = {total} channels" in capsys.readouterr().out
        assert arguments["shape_A"] == (32, 32, total)  # a resumed run has the same, whatever is in the folders then
        assert loader.dataset_name == f"{'+'.join(names)}2targets"


def test_the_channels_of_a_stack_are_those_of_its_pictures(folders):
    loader, _ = opened(Pix2Pix, folders, ["depth", "photos", "bands"], img_shape=(24, 24, 3))
    (stack,) = [pair.picture for pair in loader.test]
    assert stack.picture.name == "0.png" and [path.name for path in stack.others] == ["0.png", "0.npy"]
    (A,) = next(loader.load_batch(1, is_testing=True))[0]
    single, _ = opened(Pix2Pix, folders, ["photos"], img_shape=(24, 24, 3))
    (photo,) = next(single.load_batch(1, is_testing=True))[0]
    np.testing.assert_allclose(A[..., 1:4], photo, atol=1e-6)


BAD = {
    "twice": (["depth", "depth"], {}, "dataset_A names a folder twice"),
    "other channels": (["depth", "photos"], {"shape_A": (32, 32, 3)}, "have 1 [+] 3 = 4 channels, not 3"),
    "the other way": (["depth", "photos"], {"direction": "BtoA"}, "leave direction BtoA out"),
    "no B": (["depth", "photos"], {"dataset_B": None}, "is one side: name dataset_B"),
    "a name besides": (["depth", "photos"], {"dataset_name": "drawn_shoes"}, "leave the data set 'drawn_shoes' out"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_stacked_is_one_line(unbuilt, folders, case):
    names, options, message = BAD[case]
    given = {"img_shape": (32, 32, 3), "dataset_A": [folders[name] for name in names], "dataset_B": folders["targets"]}
    with pytest.raises(BadValueError, match=message) as refused:
        Pix2Pix(**given | options)
    assert "\n" not in str(refused.value)


def test_a_picture_without_the_others_is_named(unbuilt, folders, tmp_path):
    (tmp_path / "photos" / "3.png").unlink()
    with pytest.raises(BadValueError, match=r"without a match of the same name, 1 in all: .*depth.3.png"):
        Pix2Pix(dataset_A=[folders["depth"], folders["photos"]], dataset_B=folders["targets"])


def test_built_in_data_are_no_folder(unbuilt, folders):
    with pytest.raises(BadValueError, match="dataset_A names folders, and 'drawn_shoes' is built in"):
        Pix2Pix(dataset_A=["drawn_shoes", folders["depth"]], dataset_B=folders["targets"])

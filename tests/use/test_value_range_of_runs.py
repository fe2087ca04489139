"""One value range from the check to the results: in the run, when it is resumed, evaluated and used."""

import json

import keras
import numpy as np
import pytest
from PIL import Image
from support import toy
from support.commands import run_here
from support.commands import translate_here as command
from support.eager import running_eagerly
from support.formats import CASES, ENDINGS, PICTURES
from support.pictures import opened
from support.toy import Toy

from keras_gan import GAN, ImageLoader, cli, translate
from keras_gan.datasets.__main__ import main as datasets
from keras_gan.errors import BadValueError
from keras_gan.evaluate import loader_of
from keras_gan.files import write_json
from keras_gan.training import run_folder

pytestmark = pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
PLAIN = "L", "P", "RGB", "1", "CMYK"  # modes whose white is 255
WIDE = "I;16", "I"


def gray_network(path, side):
    """Saves a generator that makes each pixel brighter or darker by itself."""
    keras.utils.set_random_seed(0)
    image = keras.Input((side, side, 1))
    layer = keras.layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer=keras.initializers.Constant(4.0))
    keras.Model(image, layer(image)).save(path)
    return path


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Makes a folder of pictures in all formats, `sweep(modes)`; returns it and the gray values of the files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))

    def make(modes):
        shown = {}
        for split in ("train", "test"):
            (tmp_path / "data" / split).mkdir(parents=True)
        for format, mode, content in CASES:
            if mode in modes and format not in ("SPIDER", "ICNS") and (format, mode) not in UNKNOWN:
                name = f"{format} {mode}".replace(";", "").replace(" ", "_")
                path = tmp_path / "data" / ("train" if len(shown) % 4 else "test") / (name + ENDINGS[format])
                path.write_bytes(content)
                shown[path] = PICTURES[mode][1] @ [0.299, 0.587, 0.114]
        return tmp_path / "data", shown

    return make


#: What is gray of 8 bits in these files.
UNKNOWN = {(format, "I;16") for format in ("ICO", "SGI")}


@pytest.mark.parametrize(
    ("modes", "white", "least"), [pytest.param(PLAIN, 255, 30, marks=pytest.mark.slow), (WIDE, 65535, 5)]
)
def test_every_format_goes_through_check_loader_and_translate(modes, white, least, sweep, tmp_path, capsys):
    folder, shown = sweep(modes)
    assert len(shown) >= least
    datasets(["check", str(folder)])
    said = capsys.readouterr().out
    assert f"values    0 to {white} in {len(shown)} files, white is {white}" in said or modes == WIDE
    low, high = round(0.2 * white), round(0.7 * white)
    expected = {path: np.clip((gray / 255 - 0.2) / 0.5, 0, 1) * 255 for path, gray in shown.items()}
    gray_first = [path for path in shown if "_L." in path.name or modes == WIDE]  # colours are clipped one by one
    loader = ImageLoader(folder, shape=(64, 64, 1), value_range=(0, 1), value_range_of_files=(low, high), seed=0)
    for path in gray_first:
        tolerance = 24 if path.suffix in (".jfif", ".jpg", ".jpe", ".jpeg") else 8 if path.suffix == ".avif" else 3
        np.testing.assert_allclose(loader.load_img(path)[0, ..., 0] * 255, expected[path], rtol=0, atol=tolerance)
    network = gray_network(tmp_path / "gray.keras", 64)
    given = "--output", tmp_path / "out", "--value-range", f"{low},{high}"
    assert command(network, *gray_first, *given) == 0
    for path in gray_first:
        (made,) = [file for file in (tmp_path / "out").iterdir() if file.name.startswith(path.stem + ".")]
        pixels = np.asarray(opened(made)).astype(float) / (257 if opened(made).mode == "I;16" else 1)
        seen = np.rint(loader.load_img(path)[0] * 255).astype("uint8")
        np.testing.assert_allclose(pixels, translate(network, seen[np.newaxis])[0, ..., 0].astype(int), atol=2)
    assert "warning" not in capsys.readouterr().err


@pytest.fixture
def cells(tmp_path):
    """A folder of 12-bit pictures."""
    for split in ("train", "test"):
        (tmp_path / "cells" / split).mkdir(parents=True)
        for number in range(3):
            values = np.random.default_rng(number).integers(5, 4000, (8, 8))
            values[0, :2] = 5, 4000
            Image.fromarray(values.astype("uint16")).save(tmp_path / "cells" / split / f"{number}.png")
    return tmp_path / "cells"


@pytest.mark.slow
def test_a_run_keeps_the_range_found_and_a_resumed_run_has_it(cells, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick = "--steps-per-epoch", "1", "--sample-interval", "9", "--quiet"
    with running_eagerly():
        run_here(Toy, "--dataset", str(cells), "--value-range", "auto", "--output", "run", "--epochs", "1", *quick)
        assert not [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
        assert run_folder.read_config("run")["arguments"]["value_range"] == [5, 4000]
        for path in (cells / "train").iterdir():  # the range is that of the run, not found again
            Image.fromarray(np.arange(64, dtype="uint16").reshape(8, 8)).save(path)
        run_here(Toy, "--resume", "run", "--epochs", "2", "--value-range", "5,4000", "--quiet")
    assert "Value range" not in capsys.readouterr().out
    assert run_folder.read_config("run")["loader"]["value_range_of_files"] == [5, 4000]
    with pytest.raises(SystemExit):
        run_here(Toy, "--resume", "run", "--epochs", "3", "--value-range", "0,7")
    assert "value_range of run 'run' is 5,4000, not 0,7: leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "found"),
    [("0,4095", (0, 4095)), ("-10,4095", (-10, 4095)), ("-1.5,-.5", (-1.5, -0.5)), ("-.5, 1e3", (-0.5, 1000))],
)
def test_ranges_as_typed(text, found):
    for typed in (["--value-range", text], [f"--value-range={text}"]):
        assert cli.parse(toy.__file__, typed).constructor["value_range"] == found
    assert cli.parse(toy.__file__, ["--value-range", "auto"]).constructor["value_range"] == "auto"


def test_what_evaluates_a_run_and_what_saves_a_model_have_the_range_found(cells):
    gan = GAN(img_shape=(8, 8, 1), dataset_name=str(cells), value_range="auto", seed=0)
    assert gan.data_loader.value_range_of_files == (5, 4000)
    assert gan.get_config()["value_range"] == (5, 4000)
    arguments = json.loads(json.dumps(gan.get_config()))
    loader = loader_of({"class": "GAN", "arguments": arguments, "seed": 0})
    assert loader.value_range_of_files == (5, 4000)
    with pytest.raises(BadValueError, match="value range of the files must rise"):
        GAN(img_shape=(8, 8, 1), dataset_name=str(cells), value_range=(9, 9))


@pytest.mark.parametrize("text", ["5,5", "9,1", "0", "0,1,2", "a,b", "0,inf", "nan,1", "", "AUTO"])
def test_what_is_no_range_is_one_line(text, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_here(Toy, "--value-range", text)
    assert f"{text!r} is not a value range; write LOW,HIGH, such as 0,4095" in capsys.readouterr().err


def test_translate_uses_the_range_of_the_run_unless_another_is_given(tmp_path, capsys):
    (tmp_path / "run" / "models").mkdir(parents=True)
    network = gray_network(tmp_path / "run" / "models" / "generator.keras", 16)
    config = {"model": "pix2pix", "class": "Pix2Pix", "arguments": {"value_range": [0, 4095]}, "seed": 0}
    write_json(tmp_path / "run" / "config.json", config)
    values = (np.random.default_rng(0).integers(0, 16, (16, 16)) * 273).astype("uint16")  # 0 to 4095
    for folder, pixels in (("deep", values), ("photo", (values // 16).astype("uint8"))):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "x.png")
    whole = translate(network, np.rint(values[np.newaxis, ..., np.newaxis] / 4095 * 255).astype("uint8"))[0, ..., 0]

    def translated(folder, *options):
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
        assert command(tmp_path / "run", tmp_path / folder, "--output", out, *options) == 0
        image = opened(out / "x.png")
        far = np.abs(np.asarray(image).astype(float) / (257 if image.mode == "I;16" else 1) - whole.astype(float)).max()
        return far <= 2, capsys.readouterr().err

    assert translated("deep") == (True, "")
    is_same, said = translated("photo")
    assert not is_same and "no picture is brighter than 6% of white, by the value range in training: if" in said
    assert translated("photo", "--value-range", "0,255") == (True, "")
    assert not translated("deep", "--value-range", "0,65535")[0]

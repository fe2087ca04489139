"""Label maps are resized without blends of their colours; photos and drawings are resized as ever."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_gan import ImageLoader
from keras_gan.errors import BadValueError
from keras_gan.images.drawn import DrawnDigit, DrawnShoe
from keras_gan.images.pixels import FITS, RESAMPLES, as_pixels, is_label_map, shaped
from keras_gan.images.readers import ReadPair, ReadWhole
from keras_gan.images.sources import Sides

PALETTE = np.array([(0, 0, 170), (170, 0, 0), (0, 0, 255), (0, 170, 170), (255, 255, 0), (85, 255, 170)], "uint8")


def labels(cell=8, size=64, count=6, seed=0):
    """A map of labels in cells, (size, size)."""
    cells = np.random.default_rng(seed).integers(0, count, (size // cell, size // cell))
    return np.kron(cells, np.ones((cell, cell), int))


def label_map(**options):
    return Image.fromarray(PALETTE[labels(**options)])


def facade(size=64):
    """Windows in a wall under a sky: regions of several sizes, round ones too."""
    image = Image.new("RGB", (size, size), (0, 0, 170))
    draw = ImageDraw.Draw(image)
    draw.rectangle((4, 16, size - 5, size - 1), fill=(0, 0, 255))
    for x in range(10, size - 12, 12):
        draw.rectangle((x, 24, x + 6, 34), fill=(0, 85, 255))
        draw.ellipse((x, 42, x + 8, 54), fill=(255, 85, 0))
    return image


def drawing(width, smooth, colour="black", size=128):
    """Lines on white, drawn `smooth` times larger and reduced."""
    side = size * smooth
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((side // 8, side // 6, side // 2, side // 1.2), outline=colour, width=width * smooth)
    draw.line((side // 10, side // 12, side // 1.1, side // 1.3), fill=colour, width=width * smooth)
    return image.reduce(smooth)


def colours_of(pixels):
    return {tuple(colour) for colour in np.reshape(pixels, (-1, pixels.shape[-1])).tolist()}


def test_label_maps_are_recognized():
    for image in (facade(), label_map(), label_map(cell=4), label_map(count=2), label_map(count=3).convert("L")):
        assert is_label_map(image)
    assert is_label_map(Image.fromarray(labels().astype("uint8")))  # the numbers of labels
    assert is_label_map(np.stack([labels(seed=0), labels(seed=1)], axis=-1).astype("uint16"))
    assert is_label_map(np.dstack([labels(count=2, seed=seed) for seed in range(5)]).astype("uint16"))
    many = np.arange(64).reshape(8, 8).repeat(8, axis=0).repeat(8, axis=1)
    assert is_label_map(Image.fromarray(many.astype("uint8")))
    more = np.arange(81).reshape(9, 9).repeat(8, axis=0).repeat(8, axis=1)
    assert not is_label_map(Image.fromarray(more.astype("uint8")))


@pytest.mark.parametrize("smooth", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 8, 12])
def test_drawings_of_black_on_white_are_no_label_maps(width, smooth):
    for image in (drawing(width, smooth), drawing(width, smooth).convert("L")):
        assert not is_label_map(image)
    if smooth > 1 or width < 3:
        assert not is_label_map(drawing(width, smooth, colour="darkred"))


def test_photos_and_plain_pictures_are_no_label_maps():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3), "uint8")
    few = rng.integers(0, 4, (64, 64)).astype("uint8")  # dithered
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype("uint8")
    for pixels in (noise, few, ramp, noise[:2, :2], np.full((64, 64), 7, "uint8")):
        assert not is_label_map(Image.fromarray(pixels))
    assert not is_label_map(rng.integers(0, 65536, (64, 64, 5)).astype("uint16"))
    assert not is_label_map(Image.fromarray(noise).quantize(8, dither=Image.Dither.NONE).convert("RGB"))
    assert not any(is_label_map(DrawnDigit(n).image(1, 28)) for n in range(10))
    assert not any(is_label_map(DrawnShoe(n).image(3, 64)) for n in range(4))


def test_none_of_the_real_pictures_is_taken_for_a_label_map(shared):
    """JPEG files; the label maps among them are noisy."""
    for name in ("facades/val", "edges2shoes/val", "horse2zebra/testA"):
        for path in sorted(shared(f"data/{name}").glob("*.jpg"))[:20]:
            with Image.open(path) as image:
                width, height = image.size
                for box in ((0, 0, width // 2, height), (width // 2, 0, width, height)):
                    assert not is_label_map(image.convert("RGB").crop(box))


# Resizing:


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(32, 32), (40, 24), (100, 90), (200, 300)])
def test_resized_label_maps_have_no_new_colours(fit, size):
    image = facade()
    allowed = colours_of(np.asarray(image)) | ({(255, 255, 255)} if fit == "pad" else set())
    assert colours_of(as_pixels(image, *size, fit)) <= allowed
    assert not colours_of(as_pixels(image, *size, fit, resample="bicubic")) <= allowed
    array = np.dstack([labels(seed=seed) for seed in range(5)]).astype("uint16") * 1000
    allowed = colours_of(array) | ({(65535,) * 5} if fit == "pad" else set())
    assert colours_of(as_pixels(array, *size, fit)) <= allowed


@pytest.mark.parametrize("resample", RESAMPLES[1:])
def test_a_named_filter_is_used_for_every_image(resample):
    image = label_map()
    expected = image.resize((40, 24), Image.Resampling[resample.upper()])
    np.testing.assert_array_equal(np.asarray(shaped(image, 24, 40, resample=resample)), np.asarray(expected))
    np.testing.assert_array_equal(as_pixels(image, 24, 40, resample=resample), np.asarray(expected))


def test_other_pictures_are_resized_as_ever():
    image = drawing(2, 2)
    expected = np.asarray(image.resize((40, 24), Image.Resampling.BICUBIC))
    for found in (as_pixels(image, 24, 40), ReadWhole(3)(Whole(image), 24, 40), np.asarray(shaped(image, 24, 40))):
        np.testing.assert_array_equal(found, expected)
    expected = label_map().resize((40, 24), Image.Resampling.BICUBIC)  # `shaped` alone looks at nothing unless asked
    np.testing.assert_array_equal(np.asarray(shaped(label_map(), 24, 40)), np.asarray(expected))


class Whole:
    """A picture in memory."""

    def __init__(self, image):
        self.shown = image

    def image(self, channels, size, value_range=None):
        return self.shown


def test_unknown_filters_are_refused():
    for resize in (shaped, as_pixels):
        with pytest.raises(BadValueError, match="one of auto, nearest, bilinear, bicubic, lanczos, not 'cubic'"):
            resize(label_map(), 8, 8, resample="cubic")


def test_readers_keep_the_colours_of_label_maps(tmp_path):
    facade().save(tmp_path / "label.png")
    allowed = colours_of(np.asarray(facade()))
    assert colours_of(ReadWhole(3)(tmp_path / "label.png", 24, 24)) <= allowed
    A, B = ReadPair(3, 64)(Sides(tmp_path / "label.png", tmp_path / "label.png"), 24, 24)
    assert colours_of(A) | colours_of(B) <= allowed
    assert not colours_of(ReadWhole(3, resample="lanczos")(tmp_path / "label.png", 24, 24)) <= allowed
    assert repr(ReadWhole(3)) != repr(ReadWhole(3, resample="nearest"))  # the cache's key


def test_the_network_sees_label_maps_in_their_own_colours(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "train").mkdir()
    for number in range(3):
        label_map(seed=number).save(tmp_path / "train" / f"{number}.png")
    loader = ImageLoader(tmp_path, shape=(24, 24, 3), value_range=(0, 1), seed=0)
    for imgs in (loader.load_data(2), loader.load_img(tmp_path / "train" / "0.png")):
        assert colours_of(np.rint(255 * imgs).astype(int)) <= colours_of(PALETTE[np.newaxis])

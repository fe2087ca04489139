"""Every format that Pillow can write and open gives the values of the picture that was saved."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms, SpiderImagePlugin  # noqa: F401 (registers SPIDER, which has no ending of its own)

from keras_gan.images.arrays import read_array
from keras_gan.images.sources import open_picture, read_picture

pytestmark = pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
Image.init()
SIDE = 64
ROW, COLUMN = np.indices((SIDE, SIDE)) // 4
COLOURS = np.stack([COLUMN * 17, ROW * 17, (ROW + COLUMN) * 8], axis=-1).astype("uint8")  # 256 of them
GRAY = (ROW * 16 + COLUMN).astype("uint8")
OPACITY = ((ROW + COLUMN) % 3 * 127.5).astype("uint8")  # 0, 127 and 255
WRITTEN = sorted(set(Image.SAVE) & set(Image.OPEN))
STUBS = {"BUFR", "GRIB", "HDF5", "WMF", "EPS"}  # Pillow needs a plug-in, Windows or Ghostscript to decode them
ENDINGS = {format: ending for ending, format in reversed(Image.registered_extensions().items())}


def over_white(colours, opacity):
    share = opacity[..., np.newaxis] / 255
    return np.rint(colours * share + 255 * (1 - share))


def pictures():
    """{mode: (picture in this mode, the colours that it shows)}."""
    rgb, gray = Image.fromarray(COLOURS), Image.fromarray(GRAY)
    shown, grays = COLOURS.astype("int"), np.stack([GRAY] * 3, axis=-1).astype("int")
    found = {"RGB": (rgb, shown), "L": (gray, grays), "CMYK": (rgb.convert("CMYK"), shown)}
    found["1"] = gray.convert("1"), 255 * np.stack([np.asarray(gray.convert("1"))] * 3, axis=-1).astype("int")
    found["P"] = rgb.quantize(256), np.asarray(rgb.quantize(256).convert("RGB"), "int")
    found["RGBA"] = Image.fromarray(np.dstack([COLOURS, OPACITY])), over_white(shown, OPACITY)
    found["LA"] = Image.fromarray(np.dstack([GRAY, OPACITY])), over_white(grays, OPACITY)
    found["I;16"] = Image.fromarray(np.minimum(GRAY.astype("uint16"), 254) * 257 + 100), grays
    found["I"] = Image.fromarray(np.minimum(GRAY.astype("int32"), 254) * 257 + 100), grays
    found["F"] = Image.fromarray((GRAY / 255).astype("float32")), grays
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    found["LAB"] = ImageCms.profileToProfile(rgb, *profiles, outputMode="LAB"), shown
    found["YCbCr"] = rgb.convert("YCbCr"), np.asarray(rgb.convert("YCbCr").convert("RGB"), "int")
    return found


PICTURES = pictures()
# What a format cannot hold, so that the saved picture is another one: 32-bit and float values clipped to 8 bits,
# alpha left out, or reduced to 1 bit.
CLIPPED = {(format, mode) for format in ("AVIF", "GIF", "WEBP") for mode in ("I;16", "I", "F")} | {("ICNS", "I;16")}
NO_ALPHA = {(format, mode) for format in ("BMP", "DIB", "PPM", "GIF") for mode in ("RGBA", "LA")}
OPTIONS = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
TOLERANCE = {"JPEG": 12, "AVIF": 3}
REFUSED = r"its values (are int32|range from \d)"


def written(format):
    """[(mode, content)]: the pictures that a format can hold."""
    found = []
    for mode, (picture, _) in PICTURES.items():
        file = io.BytesIO()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture.save(file, format, **OPTIONS.get(format, {}))
        except (OSError, ValueError, KeyError, SystemError):
            continue
        if (format, mode) not in CLIPPED | NO_ALPHA:
            found.append((mode, file.getvalue()))
    return found


CASES = [(format, mode, content) for format in WRITTEN if format not in STUBS for mode, content in written(format)]


def test_the_sweep_covers_formats_and_modes():
    assert len({format for format, _, _ in CASES}) >= 17 and {mode for _, mode, _ in CASES} == set(PICTURES)


@pytest.mark.parametrize(("format", "mode", "content"), CASES, ids=[f"{format} {mode}" for format, mode, _ in CASES])
def test_every_format_gives_the_values_that_were_saved(format, mode, content, tmp_path):
    path = tmp_path / f"x{ENDINGS.get(format, '.spi')}"
    path.write_bytes(content)
    if (format in ("IM", "TIFF") and mode == "I") or (format == "SPIDER" and mode != "F"):
        with pytest.raises(ValueError, match=REFUSED):
            read_picture(path)
        return
    with Image.open(path) as image:
        size = image.size  # ICNS enlarges
    expected = PICTURES[mode][1]
    expected = expected.repeat(size[1] // SIDE, axis=0).repeat(size[0] // SIDE, axis=1)
    tolerance = 30 if mode == "LAB" else TOLERANCE.get(format, 1)
    found = np.asarray(read_picture(path), "int")
    if format == "ICNS":  # compare the middles of the enlarged squares, of 4 pixels each
        found, expected = (pixels[32::64, 32::64] for pixels in (found, expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    opened = open_picture(path, 3, SIDE)
    opened = opened / 257 if isinstance(opened, np.ndarray) else np.asarray(opened, "int")
    if format != "ICNS":
        np.testing.assert_allclose(opened, expected, rtol=0, atol=tolerance)
        gray = np.asarray(read_picture(path, 1), "int")
        np.testing.assert_allclose(gray, expected @ [0.299, 0.587, 0.114], rtol=0, atol=tolerance + 1)


@pytest.mark.parametrize("format", sorted(STUBS & set(WRITTEN)))
def test_formats_that_pillow_only_recognizes_are_refused(format, tmp_path):
    (tmp_path / "x").write_bytes(
        {"GRIB": b"GRIB" + bytes(3) + b"\1", "HDF5": b"\x89HDF\r\n\x1a\n"}.get(format, b"BUFR")
    )
    with pytest.raises(OSError):
        read_picture(tmp_path / "x")


@pytest.mark.parametrize("ending", [".png", ".gif"])
def test_a_palette_with_transparency_is_laid_over_white(ending, tmp_path):
    picture = Image.fromarray((COLUMN % 3).astype("uint8")).convert("P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / f"x{ending}", transparency=1)
    expected = np.array([(255, 0, 0), (255, 255, 255), (0, 0, 255)])[COLUMN % 3]
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / f"x{ending}")), expected)


def test_bands_of_palettes_and_turned_pictures(tmp_path):
    picture = Image.fromarray((COLUMN % 3).astype("uint8")).convert("P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / "x.png", transparency=1)
    table = np.array([(255, 0, 0, 255), (0, 255, 0, 0), (0, 0, 255, 255)], "uint16") * 257
    np.testing.assert_array_equal(read_array(tmp_path / "x.png", 4), table[COLUMN % 3])
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    Image.fromarray(np.dstack([COLOURS[:32], OPACITY[:32]])).save(tmp_path / "turned.png", exif=exif)
    assert read_array(tmp_path / "turned.png", 4).shape == (64, 32, 4)

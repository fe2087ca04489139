"""Every format that Pillow can write and open gives the values of the picture that was saved."""

import numpy as np
import pytest
from PIL import Image
from support.formats import CASES, COLOURS, COLUMN, ENDINGS, OPACITY, PICTURES, SIDE, STUBS, TOLERANCE, WRITTEN

from keras_gan.images.arrays import read_array
from keras_gan.images.sources import open_picture, read_picture

pytestmark = pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
REFUSED = r"its values (are int32|range from \d)"


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

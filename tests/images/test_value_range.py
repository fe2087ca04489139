"""A value range says which values of a file are black and white, in every format and whatever the file states."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image
from support.formats import CASES, COLOURS, ENDINGS, GRAY, OPACITY, PICTURES, SIDE, TOLERANCE, over_white, saved

from keras_gan.errors import BadValueError
from keras_gan.images.arrays import read_array
from keras_gan.images.readers import ReadPair, ReadWhole
from keras_gan.images.sources import open_picture, read_picture, value_span
from keras_gan.images.values import as_16_bits, checked_value_range
from keras_gan.images.video import Film

pytestmark = pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
LOW, HIGH = 40, 200  # of 255
FAST = {("PNG", "L"), ("TIFF", "I"), ("PNG", "I;16"), ("GIF", "P"), ("PNG", "LA"), ("SPIDER", "L"), ("TIFF", "CMYK")}
SWEEP = [
    pytest.param(*case, id=" ".join(case[:2]), marks=[] if case[:2] in FAST else pytest.mark.slow)
    for case in CASES
    if case[0] != "SPIDER" or case[1] in ("L", "1", "I;16", "I", "F")  # its colours were made gray
]
SMALL = np.arange(0, 4096, 273).reshape(4, 4).astype("uint16")  # 12 bits, with black and white


def within(colours):
    """The colours, 0 to 255, that a range of LOW to HIGH makes of colours."""
    return np.clip((colours - float(LOW)) / (HIGH - LOW), 0, 1) * 255


def white_in(format, mode, path):
    """The value of white in a file of the sweep."""
    white = value_span(path).white
    if white is None or (format == "SPIDER" and mode != "F"):  # refused without a range
        return 65535 if mode[0] == "I" else 255
    return white


@pytest.mark.parametrize(("format", "mode", "content"), SWEEP)
def test_every_format_is_read_by_the_value_range(format, mode, content, tmp_path):
    path = tmp_path / f"x{ENDINGS.get(format, '.spi')}"
    path.write_bytes(content)
    white = white_in(format, mode, path)
    expected = within(PICTURES[mode][1])
    if mode in ("RGBA", "LA"):
        expected = over_white(within(COLOURS if mode == "RGBA" else np.stack([GRAY] * 3, axis=-1)), OPACITY)
    found = np.asarray(read_picture(path, 3, (LOW / 255 * white, HIGH / 255 * white)), float)
    if format == "ICNS":  # it enlarges
        step = len(found) // SIDE
        found, expected = found[32::64, 32::64], expected.repeat(step, 0).repeat(step, 1)[32::64, 32::64]
    tolerance = 2 * (30 if mode == "LAB" else TOLERANCE.get(format, 1))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    low, high, _ = value_span(path)
    shown = COLOURS if mode == "RGBA" else GRAY if mode == "LA" else PICTURES[mode][1]
    assert low / white * 255 == pytest.approx(shown.min(), abs=tolerance)
    assert high / white * 255 == pytest.approx(shown.max(), abs=tolerance + 1)


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **{"photometric": "minisblack"} | options)
    return file.getvalue()


def png_16(values):
    """A colour PNG file of 16 bits, which Pillow cannot write."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    found = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        found += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return found


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


RGB = np.stack([SMALL, SMALL[::-1], SMALL.T], axis=-1)
TWELVE = {  # {kind: (ending, content, values)}: 12 bits in files that state more
    "TIFF": (".tif", tiff(SMALL), SMALL),
    "TIFF of 32 bits": (".tif", tiff(SMALL.astype("int32")), SMALL),
    "TIFF of floats": (".tif", tiff(SMALL.astype("float32")), SMALL),
    "TIFF in colour": (".tif", tiff(RGB, photometric="rgb"), RGB),
    "PNG": (".png", saved(SMALL, "PNG"), SMALL),
    "PGM": (".pgm", b"P5 4 4 65535\n" + SMALL.astype(">u2").tobytes(), SMALL),
    "PGM of 15 bits": (".pgm", b"P5 4 4 32767\n" + SMALL.astype(">u2").tobytes(), SMALL),
    "IM": (".im", saved(SMALL.astype("int32"), "IM"), SMALL),
    "PFM": (".pfm", saved(SMALL.astype("float32"), "PPM"), SMALL),
    ".npy of uint16": (".npy", npy(SMALL), SMALL),
    ".npy of int64": (".npy", npy(SMALL.astype("int64")), SMALL),
    ".npy of float16": (".npy", npy((SMALL // 2 * 2).astype("float16")), SMALL),
    ".npy in colour": (".npy", npy(RGB), RGB),
}


@pytest.mark.parametrize("kind", TWELVE)
def test_few_bits_in_a_wide_file_reach_white(kind, tmp_path):
    ending, content, values = TWELVE[kind]
    (tmp_path / f"x{ending}").write_bytes(content)
    assert value_span(tmp_path / f"x{ending}")[:2] == (0, pytest.approx(4095, abs=1))
    expected = np.atleast_3d(values) / 4095
    for read in (read_picture, lambda *how: open_picture(how[0], how[1], 16, how[2])):
        found = read(tmp_path / f"x{ending}", 3, (0, 4095))
        full = 65535 if isinstance(found, np.ndarray) else 255
        np.testing.assert_allclose(np.asarray(found) / full, np.broadcast_to(expected, (4, 4, 3)), atol=1.01 / 255)


def test_colour_png_files_of_16_bits_are_measured_in_their_own_values(tmp_path):
    (tmp_path / "x.png").write_bytes(png_16(RGB * np.uint16(4)))
    assert value_span(tmp_path / "x.png") == (0, (4 * 4095 // 256) * 257, 65535)
    found = np.asarray(read_picture(tmp_path / "x.png", 3, (0, 4 * 4095)), float)
    np.testing.assert_allclose(found, RGB / 4095 * 255, rtol=0, atol=5)  # Pillow keeps the upper 8 bits


@pytest.mark.parametrize("opaque", [4095, 65535])
def test_alpha_of_few_bits_is_opaque_at_high_and_other_alpha_as_the_file_states(opaque, tmp_path):
    opacity = np.arange(16).reshape(4, 4) / 15
    values = np.dstack([RGB, np.rint(opacity * opaque)]).astype("uint16")
    (tmp_path / "x.tif").write_bytes(tiff(values, photometric="rgb", extrasamples=["unassalpha"]))
    assert value_span(tmp_path / "x.tif") == (0, 4095, 65535)
    found = open_picture(tmp_path / "x.tif", 3, 16, (0, 4095)) / 65535
    expected = RGB / 4095 * opacity[..., np.newaxis] + 1 - opacity[..., np.newaxis]
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("dtype", "high"), [("uint16", 4095), ("uint8", 200)])
def test_where_white_is_0_the_range_is_inverted_but_alpha_is_not(dtype, high, tmp_path):
    values, path = np.rint(SMALL / 4095 * high).astype(dtype), tmp_path / "x.tif"
    full = np.iinfo(dtype).max
    path.write_bytes(tiff(values, photometric="miniswhite"))
    assert value_span(path) == (0, high, full)
    for value_range, white in ((None, full), ((0, high), high)):
        found = np.asarray(read_picture(path, 1, value_range)) / 255
        np.testing.assert_allclose(found, 1 - values / white, atol=1.01 / 255)
    if dtype == "uint16":
        opacity = np.arange(16).reshape(4, 4) / 15
        both = np.dstack([values, np.rint(opacity * 65535)]).astype(dtype)
        path.write_bytes(tiff(both, photometric="miniswhite", extrasamples=["unassalpha"]))
        found = open_picture(path, 1, 16, (0, high))[..., 0] / 65535
        np.testing.assert_allclose(found, (1 - values / high) * opacity + 1 - opacity, atol=1e-3)


def test_all_channels_of_an_array_have_one_range(tmp_path):
    Image.fromarray(np.dstack([COLOURS, OPACITY])).save(tmp_path / "x.png")
    found = read_array(tmp_path / "x.png", 4, (LOW, HIGH)) / 257
    np.testing.assert_allclose(found, within(np.dstack([COLOURS, OPACITY])), atol=0.01)
    np.save(tmp_path / "x.npy", np.dstack([RGB, RGB]))
    np.testing.assert_array_equal(read_array(tmp_path / "x.npy", 6, (0, 4095))[..., 3:], as_16_bits(RGB, 4095))


def test_values_outside_are_clipped_and_the_same_range_changes_nothing():
    values = np.array([-5, 0, 10, 15, 20, 300])
    assert as_16_bits(values, value_range=(10, 20)).tolist() == [0, 0, 0, 32768, 65535, 65535]
    for dtype, full in (("uint8", 255), ("uint16", 65535)):
        values = np.arange(full + 1).astype(dtype)
        np.testing.assert_array_equal(as_16_bits(values, value_range=(0, full)), as_16_bits(values))
    for values in (np.array([0, np.nan]), np.array([0, np.inf], "float32")):
        with pytest.raises(ValueError, match="some of its values are not finite"):
            as_16_bits(values, value_range=(0, 1))
    with pytest.raises(ValueError, match="its values are complex128, no numbers from black to white"):
        as_16_bits(np.array([1j]), value_range=(0, 1))
    assert as_16_bits(np.array([False, True]), value_range=(0, 1)).tolist() == [0, 65535]


@pytest.mark.parametrize("values", [np.full((4, 4), np.nan), np.full((4, 4), 1j), np.array([[0, np.inf]], "float32")])
def test_what_spans_no_values_is_refused(values, tmp_path):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ValueError, match="not finite|no numbers"):
        value_span(tmp_path / "x.npy")


def test_readers_of_other_ranges_differ(tmp_path):
    """The cache keeps pictures by their reader."""
    Image.fromarray(SMALL.repeat(4, 0).repeat(8, 1)).save(tmp_path / "x.png")
    assert ReadWhole(1) != ReadWhole(1, value_range=(0, 4095)) and ReadPair(1, 8) != ReadPair(1, 8, value_range=(0, 1))
    assert repr(ReadWhole(1, value_range=(0, 1))) != repr(ReadWhole(1, value_range=(0, 2)))
    for read in (ReadWhole(1, value_range=(0, 4095)), ReadPair(1, 16, value_range=(0, 4095))):
        assert read(tmp_path / "x.png", 16, 16).max() == 255


def test_frames_of_animations_are_read_by_the_range(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (50, 25, 0)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    for value_range, values in ((None, [50, 25, 0]), ((0, 50), [255, 128, 0])):
        found = [np.asarray(frame) for frame in Film(tmp_path / "x.gif", value_range).frames()]
        np.testing.assert_allclose([pixels.mean() for pixels in found], values, atol=1)
        assert {pixels.shape for pixels in found} == {(8, 8, 3)}


@pytest.mark.parametrize("given", [(5, 5), (7, 2)])
def test_a_range_that_does_not_rise_is_refused(given):
    with pytest.raises(BadValueError, match=f"must rise from black to white, not {given[0]} to {given[1]}"):
        checked_value_range(given)


@pytest.mark.parametrize("given", ["0,1", (1,), (0, 1, 2), 5, (0, np.inf), (np.nan, 1), (None, 1), (False, True), {}])
def test_what_is_no_range_is_refused(given):
    with pytest.raises(BadValueError, match="the value range of the files must be \\(low, high\\) or 'auto', not"):
        checked_value_range(given)


def test_ranges_are_kept_as_plain_numbers():
    assert checked_value_range([np.float32(0), 4095.0]) == (0, 4095)
    assert [type(value) for value in checked_value_range((np.float32(0), 0.5))] == [int, float]
    assert checked_value_range(None) is None and checked_value_range("auto") == "auto"

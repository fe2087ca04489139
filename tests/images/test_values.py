"""White in files of more than 8 bits and of floats: what the format states, and a refusal where it states nothing."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, SpiderImagePlugin  # noqa: F401 (registers SPIDER, which has no ending of its own)
from support.formats import saved

from keras_gan import ImageLoader
from keras_gan.images.sources import open_picture, read_picture, value_span

pytestmark = pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
SMALL = np.arange(0, 4096, 273).reshape(4, 4)  # 12 bits, with black and white
EIGHT = SMALL / 4095 * 255


def fits(values, **cards):
    """A FITS file; FITS counts rows from the bottom."""
    bits = {"u1": 8, "i2": 16, "i4": 32, "f4": -32, "f8": -64}[values.dtype.str[1:]]
    cards = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": values.shape[1], "NAXIS2": values.shape[0]} | cards
    lines = [f"{key:<8}= {value!s:>20}".ljust(80) for key, value in cards.items()] + ["END".ljust(80)]
    data = values[::-1].astype(values.dtype.newbyteorder(">")).tobytes()
    return "".join(lines).ljust(2880).encode() + data.ljust(2880, b"\0")


def jpeg_2000(values, bits, format="jp2"):
    """A JPEG 2000 file of this depth. Pillow writes 16 bits: the mean level is moved and the depth replaced."""
    file = io.BytesIO()
    picture = Image.fromarray((values + 2**15 - 2 ** (bits - 1)).astype("uint16"))
    picture.save(file, "JPEG2000", irreversible=False, no_jp2=format == "j2k")
    content = bytearray(file.getvalue())
    content[content.find(b"\xff\x4f\xff\x51") + 42] = bits - 1
    if format == "jp2":
        content[content.find(b"ihdr") + 14] = bits - 1
    return bytes(content)


def tiff_of_12_bits(values):
    """A TIFF file with two values in three bytes, as cameras write it."""
    high, low = values.reshape(-1, 2).T.astype("uint16")
    data = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], axis=-1).astype("uint8").tobytes()
    height, width = values.shape
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8 + 2 + 9 * 12 + 4, 277: 1, 278: height}
    tags |= {279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def png(values, bits=None):
    """A gray PNG file of 16 bits, with a chunk sBIT."""
    file = io.BytesIO()
    Image.fromarray(values.astype("uint16")).save(file, "PNG")
    chunk = b"sBIT" + bytes([bits or 16])
    chunk = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
    content = file.getvalue()
    return content[:33] + (chunk if bits else b"") + content[33:]


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **{"photometric": "minisblack"} | options)
    return file.getvalue()


def maximum(value, count=1, tag=281):
    return {"extratags": [(tag, "H", count, (value,) * count if count > 1 else value, True)]}


UNSIGNED = {"BZERO": 32768, "BSCALE": 1}
BRIGHT = (SMALL << 4 | SMALL >> 8).astype("uint16")  # the same in 16 bits
STATED = {  # {kind: (ending, content, the white that the file states)}
    "TIFF of 12 bits": (".tif", tiff_of_12_bits(SMALL), 4095),
    "TIFF with MaxSampleValue": (".tif", tiff(SMALL.astype("uint16"), **maximum(4095)), 4095),
    "TIFF with SMaxSampleValue": (".tif", tiff(SMALL.astype("uint16"), **maximum(4095, tag=341)), 4095),
    "TIFF of 32 bits with MaxSampleValue": (".tif", tiff(SMALL.astype("uint32"), **maximum(4095)), 4095),
    "signed TIFF with MaxSampleValue": (".tif", tiff(SMALL.astype("int16"), **maximum(4095)), 4095),
    "TIFF with a statistic": (".tif", tiff(BRIGHT, **maximum(65000)), 65535),
    "TIFF with a wrong maximum": (".tif", tiff(BRIGHT, **maximum(1023)), 65535),
    "TIFF of 16 bits": (".tif", tiff(BRIGHT), 65535),
    "TIFF where white is 0": (".tif", tiff(65535 - BRIGHT, photometric="miniswhite"), 65535),
    "TIFF where white is 0, of 12 bits": (
        ".tif",
        tiff((4095 - SMALL).astype("uint16"), photometric="miniswhite", **maximum(4095)),
        4095,
    ),
    "TIFF of floats": (".tif", tiff((SMALL / 4095).astype("float32")), 1),
    "FITS of 8 bits": (".fits", fits(np.rint(EIGHT).astype("uint8")), 255),
    "FITS of signed 8 bits": (".fits", fits((SMALL // 32 + 128).astype("uint8"), BZERO=-128), 127),
    "FITS of signed 16 bits": (".fits", fits((SMALL * 8 + SMALL // 512).astype("int16")), 32767),
    "FITS of unsigned 16 bits": (".fits", fits((BRIGHT.astype("int") - 32768).astype("int16"), **UNSIGNED), 65535),
    "FITS with DATAMAX": (".fits", fits(SMALL.astype("int16"), DATAMAX=4095), 4095),
    "FITS of 32 bits with DATAMAX": (".fits", fits(SMALL.astype("int32"), DATAMAX="4.095E3 / brightest"), 4095),
    "FITS of floats": (".fits", fits((SMALL / 4095).astype("float32")), 1),
    "FITS of doubles": (".fits", fits(SMALL / 4095), 1),
    "FITS of scaled integers": (".fits", fits(SMALL.astype("int16"), BSCALE="2.442002442D-4"), 1),
    "PNG of 16 bits": (".png", png(BRIGHT), 65535),
    "PNG with sBIT, not scaled": (".png", png(SMALL, 12), 4095),
    "PNG with sBIT, scaled": (".png", png(BRIGHT, 12), 65535),
    "PFM": (".pfm", saved((SMALL / 4095).astype("float32"), "PPM"), 1),
    "SPIDER": (".spi", saved((SMALL / 4095).astype("float32"), "SPIDER"), 1),
    "IM of floats": (".im", saved((SMALL / 4095).astype("float32"), "IM"), 1),
    "PGM of 12 bits": (".pgm", b"P5 4 4 4095\n" + SMALL.astype(">u2").tobytes(), 4095),
    "PGM of 2 bits": (".pgm", b"P2 2 2 3\n0 1\n2 3\n", 3),
    ".npy of floats": (".npy", None, 1),
}
for depth in range(9, 17):
    for kind in ("jp2", "j2k"):
        highest = 2**depth - 1
        STATED[f"{kind} of {depth} bits"] = f".{kind}", jpeg_2000(SMALL * highest // 4095, depth, kind), highest


@pytest.mark.parametrize("kind", STATED)
def test_the_white_that_a_file_states_becomes_white(kind, tmp_path):
    ending, content, white = STATED[kind]
    path = tmp_path / f"x{ending}"
    np.save(path, SMALL / 4095) if content is None else path.write_bytes(content)
    expected = np.array([[0, 85], [170, 255]]) if "of 2 bits" in kind else EIGHT
    tolerance = 3 if "signed 8" in kind else 1
    for channels in (1, 3):
        found = np.asarray(read_picture(path, channels), "int").reshape(*expected.shape, channels)
        np.testing.assert_allclose(found, np.stack([expected] * channels, axis=-1), rtol=0, atol=tolerance)
        assert found.min() == 0 and found.max() == 255
        opened = open_picture(path, channels, 16)
        if isinstance(opened, np.ndarray):
            np.testing.assert_allclose(opened[..., 0] / 257, expected, rtol=0, atol=0.5)
    low, high, stated = value_span(path)
    assert (low, stated) == (0, white) and high == pytest.approx(white, rel=1e-6)


def test_the_span_tells_of_values_with_fewer_bits_than_the_file(tmp_path):
    for ending, content in ((".tif", tiff(SMALL.astype("uint16"))), (".png", png(SMALL)), (".npy", None)):
        path = tmp_path / f"x{ending}"
        np.save(path, SMALL.astype("uint16")) if content is None else path.write_bytes(content)
        assert value_span(path) == (0, 4095, 65535)
        assert np.asarray(read_picture(path, 1)).max() == 4095 // 257  # dark, as documented
    Image.fromarray(np.arange(256, dtype="uint8").reshape(16, 16)).save(tmp_path / "x.bmp")
    assert value_span(tmp_path / "x.bmp") == (0, 255, 255)
    Image.fromarray(SMALL.astype("int32")).save(tmp_path / "x.im")
    assert value_span(tmp_path / "x.im") == (0, 4095, None)


BEYOND = {
    ".pfm": (saved(np.float32([[0, 255]]), "PPM"), "range from 0 to 255; floats must be in [0, 1]"),
    ".spi": (saved(np.float32([[-1, 1]]), "SPIDER"), "range from -1 to 1; floats must be in [0, 1]"),
    ".fits": (fits(np.array([[np.nan, 1]])), "range from nan to nan; floats must be in [0, 1]"),
    ".fit": (fits(np.array([[-5, 1]], "int16")), "range from -5 to 1; its format allows 0 to 32767"),
    ".im": (
        saved(np.array([[0, 70000]], "int32"), "IM"),
        "are int32; supported are uint8, uint16 and floats in [0, 1]",
    ),
    ".tif": (tiff(np.float32([[0, 2]])), "range from 0 to 2; floats must be in [0, 1]"),
    ".FITS": (fits(np.array([[0, 4095]], "int32")), "are int32; supported are uint8, uint16 and floats in [0, 1]"),
}


@pytest.mark.parametrize("ending", BEYOND)
@pytest.mark.parametrize("channels", [1, 3])
def test_values_that_have_no_black_and_white_are_refused_with_the_range(ending, channels, tmp_path):
    content, message = BEYOND[ending]
    (tmp_path / f"x{ending}").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"its values {message}")):
        read_picture(tmp_path / f"x{ending}", channels)


def test_jpeg_2000_of_few_bits_reaches_white(tmp_path):
    file = io.BytesIO()
    values = np.arange(16).reshape(4, 4)
    Image.fromarray((values + 2**7 - 2**3).astype("uint8")).save(file, "JPEG2000", irreversible=False, no_jp2=True)
    content = bytearray(file.getvalue())
    content[content.find(b"\xff\x4f\xff\x51") + 42] = 3  # 4 bits
    (tmp_path / "x.j2k").write_bytes(content)
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "x.j2k", 1)), values * 17)


@pytest.mark.parametrize("bits", [9, 12, 16])
@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_deep_jpeg_2000_in_colour_is_refused_because_pillow_makes_its_white_black(bits, mode, tmp_path):
    file = io.BytesIO()
    Image.new(mode, (8, 8), "white").save(file, "JPEG2000", no_jp2=True)
    content = bytearray(file.getvalue())
    start = content.find(b"\xff\x4f\xff\x51")
    for component in range(content[start + 41]):
        content[start + 42 + 3 * component] = bits - 1
    (tmp_path / "x.j2k").write_bytes(content)
    with pytest.raises(ValueError, match=f"JPEG 2000 of {bits} bits in colour, .*: convert it to PNG"):
        read_picture(tmp_path / "x.j2k")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_deep_tiff_files_with_alpha_are_laid_over_white(channels, dtype, kind, tmp_path):
    opacity = np.arange(16).reshape(4, 4, 1) / 15
    colours = np.stack([SMALL / 4095] * channels, axis=-1)
    expected = colours * opacity + 1 - opacity if kind != "unspecified" else colours
    kept = colours * opacity if kind == "assocalpha" else colours
    values = np.dstack([kept, opacity])
    values = np.rint(values * 65535).astype(dtype) if dtype == "uint16" else values.astype(dtype)
    photometric = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(tmp_path / "x.tif", values, photometric=photometric, extrasamples=[kind])
    np.testing.assert_allclose(open_picture(tmp_path / "x.tif", channels, 16) / 65535, expected, atol=1e-4)
    np.testing.assert_allclose(
        np.asarray(read_picture(tmp_path / "x.tif")) / 255, expected.repeat(3 // channels, 2), atol=0.01
    )


def test_a_clear_gray_of_16_bits_is_white(tmp_path):
    Image.fromarray(BRIGHT).save(tmp_path / "x.png", transparency=int(BRIGHT[0, 0]))
    found = np.asarray(read_picture(tmp_path / "x.png", 1))
    assert found[0, 0] == 255 and found[0, 1] == BRIGHT[0, 1] // 257


def test_the_network_sees_the_values_of_every_format(tmp_path, monkeypatch):
    """One picture in many formats, through the loader of DCGAN."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "train").mkdir()
    kinds = [kind for kind in STATED if "of 2 bits" not in kind and "signed 8" not in kind]
    kinds = [kind for kind in kinds if STATED[kind][0] not in (".spi",)]  # its ending is not known
    for number, kind in enumerate(kinds):
        path = tmp_path / "train" / f"{number}{STATED[kind][0]}"
        np.save(path, SMALL / 4095) if STATED[kind][1] is None else path.write_bytes(STATED[kind][1])
    loader = ImageLoader(tmp_path, shape=(4, 4, 1), value_range=(0, 1), batch_size=len(kinds), seed=0)
    seen = np.concatenate([*loader.load_batch(len(kinds)), *loader.load_batch(len(kinds), is_testing=True)])
    assert len(seen) == len(kinds)
    np.testing.assert_allclose(seen, np.stack([SMALL[..., np.newaxis] / 4095] * len(kinds)), atol=1.01 / 255)

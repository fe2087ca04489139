"""One picture in every format and mode that Pillow can write and open."""

import io
import warnings

import numpy as np
from PIL import Image, ImageCms, SpiderImagePlugin  # noqa: F401 (registers SPIDER, which has no ending of its own)

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


def saved(values, format):
    """An array as the bytes of a picture file that Pillow writes."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.fromarray(values).save(file, format)
    return file.getvalue()

"""Writes shards for tests: tar archives as WebDataset has them, and Parquet files."""

import io
import os
import tarfile

import numpy as np
from PIL import Image

LONG_AGO = 1_700_000_000  # so that what is known of a shard is kept


def encoded(value, size=(16, 16), kind="PNG"):
    """The file of a picture of one colour, which `value` tells."""
    content = io.BytesIO()
    Image.new("RGB", size, (value % 256, value // 256 % 256, 255)).save(content, kind)
    return content.getvalue()


def wide(value):
    """The file of a pair side by side."""
    image = Image.new("RGB", (32, 16), (value % 256, 0, 255))
    image.paste((value % 256, 255, 255), (16, 0, 32, 16))
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def tar(path, members, form=tarfile.USTAR_FORMAT):
    """Writes {name: bytes} as a tar archive; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def shards(folder, count, each, members):
    """Writes `count` shards of `each` entries; `members(number)` lists the members of one. Returns their name."""
    for shard in range(count):
        numbers = range(shard * each, (shard + 1) * each)
        tar(folder / f"{shard:03}.tar", [member for number in numbers for member in members(number)])
    return f"{folder}/{{000..{count - 1:03}}}.tar"


def one_list(folder, form, count, each):
    """Shards that stand for two sides without pairs. Returns their name.

    Args:
        form: members: pairs of members; wide: pictures of pairs; gray2colour: single pictures, which are made gray.
    """
    if form == "gray2colour":
        return "gray2colour:" + shards(folder, count, each, singles)
    return shards(folder, count, each, pairs if form == "members" else lambda n: [(f"{n}.png", wide(n))])


def singles(number):
    return [(f"{number:05}.png", encoded(number))]


def pairs(number):
    return [(f"{number:05}.a.png", encoded(number)), (f"{number:05}.b.png", encoded(number + 256))]


def labelled(number):
    return [(f"{number:05}.png", encoded(number)), (f"{number:05}.cls", str(number % 3).encode())]


def npy(array):
    """The file of an array."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()

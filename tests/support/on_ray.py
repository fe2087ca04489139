"""Pictures for jobs on Ray, as files and shards."""

import tarfile

import numpy as np
from PIL import Image

COUNT = 40  # pictures


def save_photos(folder):
    """Pictures of two kinds and sizes, one of 16 bits, one damaged."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(COUNT):
        pixels = rng.integers(0, 255, (4, 4, 3), "uint8")
        image = Image.fromarray(pixels).resize((32 + number % 3, 32))
        image.save(folder / f"{number:03}.{'png' if number % 2 else 'jpg'}")
    np.save(folder / "deep.npy", rng.integers(0, 65535, (32, 32, 3), "uint16"))
    (folder / "damaged.png").write_bytes((folder / "001.png").read_bytes()[:60])
    return folder


def contents(folder):
    """{name: bytes} of all files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def as_tar(folder, path, start=0, stop=None):
    with tarfile.open(path, "w") as archive:
        for picture in sorted(folder.iterdir())[start:stop]:
            archive.add(picture, picture.name)
    return path

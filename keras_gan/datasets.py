"""Data sets by name: folders below `datasets/`, folders given by path, and the built-in drawn shoes."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from keras_gan.errors import BadValueError, NotFoundError

FOLDER = Path("datasets")
LAYOUT = "NAME/train and NAME/val (or NAME/test), pictures with A in the left half and B in the right half"
REAL_SHOES = (
    "for real photos, unpack http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/edges2shoes.tar.gz into datasets/"
)


class DrawnShoe(NamedTuple):
    """A picture of the built-in set: drawn when it is read, always the same."""

    index: int

    def draw(self, size):
        """The pair as a `PIL.Image.Image` of size (2 * size, size)."""
        from keras_gan.drawn_shoes import draw_pair

        return Image.fromarray(draw_pair(seed=0, index=self.index, size=size))

    def __str__(self):
        return f"drawn shoe {self.index}"


@dataclass
class Dataset:
    """A paired data set: its name and the pictures (paths or `DrawnShoe`s) of its two splits."""

    name: str
    train: list
    test: list


def find(name=None):
    """Finds a paired data set.

    Args:
        name: a folder below `datasets/`, the path of a folder, or "drawn_shoes". None: the folder
            `datasets/edges2shoes` where it exists, else "drawn_shoes", and a line that says so.

    Returns:
        A `Dataset`.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if one of its two splits has no pictures.
    """
    if name is None:
        name = "edges2shoes" if (FOLDER / "edges2shoes").is_dir() else "drawn_shoes"
        if name == "drawn_shoes":
            print(f"No data set named and no datasets/edges2shoes here: using the built-in drawn_shoes; {REAL_SHOES}.")
    folder = next((path for path in (FOLDER / name, Path(name)) if path.is_dir()), None)
    if folder is not None:
        return Dataset(folder.resolve().name, pictures(folder, "train"), pictures(folder, "val", "test"))
    if name == "drawn_shoes":
        return Dataset(name, [DrawnShoe(i) for i in range(1000)], [DrawnShoe(i) for i in range(1000, 1100)])
    raise NotFoundError(f"no data set {name!r}: there is {', '.join(existing())}; expected is the layout {LAYOUT}.")


def existing():
    """The names that `find` would understand here."""
    folders = sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) if FOLDER.is_dir() else []
    return [*(f"datasets/{name}" for name in folders), "drawn_shoes (built in)"]


def pictures(folder, *splits):
    """The picture files of the first of these subfolders that has any, sorted by name."""
    endings = tuple(Image.registered_extensions())
    for split in splits:
        entries = (folder / split).iterdir() if (folder / split).is_dir() else ()
        found = sorted(p for p in entries if p.suffix.lower() in endings and not p.name.startswith("."))
        if found:
            return found
    looked = " or ".join(str(folder / split) for split in splits)
    raise BadValueError(f"no pictures in {looked}; expected is the layout {LAYOUT}.")

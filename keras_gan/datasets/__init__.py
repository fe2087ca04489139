"""Data sets by name: folders below `datasets/`, folders given by path, and those that are built in."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from keras_gan.datasets.catalogue import how_to_get
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.pictures import DrawnShoe, Gray, Half, Pixels

FOLDER = Path("datasets")
LAYOUT = "NAME/train and NAME/val (or NAME/test), pictures with A in the left half and B in the right half"
UNPAIRED_LAYOUTS = (
    "NAME with trainA, trainB, testA and testB; or two folders of pictures, the second for side B; "
    f'or "gray2colour:FOLDER" of colour pictures; or pairs, {LAYOUT}'
)
REAL_SHOES = "for real photos, python -m keras_gan.datasets download edges2shoes"
HELD_OUT = 10  # where nothing is set apart for testing, one picture in so many is


@dataclass
class Dataset:
    """A paired data set: its name and the pictures (paths or `DrawnShoe`s) of its two splits."""

    name: str
    train: list
    test: list


@dataclass
class UnpairedDataset:
    """An unpaired data set: its name and the pictures (see `keras_gan.pictures.open_picture`) of both sides."""

    name: str
    train_A: list
    train_B: list
    test_A: list
    test_B: list


def find(name=None):
    """Finds a paired data set.

    Args:
        name: a folder below `datasets/`, the path of a folder, or "drawn_shoes". None: the folder
            `datasets/edges2shoes` where it exists, else "drawn_shoes", and a line that says so.

    Returns:
        A `Dataset`.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if one of its two splits has no pictures, or its pictures are not paired.
    """
    if name is None:
        name = "edges2shoes" if (FOLDER / "edges2shoes").is_dir() else "drawn_shoes"
        if name == "drawn_shoes":
            print(f"No data set named and no datasets/edges2shoes here: using the built-in drawn_shoes; {REAL_SHOES}.")
    folder = locate(name)
    if folder is not None:
        if (folder / "trainA").is_dir() and not (folder / "train").is_dir():
            raise BadValueError(
                f"{folder} holds no pairs but two unpaired sides, trainA and trainB: python -m keras_gan.cyclegan "
                f"takes it; python -m keras_gan.datasets join pairs pictures of equal names; expected is {LAYOUT}."
            )
        return Dataset(folder.resolve().name, pictures(folder, "train"), pictures(folder, "val", "test"))
    if name == "drawn_shoes":
        return Dataset(name, [DrawnShoe(i) for i in range(1000)], [DrawnShoe(i) for i in range(1000, 1100)])
    raise not_found(f"no data set {str(name)!r}", name, existing(), f"the layout {LAYOUT}")


def find_unpaired(name=None, name_B=None):
    """Finds an unpaired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, with trainA, trainB, testA and testB;
            - with `name_B`: the folder of side A, its pictures in `train` (and `test` or `val`) or
              directly inside; without a test split every tenth picture by name is held out as one;
            - "gray2colour": A the gray versions of the colour pictures B, CIFAR-10 from
              `keras.datasets` or, as "gray2colour:FOLDER", those of a folder, searched with its
              subfolders (`train`, and `test` or `val`, or one picture in ten held out);
            - "drawn_shoes": A line drawings, B coloured shoes;
            - a folder of pairs, as for `find`.
            Pairs and drawn shoes are torn apart for training: A the even ones, B the odd ones.
            None: drawn shoes, and a line that says so.
        name_B: the folder of side B.

    Returns:
        An `UnpairedDataset`. In "gray2colour", drawn shoes and pairs, `test_A` and `test_B` are made
        from the same pictures in the same order, so that translations can be scored.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a side has no pictures, or both sides are the same folder.
    """
    if name_B is not None:
        return two_folders(name, name_B)
    if name is None:
        name = "drawn_shoes"
        print(
            "No data set named: using the built-in drawn_shoes; "
            "for your own pictures, name a folder with trainA, trainB, testA and testB, or two folders."
        )
    folder = locate(name)
    if folder is not None:
        has_sides = (folder / "trainA").is_dir() or (folder / "trainB").is_dir()
        return four_folders(folder) if has_sides else torn_folder(folder)
    if name == "drawn_shoes":
        return torn(find(name))
    if name == "gray2colour":
        return gray2colour(name, *cifar10())
    kind, _, path = str(name).partition(":")
    if kind == "gray2colour" and path:
        folder = located(path)
        return gray2colour(f"gray2colour-{folder.resolve().name}", *splits(folder, "side B", recursive=True))
    raise missing(name)


# The kinds of unpaired data sets.


def four_folders(folder):
    """A folder with trainA, trainB, testA and testB."""
    found = []
    for split, side in (("train", "A"), ("train", "B"), ("test", "A"), ("test", "B")):
        looked = folder / f"{split}{side}"
        found.append(files(looked))
        if not found[-1]:
            raise BadValueError(f"side {side} has no pictures in {looked}; expected is {UNPAIRED_LAYOUTS}.")
    return check_apart(UnpairedDataset(folder.resolve().name, *found))


def two_folders(name_A, name_B):
    """A folder for either side."""
    if name_A is None:
        raise BadValueError(f"the folder {str(name_B)!r} for side B needs one for side A.")
    folder_A, folder_B = located(name_A), located(name_B)
    (train_A, test_A), (train_B, test_B) = splits(folder_A, "side A"), splits(folder_B, "side B")
    name = f"{folder_A.resolve().name}2{folder_B.resolve().name}"
    return check_apart(UnpairedDataset(name, train_A, train_B, test_A, test_B))


def check_apart(found):
    """`found`, or a BadValueError if its sides come from the same folder, by whatever path."""
    folder_A, folder_B = found.train_A[0].parent, found.train_B[0].parent
    if folder_A.resolve() == folder_B.resolve():
        raise BadValueError(f"sides A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")
    return found


def splits(folder, whose, recursive=False, layouts=UNPAIRED_LAYOUTS):
    """The pictures of a folder, (train, test): one in ten is for testing where nothing is set apart.

    Errors say `whose` pictures they are.
    """
    test = files(folder / "test", recursive) or files(folder / "val", recursive)
    apart = set(test)
    train = files(folder / "train", recursive) or [path for path in files(folder, recursive) if path not in apart]
    if not train:
        raise BadValueError(f"{whose} has no pictures in {folder} or {folder / 'train'}; expected is {layouts}.")
    return (train, test) if test else held_out(train, whose)


def held_out(pictures, whose):
    """These pictures as (train, test), one in ten for testing; BadValueError that says `whose` if there is only one."""
    if len(pictures) == 1:
        raise BadValueError(f"{whose} has only {pictures[0]}: one is needed to train and another one to test.")
    return [picture for i, picture in enumerate(pictures) if i % HELD_OUT], pictures[::HELD_OUT]


def gray2colour(name, train, test):
    """Gray versions of pictures on side A, the pictures on side B."""
    return UnpairedDataset(name, [Gray(p) for p in train], train, [Gray(p) for p in test], test)


def cifar10():
    """The 50,000 and the 10,000 colour pictures of CIFAR-10, in memory."""
    instead = 'name a folder of colour pictures instead: "gray2colour:FOLDER"'
    (train, _), (test, _) = fetched("cifar10", "CIFAR-10", instead)
    return [in_memory(array, f"CIFAR-10 {split}") for split, array in (("train", train), ("test", test))]


def fetched(module, title, instead):
    """What `load_data()` of this module of `keras.datasets` gives, or a NotFoundError that says what to do instead."""
    import keras

    try:
        return getattr(keras.datasets, module).load_data()
    except Exception as error:  # what Keras raises where there is no network is a bare Exception
        raise NotFoundError(f"{title} cannot be had from keras.datasets ({error}); {instead}.") from error


def in_memory(array, title):
    """The pictures of an array, uint8 (n, height, width[, 3]), named by title and number."""
    return [Pixels(pixels, f"{title} picture {i}") for i, pixels in enumerate(array)]


def torn_folder(folder):
    """A folder of pairs, and a line that says so: it could be one side that lacks the other."""
    train, test = (pictures(folder, *names, layout=UNPAIRED_LAYOUTS) for names in (["train"], ["val", "test"]))
    if len(train) == 1:
        raise BadValueError(f"{folder / 'train'} has only one pair: side B needs another one.")
    print(f"No trainA and trainB in {folder}: taking its pictures for pairs, left halves for A and right halves for B.")
    return torn(Dataset(folder.resolve().name, train, test))


def torn(pairs):
    """Pairs without their partners: left halves of the even ones, right halves of the odd ones; all for testing."""
    return UnpairedDataset(
        pairs.name,
        [Half(pair, right=False) for pair in pairs.train[::2]],
        [Half(pair, right=True) for pair in pairs.train[1::2]],
        [Half(pair, right=False) for pair in pairs.test],
        [Half(pair, right=True) for pair in pairs.test],
    )


# Folders and files.


def locate(name):
    """The folder of this name, below `datasets/` or by path, or None."""
    return next((path for path in (FOLDER / name, Path(name)) if path.is_dir()), None)


def located(name):
    """The folder of this name, or a NotFoundError."""
    folder = locate(name)
    if folder is None:
        raise missing(name)
    return folder


def missing(name):
    """The error that there is no unpaired data set or folder of this name."""
    there = f"{existing()}, gray2colour (CIFAR-10)"
    return not_found(f"no data set or folder {str(name)!r}", name, there, UNPAIRED_LAYOUTS)


def not_found(what, name, there, layouts):
    """The error that there is nothing of this name; for one of the catalogue it says how to get it."""
    return NotFoundError(f"{what}: {how_to_get(name)}there is {there}; expected is {layouts}.")


def existing(*built_in):
    """What can be named here: the folders below `datasets/` and what is built in, drawn shoes if nothing is said."""
    inside = FOLDER.iterdir() if FOLDER.is_dir() else ()
    folders = sorted(path.name for path in inside if path.is_dir() and not path.name.startswith("."))
    return ", ".join([*(f"datasets/{name}" for name in folders), *(built_in or ["drawn_shoes (built in)"])])


def pictures(folder, *splits, layout=f"the layout {LAYOUT}"):
    """The picture files of the first of these subfolders that has any, sorted by name."""
    for split in splits:
        found = files(folder / split)
        if found:
            return found
    looked = " or ".join(str(folder / split) for split in splits)
    raise BadValueError(f"no pictures in {looked}; expected is {layout}.")


def files(folder, recursive=False):
    """The picture files in a folder (and its subfolders), sorted; none if there is no such folder."""
    endings = tuple(Image.registered_extensions())
    entries = folder.rglob("*") if recursive else folder.glob("*")
    return sorted(
        path
        for path in entries
        if path.suffix.lower() in endings and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )

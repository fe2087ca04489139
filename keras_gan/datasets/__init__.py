"""Data sets by name: folders below `datasets/`, folders given by path, and those that are built in."""

from dataclasses import dataclass

from keras_gan.datasets.catalogue import how_to_get
from keras_gan.datasets.folders import existing, files, locate, name_of, splits
from keras_gan.datasets.paired_folders import TESTS, paired_folders, paired_sides
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.sources import DrawnShoe, Gray, Half, Pixels, Sides

LAYOUT = "NAME/train and NAME/val (or NAME/test), pictures with A in the left half and B in the right half"
PAIRED_LAYOUTS = (
    f"the layout {LAYOUT}, or such pictures directly inside; or pictures of the same names in two folders, "
    "the second for side B, or in NAME/trainA and NAME/trainB"
)
UNPAIRED_LAYOUTS = (
    "NAME with trainA, trainB, testA and testB; or two folders of pictures, the second for side B; "
    f'or "gray2colour:FOLDER" of colour pictures; or pairs, {LAYOUT}'
)
REAL_SHOES = "for real photos, python -m keras_gan.datasets download edges2shoes"


@dataclass
class Dataset:
    """A paired data set: its name and the pairs (paths, `Sides` or `DrawnShoe`s) of its two splits."""

    name: str
    train: list
    test: list


@dataclass
class UnpairedDataset:
    """An unpaired data set: its name and the pictures (see `keras_gan.images.sources.open_picture`) of both sides."""

    name: str
    train_A: list
    train_B: list
    test_A: list
    test_B: list


def find(name=None, name_B=None):
    """Finds a paired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, of pictures that hold a pair side by side, in
              `train` and `val` (or `test`) or directly inside; without a test split every tenth
              picture by name is held out as one;
            - a folder with trainA and trainB (and testA and testB), where pictures of the same name
              belong together, whatever their endings;
            - with `name_B`: the folder of side A, whose pictures have the names of those of side B;
            - "drawn_shoes".
            None: the folder `datasets/edges2shoes` where it exists, else "drawn_shoes", and a line
            that says so.
        name_B: the folder of side B.

    Returns:
        A `Dataset`.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a split has no pictures, or pictures have no partners.
    """
    if name_B is not None:
        folder_A, folder_B = both_located(name, name_B, PAIRED_LAYOUTS)
        return Dataset(both_names(folder_A, folder_B), *joined(paired_folders(folder_A, folder_B)))
    if name is None:
        name = "edges2shoes" if locate("edges2shoes") else "drawn_shoes"
        if name == "drawn_shoes":
            print(f"No data set named and no datasets/edges2shoes here: using the built-in drawn_shoes; {REAL_SHOES}.")
    folder = locate(name)
    if folder is not None:
        if (folder / "trainA").is_dir() and not (folder / "train").is_dir():
            return Dataset(name_of(folder), *joined(sides_as_pairs(folder)))
        return Dataset(name_of(folder), *splits(folder, f"data set {str(name)!r}", PAIRED_LAYOUTS, TESTS))
    if name == "drawn_shoes":
        return Dataset(name, [DrawnShoe(i) for i in range(1000)], [DrawnShoe(i) for i in range(1000, 1100)])
    raise not_found(f"no data set {str(name)!r}", name, existing(), PAIRED_LAYOUTS)


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
        return gray2colour(f"gray2colour-{name_of(folder)}", *splits(folder, "side B", UNPAIRED_LAYOUTS))
    raise missing(name)


# The kinds of data sets.


def joined(jobs):
    """The two splits of pairs whose halves are in two files."""
    return ([Sides(*paths) for paths in jobs[split].values()] for split in ("train", "val"))


def sides_as_pairs(folder):
    """The pairs in trainA and trainB, or a BadValueError that says who takes these pictures otherwise."""
    try:
        return paired_sides(folder)
    except BadValueError as error:
        raise BadValueError(
            f"{folder} holds no pairs but two unpaired sides, trainA and trainB: python -m keras_gan.cyclegan "
            f"takes it; for pairs, {error}"
        ) from error


def four_folders(folder):
    """A folder with trainA, trainB, testA and testB."""
    found = []
    for split, side in (("train", "A"), ("train", "B"), ("test", "A"), ("test", "B")):
        looked = folder / f"{split}{side}"
        found.append(files(looked))
        if not found[-1]:
            raise BadValueError(f"side {side} has no pictures in {looked}; expected is {UNPAIRED_LAYOUTS}.")
    check_apart(folder / "trainA", folder / "trainB")
    return UnpairedDataset(name_of(folder), *found)


def two_folders(name_A, name_B):
    """A folder for either side."""
    folder_A, folder_B = both_located(name_A, name_B, UNPAIRED_LAYOUTS)
    check_apart(folder_A, folder_B)
    (train_A, test_A), (train_B, test_B) = (
        splits(folder, f"side {side}", UNPAIRED_LAYOUTS) for folder, side in ((folder_A, "A"), (folder_B, "B"))
    )
    return UnpairedDataset(both_names(folder_A, folder_B), train_A, train_B, test_A, test_B)


def both_located(name_A, name_B, layouts):
    """The folders of both sides, or an error that says which is missing."""
    if name_A is None:
        raise BadValueError(f"the folder {str(name_B)!r} for side B needs one for side A.")
    return located(name_A, layouts), located(name_B, layouts)


def both_names(folder_A, folder_B):
    """The name of a data set of two folders."""
    return f"{name_of(folder_A)}2{name_of(folder_B)}"


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
    if not files(folder / "train"):
        raise BadValueError(f"no pictures in {folder / 'train'}; expected is {UNPAIRED_LAYOUTS}.")
    train, test = splits(folder, f"data set {folder.name!r}", UNPAIRED_LAYOUTS, TESTS)
    if len(train) == 1:
        raise BadValueError(f"{folder / 'train'} has only one pair: side B needs another one.")
    print(f"No trainA and trainB in {folder}: taking its pictures for pairs, left halves for A and right halves for B.")
    return torn(Dataset(name_of(folder), train, test))


def torn(pairs):
    """Pairs without their partners: left halves of the even ones, right halves of the odd ones; all for testing."""
    return UnpairedDataset(
        pairs.name,
        [Half(pair, right=False) for pair in pairs.train[::2]],
        [Half(pair, right=True) for pair in pairs.train[1::2]],
        [Half(pair, right=False) for pair in pairs.test],
        [Half(pair, right=True) for pair in pairs.test],
    )


# What is not there.


def located(name, layouts=UNPAIRED_LAYOUTS):
    """The folder of this name, or a NotFoundError."""
    folder = locate(name)
    if folder is None:
        raise missing(name, layouts)
    return folder


def check_apart(folder_A, folder_B):
    """Raises BadValueError if both sides come from the same folder, by whatever path."""
    inside = ((folder / "train", folder) for folder in (folder_A, folder_B))
    real_A, real_B = ((train if train.is_dir() else folder).resolve() for train, folder in inside)
    if real_A == real_B:
        raise BadValueError(f"sides A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")


def missing(name, layouts=UNPAIRED_LAYOUTS):
    """The error that there is no data set or folder of this name for models that need two sides."""
    there = f"{existing()}, gray2colour (CIFAR-10)" if layouts is UNPAIRED_LAYOUTS else existing()
    return not_found(f"no data set or folder {str(name)!r}", name, there, layouts)


def not_found(what, name, there, layouts):
    """The error that there is nothing of this name; for one of the catalogue it says how to get it."""
    return NotFoundError(f"{what}: {how_to_get(name)}there is {there}; expected is {layouts}.")

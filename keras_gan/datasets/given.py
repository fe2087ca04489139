"""Data given from Python: arrays, lists of pictures, and data sets of TensorFlow or Keras."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from keras_gan.datasets.class_folders import held_out, numbered
from keras_gan.datasets.folders import counted, hold_out, natural_key
from keras_gan.datasets.sets import Dataset, LabelledDataset, UnpairedDataset
from keras_gan.errors import BadValueError
from keras_gan.images.given import Given
from keras_gan.images.sources import Labelled, Sides
from keras_gan.machine.memory import SMALL, fault_of

NAME = "arrays"  # of every data set that is given, and of folders named after it
NOT_KEPT = "given from Python"  # what `config.json` has in place of the data
AB, X, XY = ("A", "B"), ("picture",), ("picture", "label")  # the columns of pairs and sides, pictures, labelled ones
FORMS = {
    AB: "(A, B), two arrays of pictures or data sets, or a data set of batches (A, B)",
    X: "an array or a list of pictures, or a data set of batches",
    XY: "(pictures, labels), or a data set of batches (pictures, labels)",
}


class GivenData(NamedTuple):
    """The arguments `data` and `test_data` of a model, in place of the name of a data set.

    Without test data, every tenth picture (of each side, of each class) is held out. Its methods raise BadValueError if
    the data cannot be used.
    """

    data: Any
    test_data: Any = None

    def paired(self) -> Dataset:
        """Pairs (A, B)."""
        return Dataset(NAME, *self.split(pairs))

    def unpaired(self) -> UnpairedDataset:
        """Two sides, A and B, whose numbers may differ."""
        A, B = columns(self.data, AB)
        if self.test_data is None:
            (A, test_A), (B, test_B) = (hold_out(side, NAME) for side in (A, B))
        else:
            test_A, test_B = columns(self.test_data, AB, "test ")
        return UnpairedDataset(NAME, A, B, test_A, test_B)

    def pictures(self) -> LabelledDataset:
        """Single pictures, all of one class. Labels beside them are left out."""
        return LabelledDataset(NAME, *self.split(unlabelled), [NAME], is_held_out=self.test_data is None)

    def labelled(self) -> LabelledDataset:
        """Pictures and labels. The classes are the labels that occur, or the `class_names` of a data set."""
        train = by_class(self.data)
        if self.test_data is None:
            train, test = held_out(train)
        else:
            found = by_class(self.test_data, "test ")
            if unknown := [name for name in found if name not in train]:
                raise BadValueError(f"test_data has the class {unknown[0]!r}, which data has not.")
            test = {name: found.get(name, []) for name in train}
        return LabelledDataset(NAME, numbered(train), numbered(test), list(train), (), self.test_data is None)

    def split(self, read: Callable) -> tuple[list, list]:
        """What `read` finds to train on and to test on."""
        train = read(self.data, "")
        return hold_out(train, NAME) if self.test_data is None else (train, read(self.test_data, "test "))


def given_or_named(name: Any, data: Any, test_data: Any, **others: Any) -> Any:
    """The data of a model: `GivenData`, or the name of a data set.

    Raises:
        BadValueError: if both are given, or test data alone, or what a run or a saved model has in place of its data.
    """
    if data is None:
        if test_data is not None:
            raise BadValueError("test_data needs data to train on: give data, too.")
        return name
    if NOT_KEPT in (text for text in (data, test_data) if isinstance(text, str)):
        raise BadValueError(
            "it was trained on data given from Python, which is not kept: give the same again, as in "
            "resume(run, data=(A, B)) or evaluate(run, data=(A, B)), and test_data if there was any."
        )
    for argument, value in others.items():
        if value is not None:
            raise BadValueError(f"data and {argument} {str(value)!r} are two data sets: leave one out.")
    return GivenData(data, test_data)


def pairs(data: Any, whose: str) -> list[Sides]:
    """The pairs of both columns. Raises BadValueError if their numbers differ."""
    A, B = columns(data, AB, whose)
    if len(A) != len(B):
        raise BadValueError(f"{whose}A has {counted(len(A))} and B {len(B)}: pairs need equally many.")
    return [Sides(*pair) for pair in zip(A, B, strict=True)]


def unlabelled(data: Any, whose: str) -> list[Labelled]:
    (found,) = columns(data, X, whose)
    return [Labelled(picture, 0) for picture in found]


def by_class(data: Any, whose: str = "") -> dict[str, list[Given]]:
    """{class: its pictures}, in natural order of the classes or in that of `class_names`."""
    pictures, labels = columns(data, XY, whose)
    if len(pictures) != len(labels):
        raise BadValueError(f"{whose}data has {counted(len(pictures))} and {counted(len(labels), 'label')}.")
    names = getattr(data, "class_names", None)
    if names is not None:
        labels = [names[int(label)] for label in labels]
    found: dict[str, list[Given]] = {name: [] for name in sorted(set(labels), key=natural_key)}
    for picture, label in zip(pictures, labels, strict=True):
        found[label].append(picture)
    return found


def columns(data: Any, names: tuple[str, ...], whose: str = "") -> list[list]:
    """The pictures and labels of some data, a list for each of the columns `names`.

    Args:
        data: one of `FORMS`.
        names: `AB`, `X` or `XY`.
        whose: stands before the names of pictures.

    Raises:
        BadValueError: if the data has another form, or is too large for memory.
    """
    parts: Any
    if is_stream(data):
        parts = collected(data, names)
    elif names == X and not isinstance(data, tuple):
        parts = [data]
    elif isinstance(data, tuple | list) and (len(data) == len(names) or (names == X and len(data) == 2)):
        parts = data
    else:
        raise BadValueError(f"{whose.replace(' ', '_')}data must be {FORMS[names]}, not {kind_of(data)}.")
    of_all = zip(names, parts, strict=False)
    return [labels_in(part, whose) if name == "label" else pictures_in(part, whose + name) for name, part in of_all]


def pictures_in(values: Any, name: str) -> list[Given]:
    """The pictures of an array (n, height, width[, channels]), a list or a data set, numbered from 0."""
    if is_stream(values):
        (values,) = collected(values, X)
    if isinstance(values, list):
        arrays = [np.asarray(value) for value in values]
    else:
        values = np.asarray(values)
        if values.ndim not in (3, 4):
            raise BadValueError(f"{name} must be pictures (number, height, width, channels), not {kind_of(values)}.")
        arrays = list(values)
    for number, array in enumerate(arrays):
        if array.ndim not in (2, 3) or not array.size or array.dtype == object:
            raise BadValueError(f"{name} {number} must be (height, width, channels), not {kind_of(array)}.")
    if not arrays:
        raise BadValueError(f"{name} has no pictures.")
    return [Given(array, f"{name} {number}") for number, array in enumerate(arrays)]


def labels_in(values: Any, whose: str) -> list[str]:
    """Labels, whole numbers or names, as text."""
    labels = np.asarray(values)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1 or labels.dtype.kind not in "iufbUSO" or (labels.dtype.kind == "f" and (labels % 1).any()):
        raise BadValueError(f"{whose}labels must be a whole number or a name for each picture, not {kind_of(labels)}.")
    if labels.dtype.kind == "f":
        labels = labels.astype(int)
    return [label.decode() if isinstance(label, bytes) else str(label) for label in labels.tolist()]


def is_stream(data: Any) -> bool:
    """Whether data comes in batches: a `tf.data.Dataset`, or a `keras.utils.PyDataset`."""
    return hasattr(data, "as_numpy_iterator") or hasattr(type(data), "num_batches")


def collected(stream: Any, names: tuple[str, ...]) -> list[list[np.ndarray]]:
    """The items of a data set in memory, a list for each column: it is read once, in its own order.

    Raises:
        BadValueError: if it never ends, yields something else, or takes more than half of the free memory.
    """
    found: list[list[np.ndarray]] = [[] for _ in names]
    size = asked = 0
    for batch in batches_of(stream):
        parts = batch if isinstance(batch, tuple | list) else (batch,)
        if isinstance(batch, dict) or len(parts) < len(names):
            raise BadValueError(f"{kind_of(stream)} yields {kind_of(batch)}, but data must be {FORMS[names]}: map it.")
        for column, name, part in zip(found, names, parts, strict=False):
            array = np.array(part)
            column += list(array) if array.ndim == (1 if name == "label" else 4) else [array]
            size += array.nbytes
        if size - asked > SMALL:
            asked = size
            if fault := fault_of(size):
                raise BadValueError(f"{kind_of(stream)} is too large, {fault}: save it as files, or use fit().")
    print(f"Read {counted(len(found[0]))}{' of each side' * (names == AB)} from {kind_of(stream)} into memory.")
    return found


def batches_of(stream: Any) -> Iterator[Any]:
    """The batches of a data set. Raises BadValueError if there is no end to them."""
    if hasattr(stream, "as_numpy_iterator"):
        if int(stream.cardinality()) == -1:
            raise BadValueError(f"{kind_of(stream)} never ends: leave out its repeat().")
        return stream.as_numpy_iterator()
    try:
        count = stream.num_batches
    except NotImplementedError:
        count = None
    if count is None:
        raise BadValueError(f"{kind_of(stream)} tells no number of batches: give it __len__().")
    return (stream[i] for i in range(count))


def kind_of(value: Any) -> str:
    """What a value is, in messages."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array {tuple(value.shape)} of {value.dtype}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"

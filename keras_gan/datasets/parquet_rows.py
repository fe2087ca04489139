"""The rows of Parquet files as shards: footers tell how many there are, row groups are read when one asks."""

import bisect
import contextlib
import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.datasets import hub
from keras_gan.datasets.hub_columns import columns_of
from keras_gan.errors import BadValueError
from keras_gan.images.members import Cell
from keras_gan.images.sources import Sides
from keras_gan.machine.installation import install, is_there


class ParquetShard:
    """A Parquet file with a column of pictures, or one of each side; see `keras_gan.datasets.entries.Shard`.

    Raises:
        BadValueError: if the file is no Parquet file or is cut short, or has no column of pictures.
    """

    def __init__(self, path: Path) -> None:
        if not is_there("pyarrow"):
            raise BadValueError(f"{path} takes the package pyarrow to read: {install('hub')}")
        import pyarrow.parquet as pq

        self.path, self.faults, self.suffixes = path, list[str](), list[str]()
        with named_damage(path), pq.ParquetFile(path) as file:
            footer, schema = file.metadata, file.schema_arrow
            counts = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        self.count = footer.num_rows
        self.classes: list[str] = []
        self.are_pairs, self._columns, self._label = False, list[str](), None
        self._ends = list(accumulate(counts))
        if self.count:
            columns = columns_in(path, schema)
            self._label = columns.get("label")
            self.are_pairs = "A" in columns
            self._columns = [columns["A"], columns["B"]] if self.are_pairs else [columns["image"]]
            self._names = class_names(schema, self._label)

    def picture(self, number: int, place: int) -> Any:
        """A `Cell`, or `Sides` of two."""
        group = bisect.bisect_right(self._ends, number)
        row = number - (self._ends[group - 1] if group else 0)
        cells = [Cell(self.path, place, number, group, row, column) for column in self._columns]
        return Sides(*cells) if self.are_pairs else cells[0]

    def labels(self) -> np.ndarray:
        """The place of each row's class in `classes`, or -1. Raises BadValueError if the column is damaged."""
        if self._label is None:
            return np.full(self.count, -1, "i4")
        import pyarrow.parquet as pq

        with named_damage(self.path):
            column = pq.read_table(self.path, columns=[self._label]).column(0).combine_chunks().dictionary_encode()
            values = column.dictionary.to_pylist()
        self.classes = [name_of(value, self._names) for value in values]
        return column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype("i4")


@contextlib.contextmanager
def named_damage(path: Path) -> Iterator[None]:
    """Turns the errors of pyarrow into a BadValueError that names the file."""
    import pyarrow as pa

    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise BadValueError(f"{path} is damaged or cut short, fetch it again or leave it out: {why}") from error


def columns_in(path: Path, schema: Any) -> dict[str, str]:
    """What the columns of a file are, see `columns_of`. Where that cannot be told, `hf:` takes their names."""
    try:
        return columns_of(None, {field.name: like(field.type) for field in schema}, {}, f"{hub.PREFIX}{path.parent}")
    except BadValueError as error:
        raise BadValueError(f"{path}: {error}") from error


def like(kind: Any) -> Any:
    """A value of a column, as far as it tells what the column is for; no row is read for this."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if are_files(kind):
        return {"bytes": b"", "path": ""} if pa.types.is_struct(kind) else b""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ""
    return 0 if pa.types.is_integer(kind) else None


def are_files(kind: Any) -> bool:
    """Whether a column of this type has the bytes of files: as they are, or as the field `bytes` of a struct."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and are_files(kind.field("bytes").type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def class_names(schema: Any, label: str | None) -> list[str]:
    """The names of classes that the library `datasets` notes in a file, or []."""
    try:
        noted = json.loads((schema.metadata or {})[b"huggingface"])
        return list(noted["info"]["features"][label]["names"])
    except (KeyError, ValueError, TypeError):
        return []


def name_of(label: Any, names: list[str]) -> str:
    """The name of a class, by its number or as it stands."""
    is_number = isinstance(label, int) and 0 <= label < len(names)
    return names[label] if is_number else str(label)

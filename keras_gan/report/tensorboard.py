"""TensorBoard event files without TensorFlow, for any Keras backend."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_gan.files import write_whole
from keras_gan.report.run_files import say


class Summaries:
    """Writes scalars and pictures to an event file. (tensorboard's own `EventFileWriter` imports TensorFlow.)

    Args:
        folder: the folder, created if missing.
        iteration: events after this one are deleted; a resumed run writes them again.
    """

    def __init__(self, folder: Path, iteration: int) -> None:
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.glob("events.*")):
            if path.is_file():
                keep_up_to(path, iteration)
        self.path = folder / f"events.out.tfevents.{time.time_ns()}"
        self.write(Event(file_version="brain.Event:2"))

    def scalars(self, iteration: int, figures: dict[str, float]) -> None:
        """Writes a dict of numbers."""
        self.values(iteration, [Summary.Value(tag=name, simple_value=figure) for name, figure in figures.items()])

    def picture(self, iteration: int, name: str, png: bytes) -> None:
        """Writes a picture, the contents of a PNG file."""
        width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
        image = Summary.Image(height=height, width=width, encoded_image_string=png)
        self.values(iteration, [Summary.Value(tag=name, image=image)])

    def values(self, iteration: int, values: list) -> None:
        self.write(Event(step=iteration, summary=Summary(value=values)))

    def write(self, event: Event) -> None:
        event.wall_time = time.time()
        with open(self.path, "ab") as file:  # closed after each event, to survive a kill
            RecordWriter(file).write(event.SerializeToString())


def keep_up_to(path: Path, iteration: int) -> None:
    """Deletes events after this iteration, and damaged ones, from an event file."""
    with write_whole(path) as unfinished, open(unfinished, "wb") as file:
        for record, event in records(path):
            if event.step <= iteration:
                file.write(record)


def records(path: Path) -> Iterator[tuple[bytes, Event]]:
    """The records of an event file, and what they hold. Damaged ones are left out, and all after a damaged length.

    (TensorBoard's reader takes no path that is not valid UTF-8, and stops at the first damaged record.)
    """
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        while len(head := file.read(12)) == 12:  # the length of the data, 8 bytes, and its checksum
            length = int.from_bytes(head[:8], "little")
            left -= 12 + length + 4
            if not is_sum(head[8:], head[:8]):
                say(f"{path} is damaged: its events are left out from the damage on")
                return
            if left < 0:  # an incomplete last record
                return
            data, checksum = file.read(length), file.read(4)
            try:
                if not is_sum(checksum, data):
                    raise DecodeError("its checksum differs")
                yield head + data + checksum, Event.FromString(data)
            except DecodeError as error:
                say(f"{path} is damaged ({error}): the event is left out")


def is_sum(checksum: bytes, data: bytes) -> bool:
    return checksum == masked_crc32c(data).to_bytes(4, "little")

"""TensorBoard event files without TensorFlow, for any Keras backend."""

import time
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_gan.files import write_whole


class Summaries:
    """Writes scalars and pictures to an event file. (tensorboard's own `EventFileWriter` imports TensorFlow.)

    Args:
        folder: the folder, created if missing.
        iteration: events after this one are deleted; a resumed run writes them again.
    """

    def __init__(self, folder: Path, iteration: int) -> None:
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.glob("events.*")):
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
    """Deletes events after this iteration, and an incomplete last one, from an event file."""
    with write_whole(path) as unfinished, open(unfinished, "wb") as file:
        writer = RecordWriter(file)
        for record in records(path):
            if Event.FromString(record).step <= iteration:
                writer.write(record)


def records(path: Path) -> Iterator[bytes]:
    """The complete records of an event file. (TensorBoard's reader takes no path that is not valid UTF-8.)"""
    with open(path, "rb") as file:
        while len(head := file.read(12)) == 12:  # the length of the data, 8 bytes, and its checksum
            data = file.read(int.from_bytes(head[:8], "little"))
            if len(file.read(4)) < 4:  # the checksum of the data
                return
            yield data

"""TensorBoard's files, written by the package tensorboard alone, whatever Keras runs on."""

import time

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_gan.files import write_whole


class Summaries:
    """Writes figures by name, and pictures, to an event file of a folder.

    (Its `EventFileWriter` would import TensorFlow where that is installed, for a path of Google's storage.)

    Args:
        folder: the folder, a `pathlib.Path`; made if need be.
        iteration: events after this one are dropped: a resumed run plays them again.
    """

    def __init__(self, folder, iteration):
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.glob("events.*")):
            keep_up_to(path, iteration)
        self.path = folder / f"events.out.tfevents.{time.time_ns()}"
        self.write(Event(file_version="brain.Event:2"))

    def scalars(self, iteration, figures):
        """Writes a dict of numbers."""
        self.values(iteration, [Summary.Value(tag=name, simple_value=figure) for name, figure in figures.items()])

    def picture(self, iteration, name, png):
        """Writes a picture, given as the bytes of a PNG file."""
        width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
        image = Summary.Image(height=height, width=width, encoded_image_string=png)
        self.values(iteration, [Summary.Value(tag=name, image=image)])

    def values(self, iteration, values):
        self.write(Event(step=iteration, summary=Summary(value=values)))

    def write(self, event):
        event.wall_time = time.time()
        with open(self.path, "ab") as file:  # closed again: a process may be killed at any time
            RecordWriter(file).write(event.SerializeToString())


def keep_up_to(path, iteration):
    """Drops the events after this iteration, and a last one that was cut short, from an event file."""
    with write_whole(path) as unfinished, open(unfinished, "wb") as file:
        writer = RecordWriter(file)
        for record in RawEventFileLoader(str(path)).Load():
            if Event.FromString(record).step <= iteration:
                writer.write(record)

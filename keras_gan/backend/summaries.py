"""TensorBoard's files. What reads them, the package tensorboard, need not be installed to write them."""

import tensorflow as tf

from keras_gan.files import write_whole


class Summaries:
    """Writes figures by name, and pictures, to the event files of a folder.

    `tf.summary.write` alone is TensorFlow's own; `tf.summary.scalar` and `image`, and the graphs of
    Keras' callback, need tensorboard, which TensorFlow no longer brings along.

    Args:
        folder: the folder.
        iteration: events after this one are dropped: a resumed run plays them again.
    """

    def __init__(self, folder, iteration):
        for path in sorted(folder.glob("events.*")):
            keep_up_to(path, iteration)
        self.writer = tf.summary.create_file_writer(str(folder))

    def scalars(self, iteration, figures):
        """Writes a dict of numbers."""
        with self.writer.as_default(step=iteration):
            for name, figure in figures.items():
                tf.summary.write(name, tf.constant(figure, "float32"), metadata=plugin("scalars"))
        self.writer.flush()  # else a process that is killed loses two minutes of them

    def picture(self, iteration, name, png):
        """Writes a picture, given as the bytes of a PNG file."""
        size = [str(int.from_bytes(png[start : start + 4], "big")).encode() for start in (16, 20)]
        with self.writer.as_default(step=iteration):
            tf.summary.write(name, tf.constant([*size, png]), metadata=plugin("images"))
        self.writer.flush()

    def close(self):
        self.writer.close()


def plugin(name):
    """Says to TensorBoard what it is that is written."""
    return tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": name})


def keep_up_to(path, iteration):
    """Drops the events after this iteration, and a last one that was cut short, from an event file."""
    with write_whole(path) as unfinished, tf.io.TFRecordWriter(str(unfinished)) as writer:
        try:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if tf.compat.v1.Event.FromString(record).step <= iteration:
                    writer.write(record)
        except tf.errors.DataLossError:
            pass

"""How one update is differentiated and applied: the only place that knows which framework runs below Keras."""

import keras

from keras_gan.errors import BadValueError


def check():
    """Raises BadValueError if Keras runs on a backend that this package cannot train on."""
    name = keras.backend.backend()
    if name != "tensorflow":
        raise BadValueError(f"Keras runs on {name!r}, keras_gan on TensorFlow only: set KERAS_BACKEND=tensorflow.")


def play(model, batch):
    """Plays one step of an `AdversarialModel`: discriminators and generators are updated."""
    from keras_gan.backend import tensorflow

    tensorflow.play(model, batch)


def prepare(optimizer):
    """Makes what an update needs beside the optimizer's own slots; call it once those are built."""
    from keras_gan.backend import tensorflow

    tensorflow.prepare(optimizer)

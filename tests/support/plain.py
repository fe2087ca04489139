"""Runs models with plain Keras layers and optimizers, and counts which of this package's fast paths a step uses."""

import collections
import contextlib

import keras
from keras import ops

from keras_gan import backend
from keras_gan.layers import convolutions

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    from keras_gan.backend import tensorflow as tensorflow_step
    from keras_gan.backend import tensorflow_few_filters, tensorflow_optimizers, tensorflow_taps, tensorflow_winograd


def upsampled(self, inputs, kernel):
    """The two layers that `UpsampleConv2D` replaces."""
    inputs = ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2)
    return keras.layers.Conv2D.convolution_op(self, inputs, kernel)


@contextlib.contextmanager
def plain(monkeypatch):
    """In this context all layers and updates use Keras' own code."""
    with monkeypatch.context() as patch:
        patch.setattr(convolutions.Conv2D, "convolution_op", keras.layers.Conv2D.convolution_op)
        patch.setattr(convolutions.Conv2DTranspose, "call", keras.layers.Conv2DTranspose.call)
        patch.setattr(convolutions.UpsampleConv2D, "convolution_op", upsampled)
        if ON_TENSORFLOW:
            patch.setattr(tensorflow_optimizers, "is_plain", lambda optimizer: False)
            patch.setattr(tensorflow_step, "gradients_of", lambda loss, variables, tape: tape.gradient(loss, variables))
        yield


WAYS = ["by taps", "transposed by taps", "upsampled by taps", "transposed and box", "transposed on JAX"]
WAYS += ["Winograd 3x3", "Winograd 4x4", "few filters", "joined gradients", "Adam", "RMSprop"]


@contextlib.contextmanager
def noting(monkeypatch):
    """Yields a `Counter` of the fast paths (`WAYS`) that layers and updates use in this context."""
    taken = collections.Counter()

    def note(patch, owner, name, way):
        usual = getattr(owner, name)

        def noted(*arguments, **options):
            taken[way(*arguments) if callable(way) else way] += 1
            return usual(*arguments, **options)

        patch.setattr(owner, name, noted)

    def layer_by_taps(layer, x, channels, filters, taps_of, *more):
        found = usual_plan(layer, x, channels, filters, taps_of, *more)
        if found is not None:
            taken[BY_TAPS[taps_of.__name__]] += 1
        return found

    usual_plan = convolutions.plan
    with monkeypatch.context() as patch:
        patch.setattr(convolutions, "plan", layer_by_taps)
        note(patch, convolutions.UpsampleConv2D, "transposed", "transposed and box")
        if ON_TENSORFLOW:
            note(patch, tensorflow_winograd, "conv", lambda x, kernel: f"Winograd {kernel.shape[0]}x{kernel.shape[0]}")
            note(patch, tensorflow_few_filters, "conv", "few filters")
            note(patch, tensorflow_taps, "joined_gradient", "joined gradients")
            note(patch, tensorflow_optimizers, "apply_adam", "Adam")
            note(patch, tensorflow_optimizers, "apply_rmsprop", "RMSprop")
        else:
            note(patch, backend.current(), "conv_transpose", "transposed on JAX")
        yield taken


BY_TAPS = {
    "taps_of_conv": "by taps",
    "taps_of_transpose": "transposed by taps",
    "taps_of_upsampling": "upsampled by taps",
}

"""Custom Keras layers. Import this module before loading saved models."""

from typing import Any

import keras
from keras import ops

from keras_gan.backend import operations
from keras_gan.layers.colour import AddLightness
from keras_gan.layers.contrib import CONFIG_KEYS, ContribInstanceNormalization
from keras_gan.layers.convolutions import Conv2D, Conv2DTranspose, UpsampleConv2D
from keras_gan.layers.instance_norm import instance_norm
from keras_gan.layers.keras_2 import accept_keras_2
from keras_gan.layers.patches import Coin, SamePatches, mirrored
from keras_gan.layers.spectral_norm import SpectralNormalization

__all__ = [
    "AddLightness",
    "Coin",
    "ContribInstanceNormalization",
    "Conv2D",
    "Conv2DTranspose",
    "ImagePool",
    "InstanceNormalization",
    "LeakyReLU",
    "ReflectionPadding2D",
    "SamePatches",
    "SpectralNormalization",
    "UpsampleConv2D",
    "mirrored",
]

accept_keras_2()
# Keras 3 does not resolve the short loss names in compiled .h5 models saved by Keras 2.
keras.saving.get_custom_objects().update(mse=keras.losses.mean_squared_error, mae=keras.losses.mean_absolute_error)


@keras.saving.register_keras_serializable(package="Addons", name="InstanceNormalization")
class InstanceNormalization(keras.layers.GroupNormalization):
    """Normalises each channel of each picture by its own mean and variance over height and width.

    It equals `tensorflow_addons.layers.InstanceNormalization` (Ulyanov et al., 2016), with the same registered name and
    defaults: models saved with tensorflow-addons load here without it. The layer of the same name in keras-contrib
    differs, see `ContribInstanceNormalization`. `from_config` makes that one of a configuration without `groups`, so
    `.h5` files saved with keras-contrib load, too.

    Args:
        groups: -1 (one group per channel) or the number of channels, as in saved configurations.
        axis: -1, the channels. (In keras-contrib it is the axis that keeps a mean of its own, and None means one mean
            over height, width and channels.)
        epsilon: added to the variance, inside the square root.
        **kwargs: as `keras.layers.GroupNormalization`.

    Shapes: (batch, ..., channels) to the same. On 1x1 maps, where this package omits the layer, the output is beta.

    Raises:
        ValueError: for other groups or another axis; by `from_config` for the configuration of another layer.
    """

    def __init__(self, groups: int = -1, axis: int = -1, epsilon: float = 1e-3, **kwargs: Any):
        super().__init__(groups=groups, axis=axis, epsilon=epsilon, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer of a configuration of tensorflow-addons, or of keras-contrib, which has no groups."""
        if "groups" in config:
            return super().from_config(config)
        if config.keys() >= CONFIG_KEYS:
            return ContribInstanceNormalization.from_config(config)
        raise ValueError(
            "this InstanceNormalization is neither of tensorflow-addons nor of keras-contrib: load the file in "
            f"`with keras.saving.custom_object_scope({{'InstanceNormalization': ...}})`; its configuration: {config}."
        )

    def build(self, input_shape: Any) -> None:
        if self.groups not in (-1, input_shape[-1]) or self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(f"InstanceNormalization needs groups=-1 and axis=-1, not {self.groups} and {self.axis}.")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        dtype = "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype
        channels = (inputs.shape[-1],)
        gamma = ops.cast(self.gamma, dtype) if self.scale else ops.ones(channels, dtype)
        beta = ops.cast(self.beta, dtype) if self.center else ops.zeros(channels, dtype)
        return ops.cast(instance_norm(ops.cast(inputs, dtype), gamma, beta, self.epsilon), self.compute_dtype)


# keras-contrib saved its layer without a package.
keras.saving.get_custom_objects()["InstanceNormalization"] = InstanceNormalization


@keras.saving.register_keras_serializable(package="keras_gan")
class LeakyReLU(keras.layers.LeakyReLU):
    """Keras' LeakyReLU, x if x > 0 else negative_slope * x, computed faster in training steps on TensorFlow."""

    def call(self, inputs: Any) -> Any:
        return operations.leaky_relu(inputs, self.negative_slope)


@keras.saving.register_keras_serializable(package="keras_gan")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads height and width by reflection; the edge pixels are not repeated.

    Args:
        padding: pixels on each of the four sides; less than the height and the width.

    Shapes: (batch, height, width, channels) to (batch, height + 2 * padding, width + 2 * padding, channels).
    """

    def __init__(self, padding: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs: Any) -> Any:
        sides = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"padding": self.padding}


@keras.saving.register_keras_serializable(package="keras_gan")
class ImagePool(keras.layers.Layer):
    """A replay buffer that shows a discriminator past fakes, as in the CycleGAN authors' code.

    The first `size` pictures are stored and returned. After that, each new picture is swapped with a random stored one
    with probability 1/2; otherwise it is returned and not stored. The pictures of a batch are processed in order. The
    stored pictures and their count are weights of the layer; an `AdversarialModel` also saves the random state.

    Shrivastava et al., 2017 (https://arxiv.org/abs/1612.07828), section 2.3; Zhu et al., 2017
    (https://arxiv.org/abs/1703.10593), section 4.

    Args:
        size: number of stored pictures, at least 0; 0 disables the pool.
        seed: seed of the random swaps.

    Shapes: (batch, height, width, channels) to the same; only the batch size may vary.

    Raises:
        ValueError: for a size below 0.
    """

    def __init__(self, size: int = 50, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if size < 0:
            raise ValueError(f"The size of an image pool must be at least 0, not {size}.")
        self.size = size
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        if not self.size:
            return
        shape = (self.size, *input_shape[1:])
        self.images = self.add_weight(name="images", shape=shape, initializer="zeros", trainable=False)
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", dtype="int32", trainable=False)

    def call(self, fakes: Any) -> Any:
        if not self.size:
            return fakes
        n = ops.shape(fakes)[0]
        swaps = keras.random.uniform((n,), seed=self.seed_generator) < 0.5
        slots = keras.random.randint((n,), 0, self.size, seed=self.seed_generator)

        def add_picture(i, state):
            """Updates the sources of the returned and stored pictures: indices into [images, fakes]."""
            shown, stored, count = state
            # Not slots[i]: XLA would recompile the step for every state of the seed.
            filling, swap = count < self.size, ops.take(swaps, i)
            slot = ops.where(filling, count, ops.take(slots, i))
            new, old = self.size + i, ops.take(stored, slot)
            shown_i = ops.where(ops.logical_or(filling, ops.logical_not(swap)), new, old)
            stored_i = ops.where(ops.logical_or(filling, swap), new, old)
            shown = ops.slice_update(shown, (i,), ops.reshape(shown_i, (1,)))
            stored = ops.slice_update(stored, (slot,), ops.reshape(stored_i, (1,)))
            return shown, stored, ops.minimum(count + 1, self.size)

        start = (ops.zeros((n,), "int32"), ops.arange(self.size, dtype="int32"), ops.convert_to_tensor(self.count))
        shown, stored, count = ops.fori_loop(0, n, add_picture, start)
        pictures = ops.concatenate([ops.convert_to_tensor(self.images), fakes], axis=0)
        self.images.assign(ops.take(pictures, stored, axis=0))
        self.count.assign(count)
        return ops.take(pictures, shown, axis=0)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size}

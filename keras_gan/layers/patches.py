"""Random choices for contrastive learning: patches at the same places of two pictures, and mirrored pictures."""

from typing import Any

import keras
from keras import ops


class SamePatches(keras.layers.Layer):
    """Takes the features at the same random positions of two batches of feature maps.

    Each call draws positions, no position twice, the same for all pictures of the batch.

    Args:
        count: number of positions; all, if the maps have fewer.

    Shapes: two of (batch, height, width, channels) to two of (batch, min(count, height * width), channels).
    """

    def __init__(self, count: int = 256, **kwargs: Any):
        super().__init__(**kwargs)
        self.count = count
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, maps: Any) -> list[Any]:
        _, height, width, channels = maps[0].shape
        rows = [ops.reshape(x, (-1, height * width, channels)) for x in maps]
        if self.count >= height * width:
            return rows
        order = keras.random.uniform((height * width,), seed=self.seed_generator)
        _, positions = ops.top_k(order, self.count, sorted=False)
        return [ops.take(x, positions, axis=1) for x in rows]


class Coin(keras.layers.Layer):
    """One or zero at random for each picture of a batch: (batch, ...) to (batch, 1, 1, 1); zeros in inference."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, images: Any, training: bool = False) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        if not training:
            return ops.zeros(shape, self.compute_dtype)
        return ops.cast(keras.random.uniform(shape, seed=self.seed_generator) < 0.5, self.compute_dtype)


def mirrored(images: Any, coin: Any) -> Any:
    """Pictures or feature maps, (batch, height, width, channels), those mirrored where the `Coin` shows 1."""
    return ops.where(coin > 0.5, ops.flip(images, axis=2), images)

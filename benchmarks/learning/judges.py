"""What judges pictures beside L1 and SSIM: small classifiers, trained on real pictures, and trivial answers."""

import itertools

import keras
import numpy as np
from keras import layers


def predict(network, pictures):
    """What a network makes of pictures (n, height, width, channels)."""
    return network.predict(pictures, batch_size=16, verbose=0)


def batches_of(loader, is_testing=False):
    """All pictures of a loader in order, as one array for each side; training pictures are flipped as in training."""
    batches = (x if isinstance(x, tuple | list) else (x,) for x in loader.load_batch(16, is_testing=is_testing))
    return [np.concatenate(side) for side in zip(*batches, strict=True)]


def across(count, shown):
    """The places of `shown` among `count` pictures, evenly spread."""
    return np.linspace(0, count - 1, shown).astype(int)


def of_sides(gan, start, steps=760):
    """A small CNN that tells real training pictures of A (0) from real training pictures of B (1).

    `start` seeds it, so that all settings of a model meet the same judges. It learns for as many steps from a few
    pictures as from many.
    """
    keras.utils.set_random_seed(start)
    blocks = [keras.Input(gan.shape_A)]
    for filters in (32, 64, 128):
        blocks += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.BatchNormalization()]
        blocks += [layers.MaxPooling2D()]
    ends = [layers.GlobalAveragePooling2D(), layers.Dropout(0.3), layers.Dense(1, activation="sigmoid")]
    judge = keras.Sequential([*blocks, *ends])
    judge.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    epochs = itertools.chain.from_iterable(gan.data_loader.load_batch(16) for _ in itertools.count())
    for A, B in itertools.islice(epochs, steps):
        judge.train_on_batch(np.concatenate([A, B]), np.repeat([0.0, 1.0], len(A)))
    return judge


def of_classes(loader, shape, classes):
    """A small CNN that tells the classes of pictures of this shape apart, the same one for all settings."""
    keras.utils.set_random_seed(0)
    blocks = [keras.Input(shape)]
    for filters in (32, 64):
        blocks += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
    judge = keras.Sequential([*blocks, layers.Flatten(), layers.Dropout(0.3), layers.Dense(classes)])
    judge.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    judge.fit(loader.batches(128), epochs=3, verbose=0)
    return judge

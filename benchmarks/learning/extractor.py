"""KID by a small network, since Inception's weights are 91 MB to download: comparable with each other only.

Four convolutions are trained from a fixed seed for eight epochs to tell the classes of CIFAR-10, enlarged to 64x64. The
features of a picture are the means and standard deviations over height and width of the last three, 448 in all, scaled
by their mean and standard deviation over those pictures. `ranking` shows that they rank sanely.
"""

from functools import cached_property
from pathlib import Path

from keras_gan.data.single import ImageLoader
from keras_gan.files import write_whole
from keras_gan.images.metrics import kernel_distance
from learning.judges import batches_of

import keras
import numpy as np
from keras import layers, ops


class Extractor:
    """Maps pictures (n, 64, 64, 3) in [-1, 1] to features (n, 448), float64.

    Args:
        data: folder of CIFAR-10, with train/CLASS and test/CLASS.
        kept: file of the trained network; made if there is none.
    """

    def __init__(self, data, kept):
        self.data, self.kept = data, Path(kept)

    def pictures(self, is_testing=False):
        loader = ImageLoader(self.data, shape=(64, 64, 3), labelled=True, flip="none", resample="nearest", seed=0)
        return batches_of(loader, is_testing)

    @cached_property
    def network(self):
        if not self.kept.exists():
            self.train()
        return keras.saving.load_model(self.kept, compile=False)

    @cached_property
    def scale(self):
        images, _ = self.pictures()
        found = self.network.predict(images, verbose=0).astype("float64")
        deviation = found.std(axis=0)
        # One that hardly any picture has would be divided by nearly nothing, and then outweigh all others
        return found.mean(axis=0), np.where(deviation > 0.05 * np.median(deviation), deviation, np.inf)

    def train(self):
        keras.utils.set_random_seed(0)
        x = picture = keras.Input((64, 64, 3))
        pooled = []
        for filters, side in ((32, 5), (32, 5), (64, 3), (128, 3)):
            x = layers.Conv2D(filters, side, strides=2, padding="same", activation="relu")(x)
            pooled += [ops.mean(x, axis=(1, 2)), ops.std(x, axis=(1, 2))]
        classifier = keras.Model(picture, layers.Dense(10)(layers.Dropout(0.3)(layers.Flatten()(x))))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        classifier.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
        classifier.fit(*self.pictures(), batch_size=64, epochs=8, verbose=0)
        _, accuracy = classifier.evaluate(*self.pictures(is_testing=True), verbose=0)
        print(f"The extractor of KID is right on {100 * accuracy:.1f}% of its test pictures.", flush=True)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(self.kept) as unfinished:
            keras.Model(picture, ops.concatenate(pooled[2:], axis=-1)).save(unfinished)

    def __call__(self, images):
        mean, deviation = self.scale
        return (self.network.predict(images, verbose=0) - mean) / deviation


def kid(features, others):
    """KID in thousandths of two sets of features."""
    return 1000 * kernel_distance(features, others)


def ranking(extractor, real):
    """{change: KID of half of the pictures, changed, against the other half}: it must grow with the damage."""
    rng = np.random.default_rng(0)
    one, two = np.split(real[rng.permutation(len(real))[: len(real) // 2 * 2]], 2)
    blurred = sum(np.roll(one, (dy, dx), (1, 2)) for dy in range(-2, 3) for dx in range(-2, 3)) / 25
    changed = {"as they are": one, "noise of 0.1": one + 0.1 * rng.standard_normal(one.shape), "blurred": blurred}
    changed |= {"darker by 0.2": one - 0.2, "8 repeated": one[np.arange(len(one)) % 8]}
    changed["noise alone"] = rng.uniform(-1, 1, one.shape)
    theirs = extractor(two)
    return {name: kid(extractor(images.astype("float32")), theirs) for name, images in changed.items()}

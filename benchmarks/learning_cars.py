"""Measures what differentiable augmentation does for a DCGAN that learns from 500 pictures.

    python benchmarks/learning_cars.py --dataset CARS --extractor-data CIFAR10 --diffaugment all --iterations 4000

DCGAN, by default at 64x64 with 32 filters and batch 64, flipped at random. Every --every iterations it prints KID (in
thousandths) of 500 samples against all pictures of the folder, for the trained generator and for its moving average
(decay 0.99), with the discriminator's loss. A grid of samples goes to --output each time.

KID needs features. Inception's are 91 MB to download, so a small network gives them: four convolutions, trained for
eight epochs from a fixed seed to tell the ten classes of CIFAR-10 (5,000 pictures, enlarged to 64x64). The features are
the means and the standard deviations over height and width of its last three layers, 448 in all, scaled by their mean
and standard deviation over these 5,000 pictures. The figures are comparable with each other only. The first lines show
that they rank sanely: real pictures against real ones, blurred, with noise, darker, and eight pictures repeated.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import DCGAN
from keras_gan.images.grids import save_sheet
from keras_gan.images.metrics import kernel_distance

import imageio.v3 as imageio
import keras
import numpy as np
from keras import layers, ops


def class_pictures(folder):
    """The pictures of a folder with one subfolder per class, enlarged to 64x64, in [-1, 1], and their classes."""
    folders = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    files = [(path, number) for number, each in enumerate(folders) for path in sorted(each.iterdir())]
    images = np.stack([imageio.imread(path) for path, _ in files]).astype("float32") / 127.5 - 1
    return enlarged(images), np.array([number for _, number in files])


class Features:
    """Features of pictures for KID: float64 (batch, 448)."""

    def __init__(self, folder, kept):
        images, labels = class_pictures(Path(folder, "train"))
        if not Path(kept).exists():
            self.train(folder, images, labels).save(kept)
        self.network = keras.saving.load_model(kept, compile=False)
        found = self.network.predict(images, verbose=0).astype("float64")
        self.mean, self.std = found.mean(axis=0), found.std(axis=0) + 1e-6

    def train(self, folder, images, labels):
        keras.utils.set_random_seed(0)
        x = picture = keras.Input((64, 64, 3))
        pooled = []
        for filters in (32, 32, 64, 128):
            x = layers.Conv2D(filters, 5 if filters == 32 else 3, strides=2, padding="same", activation="relu")(x)
            pooled += [ops.mean(x, axis=(1, 2)), ops.std(x, axis=(1, 2))]
        verdict = layers.Dense(10)(layers.Dropout(0.3)(layers.Flatten()(x)))
        network = keras.Model(picture, verdict)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
        network.fit(images, labels, batch_size=64, epochs=8, verbose=0)
        _, accuracy = network.evaluate(*class_pictures(Path(folder, "test")), verbose=0)
        print(f"The extractor is right on {100 * accuracy:.1f}% of the test pictures.")
        return keras.Model(picture, ops.concatenate(pooled[2:], axis=-1))

    def __call__(self, images):
        return (self.network.predict(images, verbose=0) - self.mean) / self.std


def enlarged(images):
    """Pictures whose sides divide 64, enlarged to 64x64 by repeating pixels."""
    times = 64 // images.shape[1]
    return images.repeat(times, axis=1).repeat(times, axis=2)


def kid(features, others):
    """KID in thousandths."""
    return 1000 * kernel_distance(np.asarray(features, "float64"), np.asarray(others, "float64"))


def show_ranking(features, real, rng):
    """Prints KID of changed real pictures: it must grow with the damage."""
    order = rng.permutation(len(real))
    one, two = real[order[: len(real) // 2]], real[order[len(real) // 2 :]]
    blurred = sum(np.roll(one, (dy, dx), (1, 2)) for dy in range(-2, 3) for dx in range(-2, 3)) / 25
    changed = {"as they are": one, "noise of 0.1": one + 0.1 * rng.standard_normal(one.shape), "blurred 5x5": blurred}
    changed |= {"darker by 0.2": one - 0.2, "8 repeated": one[np.arange(len(one)) % 8]}
    changed["noise only"] = rng.uniform(-1, 1, one.shape)
    theirs = features(two)
    for name, images in changed.items():
        print(f"KID of half of the real pictures, {name}: {kid(features(images.astype('float32')), theirs):.1f}")


def main(args):
    features = Features(args.extractor_data, args.extractor)
    options = {"diffaugment": args.diffaugment, "instance_noise": args.instance_noise}
    options |= {"img_shape": (args.size, args.size, 3), "gf": args.filters, "df": args.filters}
    gan = DCGAN(flip="horizontal", dataset_name=args.dataset, seed=args.seed, output=args.output, **options)
    files = sorted(Path(args.dataset).rglob("*.png"))
    real = np.stack([imageio.imread(path) for path in files]).astype("float32") / 127.5 - 1
    side = 64 // args.size
    real = enlarged(real.reshape(-1, args.size, side, args.size, side, 3).mean(axis=(2, 4)))
    print(f"{len(real)} real pictures", flush=True)
    show_ranking(features, real, np.random.default_rng(0))
    theirs, z = features(real), gan.sample_noise(500, 0)
    gan.start_averages(0.99)
    print("\n| iterations | KID | KID of the average | d_loss |\n|---|---|---|---|", flush=True)

    def report(batch, logs):
        done = int(gan.iteration)
        if done % args.every:
            return
        images = enlarged(gan.generate(z))
        with gan.averaged():
            averaged = enlarged(gan.generate(z))
        figures = f"{kid(features(images), theirs):.1f} | {kid(features(averaged), theirs):.1f}"
        print(f"| {done:,} | {figures} | {logs['d_loss']:.2f} |", flush=True)
        save_sheet(Path(args.output, f"{done}.png"), averaged[:60].reshape(6, 10, 64, 64, 3))

    at_times = keras.callbacks.LambdaCallback(on_train_batch_end=report)
    batches = gan.data_loader.batches(args.batch_size)
    epochs = -(-args.iterations // len(batches))
    gan.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=[at_times])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="folder of 64x64 pictures")
    parser.add_argument("--extractor-data", required=True, help="folder of CIFAR-10: train/CLASS and test/CLASS")
    parser.add_argument("--extractor", default="extractor.keras", help="file of the extractor; made if there is none")
    parser.add_argument("--diffaugment", default="none")
    parser.add_argument("--instance-noise", type=float, default=0.0)
    parser.add_argument("--iterations", type=int, default=4000)
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument("--size", type=int, default=64, help="height and width of the pictures: 64 or 32")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning-cars")
    main(parser.parse_args())

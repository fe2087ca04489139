"""Seconds per iteration of DiscoGAN: the loop of the post beside one fused step, alternating in one run.

    python benchmarks/speed.py --image-size 128 --filters 64 --batch-size 1

The loop of the post is its seven Keras calls on the networks as the post builds them (UpSampling2D
and Conv2D, Keras' own normalisation and Adam). Its `combined` is ours in one respect: it names the
networks that it trains, since a literal port never trains its discriminators on Keras 3.
"""

import argparse
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import keras_gan.discogan
from keras_gan import DiscoGAN


def upsampling_then_convolution(filters, kernel_size, **options):
    """`UpsampleConv2D` as the post has it: two layers."""
    convolution = layers.Conv2D(filters, kernel_size, padding="same", **options)
    return lambda x: convolution(layers.UpSampling2D(2)(x))


def normalization():
    return layers.GroupNormalization(groups=-1, epsilon=1e-3)


def build_as_the_post_does(**options):
    """A DiscoGAN of Keras' own layers alone."""
    ours = keras_gan.discogan.UpsampleConv2D, keras_gan.discogan.InstanceNormalization
    keras_gan.discogan.UpsampleConv2D = upsampling_then_convolution
    keras_gan.discogan.InstanceNormalization = normalization
    try:
        return DiscoGAN(**options)
    finally:
        keras_gan.discogan.UpsampleConv2D, keras_gan.discogan.InstanceNormalization = ours


def seven_calls(gan, A, B):
    """One iteration of the loop of the post."""
    valid = np.ones((len(A), *gan.disc_patch))
    fake = np.zeros_like(valid)
    fake_B = gan.g_AB.predict(A, verbose=0)
    fake_A = gan.g_BA.predict(B, verbose=0)
    gan.d_A.train_on_batch(A, valid)
    gan.d_A.train_on_batch(fake_A, fake)
    gan.d_B.train_on_batch(B, valid)
    gan.d_B.train_on_batch(fake_B, fake)
    gan.combined.train_on_batch([A, B], [valid, valid, B, A, A, B])


def measure(contestants, rounds, warm_up=3):
    """Median seconds of each contestant, taking turns."""
    seconds = {name: [] for name in contestants}
    for turn in range(warm_up + rounds):
        for name, iteration in contestants.items():
            start = time.perf_counter()
            iteration()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def print_machine():
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, ", end="")
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}; ", end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()

    shape = (args.image_size, args.image_size, 3)
    options = {"img_shape": shape, "gf": args.filters, "df": args.filters, "dataset_name": "drawn_shoes"}
    A, B = np.random.default_rng(0).uniform(-1, 1, (2, args.batch_size, *shape)).astype("float32")
    post, parts, ours = build_as_the_post_does(**options), DiscoGAN(**options), DiscoGAN(**options)
    seconds = measure(
        {
            "loop of the post, its layers": lambda: seven_calls(post, A, B),
            "loop of the post, our layers": lambda: seven_calls(parts, A, B),
            "one fused step": lambda: ours.train_on_batch(A, B),
        },
        args.rounds,
    )
    print_machine()
    size = f"{args.image_size}x{args.image_size}"
    print(f"{size}, {args.filters} filters, batch {args.batch_size}, median of {args.rounds}\n")
    print("| one iteration | seconds | times as fast |\n|---|---|---|")
    slowest = next(iter(seconds.values()))
    for name, value in seconds.items():
        print(f"| {name} | {value:.3f} | {slowest / value:.2f} |")


if __name__ == "__main__":
    main()

"""Seconds per iteration of CycleGAN: call by call beside one fused step, alternating in one run.

    python benchmarks/speed_cyclegan.py --sizes 64 128 256 --rounds 10

Both play on the same networks, with identity and without the pool; the loop is that of the Keras notebooks (two
`predict`, two discriminator updates on joined batches, one `combined`).
"""

import argparse

import numpy as np
from speed import measure, print_machine

from keras_gan import CycleGAN


def five_calls(gan, A, B):
    """One iteration of the notebook's loop."""
    valid = np.ones((len(A), *gan.d_A.output_shape[1:]))
    labels = np.concatenate([valid, np.zeros_like(valid)])
    fake_B = gan.g_AB.predict(A, verbose=0)
    gan.d_B.train_on_batch(np.concatenate([B, fake_B]), labels)
    fake_A = gan.g_BA.predict(B, verbose=0)
    gan.d_A.train_on_batch(np.concatenate([A, fake_A]), labels)
    gan.combined.train_on_batch([A, B], [valid, valid, A, B, A, B])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--recipes", nargs="+", default=["unet", "resnet"])
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()

    print_machine()
    print(f"batch {args.batch_size}, median of {args.rounds}\n")
    print("| recipe | size | loop, steps per second | fused, steps per second | times as fast |\n|---|---|---|---|---|")
    for recipe in args.recipes:
        for size in args.sizes:
            options = {"img_shape": (size, size, 3), "recipe": recipe, "pool_size": 0, "dataset_name": "drawn_shoes"}
            A, B = np.random.default_rng(0).uniform(0, 1, (2, args.batch_size, size, size, 3)).astype("float32")
            loop, fused = CycleGAN(**options), CycleGAN(**options)
            seconds = measure(
                {
                    "loop": lambda gan=loop, A=A, B=B: five_calls(gan, A, B),
                    "fused": lambda gan=fused, A=A, B=B: gan.train_on_batch(A, B),
                },
                args.rounds,
            )
            rates = f"{1 / seconds['loop']:.2f} | {1 / seconds['fused']:.2f}"
            print(f"| {recipe} | {size} | {rates} | {seconds['loop'] / seconds['fused']:.2f} |", flush=True)


if __name__ == "__main__":
    main()

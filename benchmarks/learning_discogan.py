"""Measures how well DiscoGAN learns: L1 and SSIM of A to B on held-out pairs, with two trivial baselines.

    python benchmarks/learning_discogan.py --dataset datasets/edges2shoes --iterations 1000 3000

Needs `python -m pip install ".[benchmark]"`. Prints a table. Grids of some test pairs go to --output.
"""

import argparse
import time
from pathlib import Path

from keras_gan import DataLoader, DiscoGAN
from keras_gan.images.grids import save_grid
from keras_gan.report.progress import Progress

import keras
import numpy as np
from skimage.metrics import structural_similarity


def scores(fakes, originals):
    """Returns the mean L1 (pictures in [-1, 1]) and the mean SSIM."""
    pairs = list(zip(fakes, originals, strict=True))
    ssim = [structural_similarity(fake, original, channel_axis=-1, data_range=2) for fake, original in pairs]
    return np.mean([np.abs(fake - original).mean() for fake, original in pairs]), np.mean(ssim)


def row(answer, fakes, originals):
    l1, ssim = scores(fakes, originals)
    print(f"| {answer} | {l1:.3f} | {ssim:.3f} |", flush=True)


def mean_photo(dataset, shape):
    """Returns the mean of the right halves of the training pairs, not flipped, float32 of this shape."""
    height, width, _ = shape
    whole = DataLoader(dataset, (height, 2 * width))
    return np.mean([whole.load_img(picture)[0, :, width:] for picture in whole.train], axis=0)


class Evaluate(keras.callbacks.Callback):
    """Scores g_AB on the test split after the given iterations, and saves a grid."""

    def __init__(self, iterations, steps, imgs_A, imgs_B, output):
        super().__init__()
        self.iterations, self.steps, self.output = iterations, steps, output
        self.imgs_A, self.imgs_B = imgs_A, imgs_B
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        iteration = (epoch + 1) * self.steps
        if iteration not in self.iterations:
            return
        fakes = self.model.g_AB.predict(self.imgs_A, batch_size=16, verbose=0)
        minutes = (time.perf_counter() - self.start) / 60
        row(f"DiscoGAN after {iteration:,} iterations ({minutes:.1f} min)", fakes, self.imgs_B)
        chosen = np.linspace(0, len(fakes) - 1, 8).astype(int)
        rows = [[self.imgs_A[i], fakes[i], self.imgs_B[i]] for i in chosen]
        save_grid(Path(self.output, f"{iteration}.png"), rows, ["A", "A to B", "B"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="a folder with train and val")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--iterations", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning")
    args = parser.parse_args()

    shape = (args.image_size, args.image_size, 3)
    gan = DiscoGAN(shape, args.filters, args.filters, args.dataset, seed=args.seed)
    steps = int(np.gcd.reduce(args.iterations))
    loader = gan.data_loader.batches(args.batch_size, steps_per_epoch=steps)
    imgs_A, imgs_B = map(np.concatenate, zip(*loader.load_batch(16, is_testing=True), strict=True))

    print("| answer | L1 | SSIM |\n|---|---|---|")
    row("an all-white picture", np.ones_like(imgs_B), imgs_B)
    row("the mean training photo", np.broadcast_to(mean_photo(args.dataset, shape), imgs_B.shape), imgs_B)
    evaluate = Evaluate(args.iterations, steps, imgs_A, imgs_B, args.output)
    epochs = max(args.iterations) // steps
    gan.fit(loader, epochs=epochs, shuffle=False, verbose=0, callbacks=[Progress(), evaluate])


if __name__ == "__main__":
    main()

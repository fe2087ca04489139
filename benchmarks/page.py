"""Measures the size of `report.html` after a long run, and how long a browser takes to open it.

    python benchmarks/page.py

The run folder is made up: 20,000 iterations of DiscoGAN at 128x128, sampled every 100. The pictures are drawn shoes
with noise, which compress worse than pictures from a network. Needs playwright and Chromium.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from keras_gan.images.drawn_shoes import draw_pair
from keras_gan.images.grids import save_sheet
from keras_gan.report import page
from keras_gan.report.csv_log import Table
from keras_gan.report.frames import thin

import numpy as np

COLUMNS = ("d_A_loss", "d_A_acc", "d_B_loss", "d_B_acc", "d_loss", "d_acc", "g_loss", "valid_A_loss", "valid_B_loss")
COLUMNS += ("fake_B_loss", "fake_A_loss", "reconstr_A_loss", "reconstr_B_loss")


def make_run(folder, iterations, interval, size):
    rng = np.random.default_rng(0)
    history, held_out = Table(folder / "history.csv"), Table(folder / "held_out.csv")
    for iteration in range(10, iterations + 1, 10):
        figures = {name: float(rng.gamma(4, 0.1)) for name in COLUMNS}
        history.append(
            {"iteration": iteration, "epoch": 1, "seconds": iteration / 2, "g_learning_rate": 2e-4} | figures
        )
    shoes = [np.split(draw_pair(0, number, size), 2, axis=1) for number in range(4)]
    for iteration in range(1, iterations + 1, interval):
        noise = 0.2 * rng.standard_normal((size, size, 3))
        rows = [[np.clip(half / 127.5 - 1 + noise, -1, 1) for half in (*pair, *pair, *pair)] for pair in shoes]
        path = folder / "frames" / f"{iteration:07}.png"
        save_sheet(path, rows, titles=["A", "A to B", "and back", "B", "B to A", "and back again"])
        held_out.append({"iteration": iteration, "L1_A_to_B": 0.2, "L1_B_to_A": 0.2})
        thin(folder / "frames")


def opening_times(path, times):
    """Returns the seconds until the page is loaded and its picture decoded, each time in a fresh browser."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        for _ in range(times):
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            began = time.perf_counter()
            page.goto(path.resolve().as_uri())
            page.evaluate("document.getElementById('sample').decode()")
            found.append(time.perf_counter() - began)
            browser.close()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=20_000)
    parser.add_argument("--interval", type=int, default=100)
    parser.add_argument("--image-size", type=int, default=128)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_run(folder, args.iterations, args.interval, args.image_size)
        began = time.perf_counter()
        path = page.write_report(folder)
        print(f"made in {time.perf_counter() - began:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
        times = opening_times(path, 5)
        print(f"opens in {statistics.median(times):.2f} s (median of 5, longest {max(times):.2f})")


if __name__ == "__main__":
    main()

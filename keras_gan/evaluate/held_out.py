"""Runs the generators of a run on held-out pictures, for `keras_gan.evaluate`."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.evaluate.pictures import (
    Extractor,
    batches,
    chunked_features,
    none_readable,
    real_features,
    sides,
    spans,
    stream_of,
)
from keras_gan.files import write_whole
from keras_gan.images.grids import save_sheet
from keras_gan.images.metrics import distances, diversity, features_of, l1_each, nearest, psnr_each, ssim_each

SHOWN = 4  # best pictures on the sheet, and as many worst
OTHER_WAY = {"AtoB": "BtoA", "BtoA": "AtoB"}
#: Rows of the table, rows of the sheet (first figure, pictures, titles), mean figures, FID and KID.
Scores = tuple[list[dict[str, Any]], list[tuple], dict[str, float], dict[str, dict]]


class Here:
    """Does the work on held-out pictures in this process, all at once. `keras_gan.evaluate.on_ray` has another."""

    span: int | None = None  # pictures in a piece of the work; None: all

    def __init__(self, generators: dict, loader: Any, extractor: Extractor) -> None:
        self.known = generators, loader, extractor

    def each(self, work: Callable, pieces: list[tuple]) -> Iterator[Any]:
        """Yields work(generators, loader, extractor, *piece) for each piece, in their order."""
        for piece in pieces:
            yield work(*self.known, *piece)


def judge(generators: dict, loader: Any, extractor: Extractor, folder: Path, workers: Any = None) -> dict[str, Any]:
    """Scores generators on the test split of a loader; saves a table and a sheet for each.

    Args:
        generators: {direction: `keras_gan.generators.Generator`}; {None: generator} for a single one.
        loader: the run's `PictureLoader`.
        extractor: see `keras_gan.evaluate.evaluate`; None: skip FID and KID.
        folder: output folder.
        workers: what does the work, such as `Here`, the default.

    Returns:
        {"value_range": [low, high], "directions": {title: {"pictures": count, "means": mean figures,
        "heaps": FID and KID}}}.
    """
    parts, workers = {}, workers or Here(generators, loader, extractor)
    for way, generator in generators.items():
        title = "pictures of noise" if isinstance(loader, ImageLoader) else way or "AtoB"
        if isinstance(loader, ImageLoader):
            table, shown, means, heaps = judge_noise(generator, loader, extractor)
        else:
            table, shown, means, heaps = judge_translation(title, loader, extractor, workers)
        stem = title.replace(" ", "_")
        save_table(folder / f"{stem}.csv", table)
        captions = [f"{'best' if i < len(shown) / 2 else 'worst'} {row[0]:.3f}" for i, row in enumerate(shown)]
        save_sheet(folder / f"{stem}.png", [row[1] for row in shown], loader.value_range, captions, shown[0][2], 128)
        parts[title] = {"pictures": len(table), "means": means, "heaps": heaps}
    return {"value_range": list(loader.value_range), "directions": parts}


def judge_translation(way: str, loader: Any, extractor: Extractor, workers: Any) -> Scores:
    """The scores of one direction of translation."""
    forward = way == "AtoB"
    table: list[dict[str, Any]] = []
    ranked: list[tuple] = []
    features: tuple[list, list] = ([], [])
    stream = stream_of(loader, forward, is_testing=True)
    pieces = [(way, span) for span in spans(len(stream.pictures), workers.span)]
    for rows, ends, *found in workers.each(score, pieces):
        table += rows
        for end in ends:
            ranked = keep_ends(ranked, end)
        for of_all, some in zip(features, found, strict=True):
            of_all += some
    if not table:
        raise none_readable(stream)
    heaps = {}
    if extractor:
        translated, sources = map(np.concatenate, features)
        real = real_features(loader, not forward, workers, is_testing=True)
        again = real_features(loader, not forward, workers, is_testing=False, most=len(real))
        heaps["translated against real"] = distances(translated, real)
        heaps["real against real (of training)"] = distances(again, real)
        heaps["source against real"] = distances(sources, real)
    return table, ranked, means_of(table, loader.value_range), heaps


def score(generators: dict, loader: Any, extractor: Extractor, way: str, span: range) -> tuple[list, list, list, list]:
    """(rows of the table, rows of the sheet, features of translated pictures, of sources) of a span of a test split."""
    forward, is_paired = way == "AtoB", isinstance(loader, DataLoader)
    generator = generators[way if way in generators else None]
    back = None if is_paired else generators.get(OTHER_WAY[way])
    titles = ["source", "translated", *(["target"] if is_paired else ["and back"] if back else [])]
    table, features, source_features = [], [], []
    ranked: list[tuple] = []
    for names, sources, targets in sides(loader, forward, is_testing=True, span=span):
        translated = generator(sources)
        figures, last = {}, None
        if is_paired:
            psnr, ssim = (metric(translated, targets, loader.value_range) for metric in (psnr_each, ssim_each))
            figures, last = {"L1": l1_each(translated, targets), "PSNR": psnr, "SSIM": ssim}, targets
        elif back is not None:
            last = back(translated)
            figures = {"L1 there and back": l1_each(last, sources)}
        if extractor:
            features.append(features_of(extractor, translated, loader.value_range))
            source_features.append(features_of(extractor, sources, loader.value_range))
        for i, name in enumerate(names):
            table.append({"picture": name} | {key: float(values[i]) for key, values in figures.items()})
            row = [pictures[i] for pictures in (sources, translated, last) if pictures is not None]
            first = next(iter(figures.values()))[i] if figures else 0.0
            ranked = keep_ends(ranked, (float(first), row, titles))
    return table, ranked, features, source_features


def judge_noise(generator: Any, loader: Any, extractor: Extractor) -> Scores:
    """The scores of a generator from noise: one picture for each held-out picture, with the same label."""
    rng = np.random.default_rng(0)
    held_out, labels = [], []
    for _, (images, *more) in batches(loader, is_A=True, is_testing=True):
        held_out.append(images)
        labels += more
    if not held_out:
        raise none_readable(stream_of(loader, is_A=True, is_testing=True))
    real = np.concatenate(held_out)
    codes = rng.standard_normal((len(real), generator.latent_dim)).astype("float32")
    inputs = [codes, np.concatenate(labels)] if generator.kind == "labelled" else [codes]
    starts = range(0, len(real), 64)
    fakes = np.concatenate([generator(*(x[start : start + 64] for x in inputs)) for start in starts])
    found, l1 = nearest(fakes, real)
    table = [{"picture": f"noise {i}", "L1 to the nearest real": float(value)} for i, value in enumerate(l1)]
    ranked: list[tuple] = []
    for i, value in enumerate(l1):
        ranked = keep_ends(ranked, (float(value), [fakes[i], real[found[i]]], ["of noise", "nearest"]))
    means = means_of(table, loader.value_range)
    for name, pictures in (("these", fakes), ("real", real)):
        for key, value in diversity(pictures, loader.value_range).items():
            means[f"{key} of two of {name}"] = value
    heaps = {}
    if extractor:
        low, high = loader.value_range
        uniform = rng.uniform(low, high, real.shape).astype("float32")
        of_fakes, of_real, of_uniform = (
            chunked_features(extractor, pictures, loader.value_range) for pictures in (fakes, real, uniform)
        )
        here = Here({}, loader, extractor)
        again = real_features(loader, False, here, is_testing=False, most=len(real))
        heaps["pictures of noise against real"] = distances(of_fakes, of_real)
        heaps["real against real (of training)"] = distances(again, of_real)
        heaps["mere noise against real"] = distances(of_uniform, of_real)
    return table, ranked, means, heaps


def means_of(table: list[dict[str, Any]], value_range: tuple) -> dict[str, float]:
    """The mean of each figure. L1 names carry the value range; infinite PSNR of equal pictures is skipped."""
    low, high = value_range
    means = {}
    for name in list(table[0])[1:]:
        values = np.array([row[name] for row in table])
        unit = f" (in [{low:g}, {high:g}])" if name.startswith("L1") else " (dB)" if name == "PSNR" else ""
        means[name + unit] = float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")
    return means


def keep_ends(ranked: list[tuple], row: tuple) -> list[tuple]:
    """Adds a row, and keeps the `SHOWN` rows with the lowest and with the highest figure."""
    ranked = sorted([*ranked, row], key=lambda row: row[0])
    return ranked if len(ranked) <= 2 * SHOWN else ranked[:SHOWN] + ranked[-SHOWN:]


def save_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Saves a list of dicts as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(f"{value:.6g}" if isinstance(value, float) else value for value in row.values())
    with write_whole(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")  # a name may be no UTF-8

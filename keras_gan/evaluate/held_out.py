"""Going through held-out pictures with the generators of a run, for `keras_gan.evaluate`."""

import csv
import io

import numpy as np

from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.errors import BadValueError
from keras_gan.evaluate.metrics import distances, diversity, features_of, l1_each, nearest, psnr_each, ssim_each
from keras_gan.files import write_whole
from keras_gan.images.grids import save_sheet
from keras_gan.images.sources import source

BATCH = 8
SHOWN = 4  # of the best, and as many of the worst
OTHER_WAY = {"AtoB": "BtoA", "BtoA": "AtoB"}


def judge(generators, loader, extractor, folder):
    """Scores generators on the test split of a loader; saves a table and a sheet for each.

    Args:
        generators: {direction: `keras_gan.generators.Generator`}; the direction of an only one is None.
        loader: the run's `PictureLoader`.
        extractor: as `keras_gan.evaluate.evaluate` has it; None: FID and KID are left out.
        folder: where to save.

    Returns:
        A dict: `value_range`, and `directions`, for each {`pictures`: how many, `means`: of the figures of each
        picture, `heaps`: FID and KID}.
    """
    parts = {}
    for way, generator in generators.items():
        title = "pictures of noise" if isinstance(loader, ImageLoader) else way or "AtoB"
        if isinstance(loader, ImageLoader):
            table, shown, means, heaps = judge_noise(generator, loader, extractor)
        else:
            table, shown, means, heaps = judge_translation(generator, title, generators, loader, extractor)
        stem = title.replace(" ", "_")
        save_table(folder / f"{stem}.csv", table)
        captions = [f"{'best' if i < len(shown) / 2 else 'worst'} {row[0]:.3f}" for i, row in enumerate(shown)]
        save_sheet(folder / f"{stem}.png", [row[1] for row in shown], loader.value_range, captions, shown[0][2], 128)
        parts[title] = {"pictures": len(table), "means": means, "heaps": heaps}
    return {"value_range": list(loader.value_range), "directions": parts}


def judge_translation(generator, way, generators, loader, extractor):
    """(rows of the table, rows of the sheet, means, heaps) of one direction."""
    forward = way == "AtoB"
    is_paired = isinstance(loader, DataLoader)
    back = None if is_paired else generators.get(OTHER_WAY[way])
    titles = ["source", "translated", *(["target"] if is_paired else ["and back"] if back else [])]
    table, heap, source_heap, ranked = [], [], [], []
    for names, sources, targets in sides(loader, forward, is_testing=True):
        translated = generator(sources)
        figures, last = {}, None
        if is_paired:
            figures, last = against_partners(translated, targets, loader.value_range), targets
        elif back is not None:
            last = back(translated)
            figures = {"L1 there and back": l1_each(last, sources)}
        if extractor:
            heap.append(features_of(extractor, translated, loader.value_range))
            source_heap.append(features_of(extractor, sources, loader.value_range))
        for i, name in enumerate(names):
            table.append({"picture": name} | {key: float(values[i]) for key, values in figures.items()})
            row = [pictures[i] for pictures in (sources, translated, last) if pictures is not None]
            first = next(iter(figures.values()))[i] if figures else 0.0
            ranked = keep_ends(ranked, (float(first), row, titles))
    heaps = {}
    if extractor:
        real = real_features(loader, not forward, extractor, is_testing=True)
        again = real_features(loader, not forward, extractor, is_testing=False, most=len(real))
        heaps["translated against real"] = distances(np.concatenate(heap), real)
        heaps["real against real (of training)"] = distances(again, real)
        heaps["source against real"] = distances(np.concatenate(source_heap), real)
    return table, ranked, means_of(table, loader.value_range), heaps


def against_partners(images, partners, value_range):
    """The figures of each picture against its partner."""
    return {
        "L1": l1_each(images, partners),
        "PSNR": psnr_each(images, partners, value_range),
        "SSIM": ssim_each(images, partners, value_range),
    }


def judge_noise(generator, loader, extractor):
    """The same of a generator that makes pictures of noise: as many as there are held-out ones, of the same labels."""
    rng = np.random.default_rng(0)
    real, labels = [], []
    for _, (images, *more) in batches(loader, 0, is_testing=True):
        real.append(images)
        labels += more
    real = np.concatenate(real)
    codes = rng.standard_normal((len(real), generator.latent_dim)).astype("float32")
    inputs = [codes, np.concatenate(labels)] if generator.kind == "labelled" else [codes]
    starts = range(0, len(real), 64)
    fakes = np.concatenate([generator(*(x[start : start + 64] for x in inputs)) for start in starts])
    found, l1 = nearest(fakes, real)
    table = [{"picture": f"noise {i}", "L1 to the nearest real": float(value)} for i, value in enumerate(l1)]
    ranked = []
    for i, value in enumerate(l1):
        ranked = keep_ends(ranked, (float(value), [fakes[i], real[found[i]]], ["of noise", "nearest"]))
    means = means_of(table, loader.value_range)
    for name, pictures in (("these", fakes), ("real", real)):
        for key, value in diversity(pictures, loader.value_range).items():
            means[f"{key} of two of {name}"] = value
    heaps = {}
    if extractor:
        low, high = loader.value_range
        mere = rng.uniform(low, high, real.shape).astype("float32")
        of = {"fake": fakes, "real": real, "mere noise": mere}
        of = {name: chunked_features(extractor, pictures, loader.value_range) for name, pictures in of.items()}
        again = real_features(loader, False, extractor, is_testing=False, most=len(real))
        heaps["pictures of noise against real"] = distances(of["fake"], of["real"])
        heaps["real against real (of training)"] = distances(again, of["real"])
        heaps["mere noise against real"] = distances(of["mere noise"], of["real"])
    return table, ranked, means, heaps


def means_of(table, value_range):
    """The mean of each figure; what is in the range of values says so. PSNR of equal pictures is left out of it."""
    low, high = value_range
    means = {}
    for name in list(table[0])[1:]:
        values = np.array([row[name] for row in table])
        unit = f" (in [{low:g}, {high:g}])" if name.startswith("L1") else " (dB)" if name == "PSNR" else ""
        means[name + unit] = float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")
    return means


def keep_ends(ranked, row):
    """The rows of the lowest and of the highest figures, with one more."""
    ranked = sorted([*ranked, row], key=lambda row: row[0])
    return ranked if len(ranked) <= 2 * SHOWN else ranked[:SHOWN] + ranked[-SHOWN:]


# The pictures.


def sides(loader, forward, is_testing):
    """Yields (names, sources, targets) by batches; targets None where pictures have no partners."""
    if isinstance(loader, DataLoader):
        for names, (A, B) in batches(loader, 0, is_testing):
            yield (names, A, B) if forward else (names, B, A)
    else:
        for names, (images, *_) in batches(loader, 0 if forward else 1, is_testing):
            yield names, images, None


def real_features(loader, is_A, extractor, is_testing, most=None):
    """The features of the pictures of one domain, of at most so many, evenly spread."""
    found = []
    if isinstance(loader, DataLoader):
        for _, both in batches(loader, 0, is_testing, most):
            found.append(features_of(extractor, both[0 if is_A else 1], loader.value_range))
    else:
        side = 0 if is_A or isinstance(loader, ImageLoader) else 1
        for _, (images, *_) in batches(loader, side, is_testing, most):
            found.append(features_of(extractor, images, loader.value_range))
    return np.concatenate(found)


def chunked_features(extractor, images, value_range):
    """The features of many pictures, a few at a time."""
    starts = range(0, len(images), BATCH)
    return np.concatenate([features_of(extractor, images[i : i + BATCH], value_range) for i in starts])


def batches(loader, side, is_testing, most=None):
    """Yields (names, the batch as a tuple of arrays) of one stream of a loader, in order, without broken pictures."""
    stream = loader._streams(is_testing)[side]._replace(flip=False, augment=False)
    pictures = [picture for picture in stream.pictures if loader._decoded(stream, picture) is not None]
    if not pictures:
        raise BadValueError(f"none of the {len(stream.pictures)} held-out pictures can be used.")
    if most is not None and most < len(pictures):
        pictures = [pictures[i] for i in np.linspace(0, len(pictures) - 1, most).round().astype(int)]
    stream = stream._replace(pictures=pictures)
    for start in range(0, len(pictures), BATCH):
        views = stream.in_order(start, min(start + BATCH, len(pictures)))
        batch = loader._load([(stream, views)])
        names = [str(source(picture)) for picture in pictures[start : start + BATCH]]
        yield names, batch if isinstance(batch, tuple) else (batch,)


def save_table(path, rows):
    """Saves a list of dicts as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
    )
    with write_whole(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")

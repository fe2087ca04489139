"""Trains the bundled generator of the demo: it turns drawings with strokes of colour into shoes.

    python -m keras_gan.demo.train OUTPUT            about 20 minutes on two CPU cores; writes OUTPUT/shoes.keras

People draw with thick, wobbly lines, leave gaps, omit details, place the shoe anywhere, and may add a stroke of colour.
The training drawings imitate this (`by_hand`). Otherwise the run is an ordinary Pix2Pix run.
"""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images.drawn_shoes import BACKGROUND, HEEL, LINING, REGIONS, SOLE, TAP, UPPER, draw, noise, shoe

SIZE, FILTERS, PAIRS, HELD_OUT, EPOCHS = 128, 16, 6000, 100, 6
WHITE = 255


def by_hand(rng: np.random.Generator, size: int = SIZE) -> tuple[Image.Image, Image.Image]:
    """An imitated hand drawing and its shoe, two pictures of size x size.

    One pair in 25 is blank. A third of the shoes have no details, neither in the drawing nor in the picture.
    """
    if rng.random() < 0.04:
        return Image.new("RGB", (size, size), (WHITE,) * 3), Image.new("RGB", (size, size), (WHITE,) * 3)
    parts, table = shoe(rng)
    if rng.random() < 0.33:
        plain = (BACKGROUND, LINING, UPPER, SOLE, HEEL, TAP)
        parts = [part for part in parts if part.region in plain]
    if rng.random() < 0.5:  # people choose brighter colours than shoes have
        table = vivid(table, rng)
    halves = Image.fromarray(draw(parts, table, rng, size))
    drawing, picture = placed(halves.crop((0, 0, size, size)), halves.crop((size, 0, 2 * size, size)), rng)
    return coloured(scrawled(drawing, rng), picture, rng), picture


def vivid(table: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Recolours a shoe (all but background, sole and linings) with one or two saturated colours."""
    table = table.copy()
    for region in range(UPPER, REGIONS - 1):
        if region == UPPER or rng.random() < 0.15:
            colour = np.array(Image.new("HSV", (1, 1), tuple(rng.integers((0, 150, 120), 256).tolist())).convert("RGB"))
        if region < SOLE or rng.random() < 0.3:
            table[region] = colour[0, 0]
    return np.clip(table, 12, 255)


def placed(drawing: Image.Image, picture: Image.Image, rng: np.random.Generator) -> list[Image.Image]:
    """Scales both down and moves them, to the same random place."""
    size = drawing.width
    side = round(size * rng.uniform(0.6, 1.0))
    corner = tuple(rng.integers(0, size - side + 1, 2).tolist())
    sheets = []
    for image in (drawing, picture):
        sheet = Image.new("RGB", image.size, (WHITE,) * 3)
        sheet.paste(image.resize((side, side), Image.Resampling.LANCZOS), corner)
        sheets.append(sheet)
    return sheets


def scrawled(drawing: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Redraws the lines in black, with gaps, wobble and the thickness of a pen."""
    size = drawing.width
    ink = WHITE - np.asarray(drawing.convert("L"), np.float32)
    gaps = noise(rng, int(rng.integers(6, 14)), size) > rng.uniform(1.2, 3)
    lines = Image.fromarray(np.uint8(np.clip(ink * 1.3 * ~gaps, 0, WHITE)))
    width = rng.choice([1, 2, 3], p=[0.4, 0.35, 0.25])
    if width > 1:
        wide = lines.filter(ImageFilter.MaxFilter(3))
        lines = wide if width == 3 else Image.blend(lines, wide, 0.6)
    wobble = rng.uniform(0, 1.3) * np.stack([noise(rng, int(rng.integers(5, 16)), size) for _ in range(2)])
    return Image.fromarray(np.repeat(WHITE - moved(np.asarray(lines), wobble)[..., None], 3, axis=2))


def moved(pixels: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Warps gray pixels (size, size): samples bilinearly at the offsets `by` (2, size, size), down and across."""
    size = len(pixels)
    places = np.clip(np.indices(pixels.shape) + by, 0, size - 1.001)
    (row, column), (down, across) = places.astype(int), places % 1
    pixels = pixels.astype(np.float32)
    upper = pixels[row, column] * (1 - across) + pixels[row, column + 1] * across
    lower = pixels[row + 1, column] * (1 - across) + pixels[row + 1, column + 1] * across
    return (upper * (1 - down) + lower * down).astype(np.uint8)


def coloured(drawing: Image.Image, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Adds up to five strokes to the drawing, in the colours of the picture at these places."""
    painter, pixels = ImageDraw.Draw(drawing), np.asarray(picture)
    places = np.argwhere(pixels.min(axis=2) < 200)
    lines = drawing.copy()
    for _ in range(int(rng.choice(6, p=[0.15, 0.2, 0.25, 0.2, 0.1, 0.1])) if len(places) else 0):
        points = [places[rng.integers(len(places))]]
        colour = np.median(pixels[tuple(near(points[0], len(pixels)))].reshape(-1, 3), axis=0)
        way = rng.normal(0, 3, 2)
        for _ in range(int(rng.integers(3, 14))):
            way = way + rng.normal(0, 2, 2)
            point = np.clip(points[-1] + way, 0, len(pixels) - 1).astype(int)
            if np.abs(pixels[tuple(point)] - colour).max() > 60:
                break
            points.append(point)
        line = [tuple(point[::-1].tolist()) for point in points] * (2 if len(points) == 1 else 1)
        painter.line(line, tuple(colour.astype(int).tolist()), int(rng.integers(2, 8)), joint="curve")
    if rng.random() < 0.5:  # lines on top of the colours
        drawing = Image.fromarray(np.minimum(np.asarray(lines), np.asarray(drawing)))
    return drawing


def near(point: np.ndarray, size: int, reach: int = 2) -> list[slice]:
    """Slices of the pixels around a point."""
    return [slice(max(0, at - reach), min(size, at + reach + 1)) for at in point]


def draw_pairs(folder: Path, pairs: int = PAIRS, held_out: int = HELD_OUT) -> None:
    """Writes pairs of `by_hand` to `folder`/train and `folder`/val."""
    for split, numbers in {"train": range(pairs), "val": range(pairs, pairs + held_out)}.items():
        (folder / split).mkdir(parents=True)
        for number in numbers:
            pair = np.hstack([np.asarray(half) for half in by_hand(np.random.default_rng([9, number]))])
            Image.fromarray(pair).save(folder / split / f"{number}.png", compress_level=1)


def compact(source: Path, path: Path) -> None:
    """Rewrites a saved network with weights rounded to 11 significant bits, which compresses to half the size."""
    from keras_gan.layers import trusted

    network = trusted.load_model(source)
    network.set_weights([weight.astype("float16").astype("float32") for weight in network.get_weights()])
    with tempfile.TemporaryDirectory() as folder, write_whole(path) as unfinished:
        saved = Path(folder, "network.keras")
        network.save(saved)
        with zipfile.ZipFile(saved) as plain, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, True, 9) as packed:
            for name in plain.namelist():
                packed.writestr(name, plain.read(name))


def settle_norms(path: Path, loader: Any, batches: int = 200) -> None:
    """Recomputes the moving averages of a saved network's BatchNormalization layers over `batches` batches.

    The averages of training cover about ten batches of four; their errors show as shadows beside the shoe.
    """
    import keras

    from keras_gan.layers import trusted

    network = trusted.load_model(path)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.98
    for _, (drawings, _) in zip(range(batches), loader.load_batch(8), strict=False):
        network(drawings, training=True)
    network.save(path)


def train(output: Path, pairs: int = PAIRS, epochs: int = EPOCHS, filters: int = FILTERS) -> None:
    """Draws the pairs, trains, and writes `output`/shoes.keras. Deletes the pairs, but keeps the run's folder."""
    import keras

    from keras_gan.demo.network import ColouringPix2Pix

    draw_pairs(output / "pairs", pairs)
    gan = ColouringPix2Pix(
        img_shape=(SIZE, SIZE, 3),
        gf=filters,
        df=filters // 2,
        dataset_name=str(output / "pairs"),
        gan_loss="lsgan",
        l1_weight=500.0,  # with the paper's 100 it invents colours instead of using the strokes'
        g_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        augment=False,
        seed=0,
        output=str(output / "run"),
    )
    gan.train(epochs=epochs, batch_size=4, sample_interval=300, schedule="linear")
    generator = output / "run" / "models" / "generator.keras"
    settle_norms(generator, gan.data_loader)
    compact(generator, output / "shoes.keras")
    shutil.rmtree(output / "pairs")


def main(argv: list[str] | None = None) -> None:
    parser = console.Parser.of("keras_gan.demo.train", (__doc__ or "").partition("\n")[0])
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="a new folder, for shoes.keras and the run")
    output = parser.parse_args(argv).output
    with console.one_line_errors():
        if output.exists():
            raise BadValueError(f"{str(output)!r} exists: name a new folder.")
        console.load_keras()
        train(output)


if __name__ == "__main__":
    main()

"""What a run tells of the pictures that its generator takes and makes: halves of pairs, bits, black and white."""

from pathlib import Path
from typing import Any

from keras_gan.datasets import hub
from keras_gan.datasets.folders import FOLDER, files, locate
from keras_gan.datasets.shard_names import SHARDS
from keras_gan.images.pixels import RANDOM_CROP
from keras_gan.images.values import Range
from keras_gan.training import data_files
from keras_gan.translate.reading import is_deep

PAIRED = "Pix2Pix", "DiscoGAN", "DiscoGANPyTorch"
UNPAIRED = "CUT", "CycleGAN", "CycleGANPaper", "DiscoGANPaper"  # these tear pairs apart, but take halves, too
SAMPLED = 8  # pictures of a run to look into


def half_of(generator: Any) -> str | None:
    """The half that a generator takes: "A" (left) or "B" (right) of pictures that show a pair side by side.

    None if it has no run, or if its run was trained on whole pictures, such as those of two folders.
    """
    arguments = generator.config.get("arguments", {})
    if not is_side_by_side(generator):
        return None
    is_turned = arguments.get("direction", "AtoB") == "BtoA"
    return "AB"[(generator.direction == "BtoA") != is_turned]


def is_side_by_side(generator: Any) -> bool:
    """Whether a run was trained on pictures that show a pair each."""
    kind, arguments = generator.config.get("class"), generator.config.get("arguments", {})
    name = arguments.get("dataset_name")
    is_in_two = any(map(arguments.get, ("dataset_B", "data"))) or str(name).startswith("gray2colour")
    if kind not in (*PAIRED, *UNPAIRED) or is_in_two:
        return False
    folder = located(name)
    if folder is not None:
        sides = [(folder / side).is_dir() for side in ("trainA", "trainB")]
        return not (sides[0] and not (folder / "train").is_dir() if kind in PAIRED else any(sides))
    return not any({"trainA", "trainB"} & set(path.parts) for path in pictures_of(generator))


def scale_of(generator: Any) -> str | int | None:
    """The scale of pictures in training: for random crops "original", or the length of the shorter side in pixels.

    None if all had the size of the network, or if it is unknown.
    """
    arguments = generator.config.get("arguments", {})
    return (arguments.get("load_size") or "original") if arguments.get("fit") == RANDOM_CROP else None


def stacked_by(config: dict[str, Any], direction: str | None) -> tuple[list[str], tuple[int, ...]]:
    """(folders, channels of each) of the pictures that a run stacks as input in this direction; ([], ()) if of none."""
    folders = config.get("arguments", {}).get("dataset_A") or []
    if len(folders) < 2 or direction == "BtoA":
        return [], ()
    return folders, tuple((config.get("loader") or {}).get("stacked") or ())


def makes_deep(generator: Any) -> bool:
    """Whether a run was trained to make pictures of more than 8 bits; judged by some of them, or by their names."""
    made = pictures_of(generator, "A" if generator.direction == "BtoA" else "B")
    name = generator.config.get("arguments", {}).get("dataset_name")
    folder = None if made else located(name)
    made = made or (files(folder) if folder else [])
    sample = made[:: -(-len(made) // SAMPLED) or 1]
    deep = [is_deep(path) if path.exists() else path.suffix.lower() == ".npy" for path in sample]
    return 2 * sum(deep) > len(deep)


def located(name: str | None) -> Path | None:
    """The folder of a data set of this name. Fetches none."""
    return None if name is None or hub.is_missing(name, FOLDER) else locate(name)


def value_range_of(generator: Any) -> Range:
    """The values of black and white in the files that a run was trained on; None: as each file states them."""
    value_range = generator.config.get("arguments", {}).get("value_range")
    return (value_range[0], value_range[1]) if value_range else None


def pictures_of(generator: Any, side: str | None = None) -> list[Path]:
    """The files that a run was trained and tested on; of one side, "A" or "B", where the sides have files apart.

    Those in shards are left out.
    """
    by_split = data_files.data_files(generator.run) if generator.run else {}
    splits = [split for split in by_split if split.endswith(f"_{side}")] if side else []
    listed = (file for split in splits or by_split for file in by_split[split])
    return [Path(file) for file in listed if not file.lower().endswith(SHARDS)]

"""What to type next for a folder, by what it holds."""

import shlex
from collections.abc import Collection

from keras_gan.datasets.catalogue import CATALOGUE, Entry
from keras_gan.datasets.folders import FOLDER
from keras_gan.datasets.layouts import CLASSES, IDX, PAIRED_SIDES, PAIRS, SINGLE, UNPAIRED, Detected
from keras_gan.datasets.preparation import KINDS

START = "python -m keras_gan"


def commands(data: Detected, name: str, modes: Collection[str | int]) -> list[str]:
    """The commands that accept this layout; the first one is quick.

    Args:
        data: what was found.
        name: the data set as one types it after `--dataset`.
        modes: of its pictures; for arrays, the numbers of their channels.
    """
    entry = catalogue_entry(data)
    direction = f" --direction {entry.direction}" if entry is not None and entry.direction != "AtoB" else ""
    channels = next(iter(modes)) if len(modes) == 1 else None
    many = f" --image-size 64x64x{channels}" if isinstance(channels, int) and channels != 3 else ""
    pairs = [*trained("pix2pix", f"{name}{direction}{many}"), f"{START}.discogan --dataset {name}{many}"]
    return {
        PAIRS: pairs,
        UNPAIRED: trained("cyclegan", name + many),
        PAIRED_SIDES: [*pairs, f"{START}.cyclegan --dataset {name}{many}"],
        CLASSES: [*trained("cgan", name + (many or " --image-size 32")), f"{START}.dcgan --dataset {name}{many}"],
        IDX: [*trained("cgan", name), f"{START}.dcgan --dataset {name} --image-size 28x28x1"],
        SINGLE: [*(made(kind, data) for kind in KINDS), *trained("dcgan", name + many)],
    }[data.layout]


def trained(model: str, arguments: str) -> list[str]:
    """The commands that train a model, quickly and in full."""
    return [f"{START}.{model} --dataset {arguments}{quick}" for quick in (" --quick", "")]


def made(kind: str, data: Detected) -> str:
    """The command that makes pairs of photos."""
    photos, out = (shlex.quote(str(path)) for path in (data.folder, FOLDER / f"{data.name}-{kind}"))
    return f"{START}.datasets pairs --from {kind} {photos} {out} --size 256 --fit crop"


def catalogue_entry(data: Detected) -> Entry | None:
    """The catalogue entry with this folder's name and layout, or None."""
    entry = CATALOGUE.get(data.name)
    return entry if entry and data.layout in ((PAIRS,) if entry.paired else (UNPAIRED, PAIRED_SIDES)) else None

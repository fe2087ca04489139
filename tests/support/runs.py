"""Runs of tiny, untrained models, their loaded generators and exports: made once for all tests."""

import functools
import json
import shutil
import zlib

import keras

from keras_gan import (
    CGAN,
    CUT,
    DCGAN,
    GAN,
    CycleGAN,
    CycleGANPaper,
    DiscoGAN,
    DiscoGANPaper,
    Pix2Pix,
    export,
    generators,
)
from keras_gan.files import write_json
from keras_gan.training import run_folder
from keras_gan.training.options import as_json

THIN = {"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes"}
TINY = {
    "discogan": (DiscoGAN, THIN | {"dropout": 0.5}),
    "discogan paper": (DiscoGANPaper, THIN),
    "cyclegan": (CycleGAN, {"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"}),
    "cyclegan paper": (CycleGANPaper, {"img_shape": (24, 24, 3), "dataset_name": "drawn_shoes"}),
    "cut": (CUT, THIN),
    "pix2pix": (Pix2Pix, THIN),
    "dcgan": (DCGAN, THIN),
    "cgan": (CGAN, {"gf": 4, "df": 4, "dataset_name": "drawn_digits"}),
    "gan": (GAN, {"dataset_name": "drawn_digits"}),
}
OF_NOISE = ["dcgan", "cgan", "gan"]
TRANSLATIONS = [name for name in TINY if name not in OF_NOISE]


def save_run(folder, name):
    """Makes the folder of a run of a model of `TINY`; returns the model."""
    kind, arguments = TINY[name]
    gan = kind(**arguments, seed=0, output=folder)
    if name == "discogan paper":  # untrained, its networks would make only gray
        for network in gan.networks:
            network.set_weights([3 * weight if weight.ndim == 4 else weight for weight in network.get_weights()])
    gan.save_networks()
    arguments = as_json(gan.constructor_arguments) | {"dtype_policy": "float32"}
    config = {"model": gan.name, "class": kind.__name__, "arguments": arguments, "seed": 0}
    write_json(gan.run_folder / run_folder.CONFIG, config)
    return gan


def copy_run(folder, to, **changes):
    """Copies a run and changes arguments in its `config.json`; returns the folder."""
    shutil.copytree(folder, to)
    config = json.loads((to / run_folder.CONFIG).read_text())
    config["arguments"] |= changes
    (to / run_folder.CONFIG).write_text(json.dumps(config))
    return to


class Saved:
    """Called with a name of `TINY`, returns (model, run folder). Tests may change neither.

    Args:
        folder: folder for all runs, a `pathlib.Path`.
    """

    def __init__(self, folder):
        self.folder, self.kept, self.states = folder, {}, {}

    def __call__(self, name):
        if name not in self.kept:
            assert keras.config.dtype_policy().name == "float32"
            folder = self.folder / name.replace(" ", "_")
            self.kept[name] = save_run(folder, name), folder
            self.states[name] = self.state_of(name)
        return self.kept[name]

    def state_of(self, name):
        """A state that differs if a test changed the files of a run or its networks."""
        gan, folder = self.kept[name]
        files = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        weights = [weight for network in gan.networks for weight in network.get_weights()]
        return files, [zlib.crc32(weight.tobytes()) for weight in weights]

    def check(self):
        """Raises AssertionError if a test changed a run."""
        changed = [name for name in self.kept if self.state_of(name) != self.states[name]]
        assert not changed, f"a test changed the shared runs of {changed}: use a copy"


class Exported:
    """Called with a name of `TINY` and a format, returns the exported generator; of two generators, B to A.

    Args:
        folder: folder for the exported files, a `pathlib.Path`.
        saved: a `Saved`.
    """

    def __init__(self, folder, saved):
        self.folder, self.saved, self.kept = folder, saved, {}

    def __call__(self, name, format):
        if (name, format) not in self.kept:
            path = self.folder / f"{name.replace(' ', '_')}_{format}"
            self.kept[name, format] = export.export(found(self.saved, name), format, path)
        return self.kept[name, format]


def found(saved, name, direction="BtoA"):
    """A generator of a run of `Saved`, loaded once from its file. A single generator has no direction."""
    places = generators.generators_of(saved(name)[1])
    path = places.get(direction) or places[None]
    return generators.Generator(opened_once(path), path, saved(name)[1])


def opened_once(path):
    """As `keras_gan.generators.opened`, with a cache: an unchanged file gives the same compiled model."""
    return _opened(path, path.stat().st_mtime_ns)


@functools.cache
def _opened(path, time, opened=generators.opened):
    return opened(path)

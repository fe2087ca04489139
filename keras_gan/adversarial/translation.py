"""The bases of the models that translate pictures: data, optimizers, and samples of held-out pictures."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.losses import choose
from keras_gan.adversarial.model import AdversarialModel, FixedSample
from keras_gan.data.options import Flip, checked_folders, checked_shape
from keras_gan.data.paired import DataLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.datasets.given import given_or_named
from keras_gan.datasets.stacks import channels_of_folders
from keras_gan.errors import BadValueError, check_sides, check_switch
from keras_gan.images.grids import save_grid
from keras_gan.images.values import ValueRange
from keras_gan.layers.colour import SPACES, with_lightness


class TranslationModel(AdversarialModel):
    """Base of the models that translate pictures from domain A to domain B, in one or both directions.

    A model defines
        translations(*batch): the columns of a sample grid for a batch of test pictures: a dict, title to pictures
            (batch, height, width, channels);
        held_out_figures(translations): a dict of numbers computed from these columns.

    Args:
        name: the name of the model and of its command.
        dataset_name: data set: a name, a folder below datasets/ or a path; default: drawn fruit, or for paired
            models datasets/edges2shoes if it exists, else drawn shoes.
        dataset_B: folder of domain B, if dataset_name is the folder of domain A. Paired models match pictures by name.
        dataset_A: folder of domain A, or several: their pictures of the same name become one, channels behind channels.
        fit: how to fit pictures of another shape: resize (stretch), crop (the middle), pad (with white) or random-crop
            (another part of the original pixels each time, the same of both halves of a pair).
        load_size: length of the shorter side that pictures are resized to before a random crop; default: their own.
        flip: how to turn training pictures at random: none, horizontal (mirror half of them), both (also upside down)
            or rotate (also by 90 degrees).
        resample: filter: nearest, bilinear, bicubic, lanczos, or auto: nearest for label maps, else bicubic.
        value_range: values of black and white in the files, such as 0,4095, or auto: the smallest and the largest in
            up to 256 training files of a side; default: what each file states.
        own_shards: whether each of several hosts reads only its own shards of a data set in shards, every n-th one, so
            that the others may be missing there; with a single host nothing changes.
        data: in place of a named data set: two arrays of pictures, (A, B); or a `tf.data.Dataset` or
            `keras.utils.PyDataset` of batches (A, B), which is read once, into memory.
        test_data: the same to test on; None: every tenth picture is held out.
        **options: see `AdversarialModel`.

    Raises:
        BadValueError: (a ValueError) if a size or an option cannot work, or a split of the data is empty.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    HELD_OUT = 3  # pictures in the fixed sample
    data_options: dict[str, Any]
    shape_A: Any
    shape_B: Any
    img_shape: Any
    colour = "rgb"

    def __init__(
        self,
        name: str,
        dataset_name: str | None = None,
        dataset_B: str | None = None,
        dataset_A: list | None = None,
        fit: str = "resize",
        load_size: int | None = None,
        flip: Flip = "horizontal",
        resample: str = "auto",
        value_range: ValueRange | None = None,
        own_shards: bool = False,
        data: Any = None,
        test_data: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.folders_A = checked_folders(dataset_A, dataset_name, dataset_B, own_shards)
        others = {"dataset_name": dataset_name, "dataset_A": dataset_A, "dataset_B": dataset_B}
        named = given_or_named(dataset_name, data, test_data, **others)
        self.data_options = {"dataset_name": named, "dataset_B": dataset_B, "fit": fit}
        self.data_options |= {"load_size": load_size, "flip": flip}
        if self.folders_A:
            self.data_options["dataset_name"] = self.folders_A[0] if len(self.folders_A) == 1 else self.folders_A
        self.data_options |= {
            "resample": resample,
            "value_range_of_files": value_range,
            "own_shards": own_shards,
            "seed": self.seed,
        }
        self._held_out: Any = None

    def take_shapes(self, img_shape: tuple, shape_A: tuple | None, shape_B: tuple | None, colour: str = "rgb") -> None:
        """Sets `shape_A` and `shape_B`, (height, width, channels) of both domains; None: img_shape.

        A has the channels of all folders of several in dataset_A. `img_shape` is then that of A. With another `colour`
        than rgb, A has one channel and B three unless their shapes are given.

        Raises:
            BadValueError: (a ValueError) if a shape is none, or height and width of both differ, for an unknown colour,
                and if the shapes are not those of gray pictures to colour.
        """
        self.colour = choose("colour", colour, {name: name for name in ("rgb", *SPACES)})
        is_needed = img_shape is not None or None in (shape_A, shape_B)
        both: Any = checked_shape("img_shape", img_shape) if is_needed else None
        if shape_A is None and len(self.folders_A) > 1:
            shape_A = (*both[:2], sum(channels_of_folders(self.folders_A)))
        self.shape_A = self.img_shape = both if shape_A is None else checked_shape("shape_A", shape_A)
        self.shape_B = both if shape_B is None else checked_shape("shape_B", shape_B)
        if self.shape_A[:2] != self.shape_B[:2]:
            raise BadValueError(
                f"shape_A {self.shape_A} and shape_B {self.shape_B} need the same height and width: the one that is "
                "not given has the image size, so give both."
            )
        if colour != "rgb":
            self.take_colouring(is_given=(shape_A is not None, shape_B is not None))

    def take_colouring(self, is_given: tuple[bool, bool]) -> None:
        """Makes A gray and B coloured where no shape was given; BadValueError if one was that is not."""
        if not is_given[0] and not len(self.folders_A) > 1:
            self.shape_A = self.img_shape = (*self.shape_A[:2], 1)
        if not is_given[1]:
            self.shape_B = (*self.shape_B[:2], 3)
        if (self.shape_A[2], self.shape_B[2]) != (1, 3):
            raise BadValueError(
                f"colour {self.colour} adds colours (B, 3 channels) to gray pictures (A, 1 channel), not "
                f"{self.shape_B[2]} channels to {self.shape_A[2]}: leave shape_A and shape_B out, or colour."
            )

    @property
    def drawn_shape(self) -> Any:
        """The shape that a generator's layers draw of B: all of it, or two channels of colour, see `coloured`."""
        return self.shape_B if self.colour == "rgb" else (*self.shape_B[:2], 2)

    def coloured(self, generator: Any) -> Any:
        """The generator from A to B, from one that draws `drawn_shape`: it adds the lightness of A to the colours."""
        if self.colour == "rgb":
            return generator
        return with_lightness(generator, self.colour, self.data_loader.value_range)

    def open_unpaired(
        self,
        img_shape: tuple,
        shape_A: tuple | None,
        shape_B: tuple | None,
        identity: bool | None,
        multiple: int,
        least: int,
        colour: str = "rgb",
        **options: Any,
    ) -> None:
        """Checks shapes and identity, and opens pictures without pairs.

        Args:
            img_shape: (height, width, channels) of both domains.
            shape_A, shape_B: the shape of one domain; None: img_shape.
            identity: whether the identity terms are on; None: on if both domains have the same shape.
            multiple, least: height and width must be multiples of `multiple` and at least `least`.
            colour: what the generator of B makes, see `take_shapes`.
            **options: of the `UnpairedDataLoader`; `augment` among them.

        Raises:
            BadValueError: (a ValueError) for shapes that cannot work, and switches that are neither on nor off.
        """
        self.take_shapes(img_shape, shape_A, shape_B, colour)
        check_switch(augment=options["augment"])
        if identity is not None:
            check_switch(identity=identity)
        height, width, _ = self.shape_A
        check_sides(height, width, multiple, least)
        self.identity = self.shape_A == self.shape_B if identity is None else identity
        if self.identity and self.shape_A != self.shape_B:
            raise BadValueError(
                f"identity needs equal channels, not {self.shape_A[2]} (A) and {self.shape_B[2]} (B): "
                "turn identity off, or give equal shapes."
            )
        options |= self.data_options | {"shape_A": self.shape_A, "shape_B": self.shape_B}
        self.data_loader = UnpairedDataLoader(**options)

    @property
    def options_of_pairs(self) -> dict[str, Any]:
        """The options of a `DataLoader` for the data and shapes of this model."""
        (*size, channels), channels_B = self.shape_A, self.shape_B[2]
        return self.data_options | {"img_res": tuple(size), "channels": channels, "channels_B": channels_B}

    @property
    def constructor_arguments(self) -> MappingProxyType[str, Any]:
        """As of every model. The shape that several folders of A make is in numbers."""
        stacked = {"shape_A": self.shape_A} if len(self.folders_A) > 1 else {}
        return MappingProxyType(super().constructor_arguments | stacked)

    def fixed_sample(self) -> FixedSample:
        if self._held_out is None:
            self._held_out = next(self.data_loader.load_batch(self.HELD_OUT, is_testing=True))
        translations = {title: np.asarray(images) for title, images in self.translations(*self._held_out).items()}
        rows = list(zip(*translations.values(), strict=True))
        return FixedSample(rows, list(translations), None, self.held_out_figures(translations))

    def held_out(self, number: int, *batch: Any) -> tuple[dict[str, float], dict[str, tuple[Any, Any]]]:
        shown = {title: np.asarray(images) for title, images in self.translations(*batch).items()}
        ways = {"A_to_B": ("A to B", batch[1]), "B_to_A": ("B to A", batch[0])}
        sides = {way: (shown[title], real) for way, (title, real) in ways.items() if title in shown}
        return self.held_out_figures(shown), sides


class TwoWayModel(TranslationModel):
    """Base of the models that translate both ways, with `g_AB` and `g_BA`. Its samples and figures assume pairs."""

    def sample_images(self, epoch: int, batch_i: int) -> Path:
        """Saves original, translation and reconstruction of a test pair as `images/{epoch}_{batch_i}.png`."""
        imgs_A, imgs_B = self.data_loader.load_data(batch_size=1, is_testing=True)
        shown = self.translations(imgs_A, imgs_B)
        columns = len(shown) // 2 if "B" in shown else len(shown)
        titles = ["Original", "Translated", "Reconstructed", "Identity"][:columns]
        first = [images[0] for images in shown.values()]
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        rows = [first[start : start + columns] for start in range(0, len(first), columns)]
        save_grid(path, rows, titles, self.data_loader.value_range)
        return path

    def translations(self, imgs_A: Any, imgs_B: Any) -> dict[str, Any]:
        """Original, translation and reconstruction of a batch, both ways: {title: pictures}."""
        # Translate images to the other domain, and back to original domain
        fake_B = backend.predict(self.g_AB, imgs_A)
        fake_A = backend.predict(self.g_BA, imgs_B)
        shown = {"A": imgs_A, "A to B": fake_B, "and back": backend.predict(self.g_BA, fake_B)}
        return shown | {"B": imgs_B, "B to A": fake_A, "and back again": backend.predict(self.g_AB, fake_A)}

    def held_out_figures(self, translations: Mapping[str, Any]) -> dict[str, float]:
        """L1 of round trips against the original and, with pairs, of translations against the other half first."""
        trips = {"L1_A_and_back": ("and back", "A"), "L1_B_and_back": ("and back again", "B")}
        if isinstance(self.data_loader, DataLoader):
            trips = {"L1_A_to_B": ("A to B", "B"), "L1_B_to_A": ("B to A", "A")} | trips
        made = {name: columns for name, columns in trips.items() if columns[0] in translations}
        return {name: l1(translations[one], translations[other]) for name, (one, other) in made.items()}


def l1(images: Any, others: Any) -> float:
    """Mean absolute difference of two batches of pictures, in the units of their value range."""
    return float(np.abs(images - others).mean())


def verdicts(discriminator: Any, images: Any) -> tuple[Any, Any]:
    """The target verdicts of a discriminator for these pictures: all real (1), all fake (0)."""
    valid = ops.ones((ops.shape(images)[0], *discriminator.output_shape[1:]))
    return valid, ops.zeros_like(valid)


def join(first: Any, second: Any) -> Any:
    """Concatenates two batches."""
    return ops.concatenate([first, second], axis=0)

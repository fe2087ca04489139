"""What the models that translate pictures share: their data, their optimizers, and the held-out pictures they show."""

import numpy as np

from keras_gan.adversarial.model import AdversarialModel, FixedSample, chosen
from keras_gan.images.grids import save_grid


class TranslationModel(AdversarialModel):
    """Base of the models that translate pictures of domain A to pictures of domain B, and perhaps back.

    A model has
        translations(*batch): the columns of a sample grid for a batch of test pictures: a dict, title to pictures
            (batch, height, width, channels);
        held_out_figures(translations): a dict of numbers computed from these columns.

    Args:
        name: the model's name, which its command has too.
        dataset_name: data set: a name, a folder below datasets/ or a path; default: drawn shoes, or for paired
            models datasets/edges2shoes if it exists.
        dataset_B: folder of domain B, if dataset_name is the folder of domain A. Paired models match pictures by name.
        fit: how to fit pictures of another shape: resize (stretch), crop (to the middle) or pad (with white).
        g_optimizer: Keras optimizer for the generators; None: the model's own.
        d_optimizer: the same for the discriminators; each gets its own copy.
        **options: see `AdversarialModel`.

    Raises:
        BadValueError: (a ValueError) if a size or an option cannot work, or a split of the data is empty.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    HELD_OUT = 3  # pictures

    def __init__(
        self,
        name,
        dataset_name: str | None = None,
        dataset_B: str | None = None,
        fit: str = "resize",
        g_optimizer=None,
        d_optimizer=None,
        **options,
    ):
        super().__init__(name, **options)
        self.data_options = {"dataset_name": dataset_name, "dataset_B": dataset_B, "fit": fit, "seed": self.seed}
        self.g_optimizer, self.d_optimizer = chosen(g_optimizer), chosen(d_optimizer)
        self._held_out = None

    def fixed_sample(self):
        if self._held_out is None:
            self._held_out = next(self.data_loader.load_batch(self.HELD_OUT, is_testing=True))
        translations = {title: np.asarray(images) for title, images in self.translations(*self._held_out).items()}
        rows = list(zip(*translations.values(), strict=True))
        return FixedSample(rows, list(translations), None, self.held_out_figures(translations))


class TwoWayModel(TranslationModel):
    """Base of the models that translate both ways, by `g_AB` and `g_BA`. As written here they learn from pairs."""

    def sample_images(self, epoch, batch_i):
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

    def translations(self, imgs_A, imgs_B):
        """Original, translation and reconstruction of a batch, both ways: {title: pictures}."""
        # Translate images to the other domain, and back to original domain
        fake_B = self.g_AB.predict_on_batch(imgs_A)
        fake_A = self.g_BA.predict_on_batch(imgs_B)
        shown = {"A": imgs_A, "A to B": fake_B, "and back": self.g_BA.predict_on_batch(fake_B)}
        return shown | {"B": imgs_B, "B to A": fake_A, "and back again": self.g_AB.predict_on_batch(fake_A)}

    def held_out_figures(self, shown):
        """L1 against the other half of the pair, and after a round trip."""
        figures = {"L1_A_to_B": l1(shown["A to B"], shown["B"]), "L1_B_to_A": l1(shown["B to A"], shown["A"])}
        return figures | cycle_figures(shown)


def l1(images, others):
    """Mean absolute difference of pictures, in their value range."""
    return float(np.abs(images - others).mean())


def cycle_figures(shown):
    """L1 after a round trip, of the columns that are shown: all that unpaired pictures can be measured by."""
    trips = {"L1_A_and_back": ("and back", "A"), "L1_B_and_back": ("and back again", "B")}
    return {name: l1(shown[made], shown[source]) for name, (made, source) in trips.items() if made in shown}

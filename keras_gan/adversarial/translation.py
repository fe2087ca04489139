"""What the models that translate pictures share: the same held-out pictures, looked at again and again."""

import numpy as np

from keras_gan.adversarial.model import AdversarialModel, FixedSample


class TranslationModel(AdversarialModel):
    """Base of the models that translate pictures of A to pictures of B, and perhaps back.

    A model has
        translations(*batch): what becomes of a batch of test pictures: dict of columns, each a title and
            pictures (batch, height, width, channels);
        held_out_figures(translations): a dict of what these say in numbers.
    """

    HELD_OUT = 3  # pictures

    _held_out = None

    def fixed_sample(self):
        if self._held_out is None:
            self._held_out = next(self.data_loader.load_batch(self.HELD_OUT, is_testing=True))
        translations = {title: np.asarray(images) for title, images in self.translations(*self._held_out).items()}
        rows = list(zip(*translations.values(), strict=True))
        return FixedSample(rows, list(translations), None, self.held_out_figures(translations))


def l1(images, others):
    """Mean absolute difference of pictures, in their value range."""
    return float(np.abs(images - others).mean())

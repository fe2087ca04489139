"""The adversarial game: compiled parts, and one fused step that plays them against each other."""

from keras_gan.adversarial.combined import Combined, once, unmoved
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.model import AdversarialModel, FixedSample, fresh
from keras_gan.adversarial.translation import TranslationModel, TwoWayModel

__all__ = [
    "AdversarialModel",
    "Combined",
    "FixedSample",
    "LatentModel",
    "TranslationModel",
    "TwoWayModel",
    "fresh",
    "once",
    "unmoved",
]

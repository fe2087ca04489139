"""The adversarial game: compiled parts, and one fused training step for all of them."""

from keras_gan.adversarial.combined import Combined, once, unmoved
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.model import AdversarialModel, FixedSample
from keras_gan.adversarial.parts import fresh
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

"""The losses that Keras does not have ready, and what goes with them."""

import keras
from keras import ops

from keras_gan.errors import BadValueError


def adversarial_loss(name):
    """What a discriminator and its opponents are scored by.

    Args:
        name: "mse" (least squares, Mao et al., 2017) or "bce" (cross-entropy of the verdicts as
            logits, Goodfellow et al., 2014).

    Returns:
        (loss, metric) for `compile`; the metric is called "accuracy", the share of verdicts that are right.

    Raises:
        BadValueError: for any other name.
    """
    losses = {
        "mse": (keras.losses.MeanSquaredError, 0.5),
        "bce": (lambda: keras.losses.BinaryCrossentropy(from_logits=True), 0.0),
    }
    loss, threshold = choose("adversarial loss", name, losses)
    return loss(), keras.metrics.BinaryAccuracy(name="accuracy", threshold=threshold)


def distance(name, value_range=(-1, 1)):
    """How far a reconstruction is from its original.

    Args:
        name: "mae", "mse", "cosine" (1 less the cosine of the two pictures as vectors) or "hinge"
            (mean of max(0, 1 - a b) over pictures in [-1, 1]: pushes towards black and white).
        value_range: of the pixels.

    Returns:
        A loss for `compile`: (original, reconstruction), both (batch, ...), to a number per picture or pixel.

    Raises:
        BadValueError: for any other name.
    """
    low, high = value_range

    def hinge(y_true, y_pred):
        a, b = ((2 * y - low - high) / (high - low) for y in (y_true, y_pred))
        return ops.maximum(1 - a * b, 0)

    def cosine(y_true, y_pred):
        a, b = (ops.normalize(ops.reshape(y, (ops.shape(y)[0], -1)), axis=-1) for y in (y_true, y_pred))
        return 1 - ops.sum(a * b, axis=-1)

    return choose("distance", name, {"mae": "mae", "mse": "mse", "cosine": cosine, "hinge": hinge})


def feature_matching(real, fake):
    """Squared distance of the mean features of a batch of originals and of fakes: (batch, ...) each, to one number.

    Salimans et al., 2016, section 3.1, as the authors of DiscoGAN use it.
    """
    return ops.mean(ops.square(ops.mean(real, axis=0) - ops.mean(fake, axis=0)))


def choose(what, name, options):
    """`options[name]`, or a BadValueError that lists what can be chosen."""
    if name not in options:
        raise BadValueError(f"{what} must be one of {', '.join(options)}, not {name!r}.")
    return options[name]

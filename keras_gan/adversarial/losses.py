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


def compile_as_before(model, arguments):
    """Compiles the generators of an earlier version's DiscoGAN by its options that are options no longer.

    Args:
        model: a DiscoGAN or DiscoGANPaper.
        arguments: dict of the run's arguments, perhaps with `adversarial_loss`, `distance` and `average`; for the
            paper's also `adversarial_weight` and `reconstruction_weight`.
    """
    if "average" not in arguments:
        return
    is_paper = "game" in arguments
    verdict_loss, _ = adversarial_loss(arguments["adversarial_loss"] or ("bce" if is_paper else "mse"))
    far = distance(arguments["distance"] or ("mse" if is_paper else "mae"), model.data_loader.value_range)
    half = 0.5 if arguments["average"] else 1.0
    losses = {"valid": verdict_loss, "fake": "mae", "reconstr": far, "features": feature_matching}
    kinds = [name.split("_")[0] for name in model.combined.output_names]
    weights = {"valid": "adversarial_weight", "fake": "translation_weight", "reconstr": "reconstruction_weight"}
    weights = {kind: half * arguments[name] for kind, name in weights.items()}
    if is_paper:
        model.SHARES = {kind: share * weights.get(kind, half) for kind, share in model.SHARES.items()}
        weights = model.weights_now
    for part in model.discriminators:
        accuracy = adversarial_loss(arguments["adversarial_loss"] or ("bce" if is_paper else "mse"))[1]
        part.compile(loss=verdict_loss, optimizer=part.optimizer, metrics=[accuracy])
    model.combined.compile(
        loss=[losses[kind] for kind in kinds],
        loss_weights=[weights[kind] for kind in kinds],
        optimizer=model.combined.optimizer,
    )


def choose(what, name, options):
    """`options[name]`, or a BadValueError that lists what can be chosen."""
    if name not in options:
        raise BadValueError(f"{what} must be one of {', '.join(options)}, not {name!r}.")
    return options[name]

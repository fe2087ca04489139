"""Losses that Keras does not provide, with their metrics."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras
from keras import ops

from keras_gan.errors import BadValueError

T = TypeVar("T")


def adversarial_loss(name: str) -> tuple[Any, Any]:
    """The adversarial loss of discriminators and generators, with its accuracy metric.

    Args:
        name: "mse" (least squares, Mao et al., 2017) or "bce" (cross-entropy of the verdicts as
            logits, Goodfellow et al., 2014).

    Returns:
        (loss, metric) for `compile`. The metric is named "accuracy": the share of right verdicts, 0 to 1.

    Raises:
        BadValueError: for any other name.
    """
    losses: dict[str, tuple[Callable[[], Any], float]] = {
        "mse": (keras.losses.MeanSquaredError, 0.5),
        "bce": (lambda: keras.losses.BinaryCrossentropy(from_logits=True), 0.0),
    }
    loss, threshold = choose("adversarial loss", name, losses)
    return loss(), keras.metrics.BinaryAccuracy(name="accuracy", threshold=threshold)


def distance(name: str, value_range: tuple[float, float] = (-1, 1)) -> str | Callable[[Any, Any], Any]:
    """The loss that compares a reconstruction with its original.

    Args:
        name: "mae", "mse", "cosine" (1 minus the cosine similarity of the two pictures as vectors) or "hinge"
            (mean of max(0, 1 - a b) over pixels in [-1, 1]: pushes towards black and white).
        value_range: value range of the pictures.

    Returns:
        A loss for `compile`: (original, reconstruction), both (batch, ...), to one value per picture or pixel.

    Raises:
        BadValueError: for any other name.
    """
    low, high = value_range

    def hinge(y_true: Any, y_pred: Any) -> Any:
        a, b = ((2 * y - low - high) / (high - low) for y in (y_true, y_pred))
        return ops.maximum(1 - a * b, 0)

    def cosine(y_true: Any, y_pred: Any) -> Any:
        a, b = (ops.normalize(ops.reshape(y, (ops.shape(y)[0], -1)), axis=-1) for y in (y_true, y_pred))
        return 1 - ops.sum(a * b, axis=-1)

    losses: dict[str, Any] = {"mae": "mae", "mse": "mse", "cosine": cosine, "hinge": hinge}
    return choose("distance", name, losses)


@keras.saving.register_keras_serializable(package="keras_gan")
def feature_matching(real: Any, fake: Any) -> Any:
    """Mean squared difference of the batch means of real and fake features, (batch, ...) each: one number.

    Salimans et al., 2016, section 3.1, in the form of the DiscoGAN authors' program.
    """
    return ops.mean(ops.square(ops.mean(real, axis=0) - ops.mean(fake, axis=0)))


def patch_nce(queries: Any, keys: Any, temperature: float) -> Any:
    """The patchwise contrastive loss: how surely each patch of a translation finds its own place in the original.

    Cross-entropy of picking, for query i, key i out of all keys of the same picture; the logits are dot products
    divided by the temperature. No gradient reaches the keys. Park et al., 2020, section 3.2.

    Args:
        queries: (batch, patches, units), vectors of length 1, of the translation.
        keys: the same of the original; patch i is at the same position in both.
        temperature: above 0.

    Returns:
        Mean over the patches, (batch,), at least 0. With equal vectors it is log(patches).
    """
    keys = ops.stop_gradient(keys)
    logits = ops.matmul(queries, ops.transpose(keys, (0, 2, 1))) / temperature
    own = ops.sum(queries * keys, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=-1) - own, axis=-1)


def compile_as_before(model: Any, arguments: dict[str, Any]) -> None:
    """Recompiles a DiscoGAN of an earlier version with options that no longer exist; does nothing without `average`.

    Args:
        model: a DiscoGAN or DiscoGANPaper.
        arguments: dict of the run's arguments, perhaps with `adversarial_loss`, `distance` and `average`; for a
            DiscoGANPaper also `adversarial_weight` and `reconstruction_weight`.
    """
    if "average" not in arguments:
        return
    is_paper = "game" in arguments
    verdict_loss, _ = adversarial_loss(arguments["adversarial_loss"] or ("bce" if is_paper else "mse"))
    far = distance(arguments["distance"] or ("mse" if is_paper else "mae"), model.data_loader.value_range)
    half = 0.5 if arguments["average"] else 1.0
    losses: dict[str, Any] = {"valid": verdict_loss, "fake": "mae", "reconstr": far, "features": feature_matching}
    kinds = [name.split("_")[0] for name in model.combined.output_names]
    options = {"valid": "adversarial_weight", "fake": "translation_weight", "reconstr": "reconstruction_weight"}
    weights: dict[str, Any] = {kind: half * arguments[name] for kind, name in options.items()}
    if is_paper:
        model.shares = {kind: share * weights.get(kind, half) for kind, share in model.shares.items()}
        weights = model.weights_now
    for part in model.discriminators:
        accuracy = adversarial_loss(arguments["adversarial_loss"] or ("bce" if is_paper else "mse"))[1]
        part.compile(loss=verdict_loss, optimizer=part.optimizer, metrics=[accuracy])
    model.combined.compile(
        loss=[losses[kind] for kind in kinds],
        loss_weights=[weights[kind] for kind in kinds],
        optimizer=model.combined.optimizer,
    )


def choose(what: str, name: str, options: Mapping[str, T]) -> T:
    """Returns `options[name]`, or raises BadValueError with the list of options."""
    if name not in options:
        raise BadValueError(f"{what} must be one of {', '.join(options)}, not {name!r}.")
    return options[name]

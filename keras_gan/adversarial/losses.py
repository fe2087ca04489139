"""Losses that Keras does not provide, with their metrics."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import keras
from keras import ops

from keras_gan.errors import BadValueError

T = TypeVar("T")


def adversarial_loss(name: str) -> tuple[Any, Any]:
    """The adversarial loss of discriminators and generators, with its accuracy metric.

    Args:
        name: "mse" (least squares, Mao et al., 2017), "bce" (cross-entropy of the verdicts as logits, Goodfellow et
            al., 2014), "hinge" or "wgan-gp" (the loss of the critic alone, see `wasserstein`).

    Returns:
        (loss, metric) for `compile`. The metric is named "accuracy": the share of right verdicts, 0 to 1.

    Raises:
        BadValueError: for any other name.
    """
    losses: dict[str, tuple[Callable[[], Any], float]] = {
        "mse": (keras.losses.MeanSquaredError, 0.5),
        "bce": (lambda: keras.losses.BinaryCrossentropy(from_logits=True), 0.0),
        "hinge": (lambda: hinge, 0.0),
        "wgan-gp": (lambda: wasserstein, 0.0),
    }
    loss, threshold = choose("adversarial loss", name, losses)
    return loss(), keras.metrics.BinaryAccuracy(name="accuracy", threshold=threshold)


class Adversarial(NamedTuple):
    """What discriminators and generators are compiled with."""

    d_loss: Any
    g_loss: Any
    accuracy: Any


@keras.saving.register_keras_serializable(package="keras_gan")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """The discriminator's hinge loss: max(0, 1 - D) on originals (1), max(0, 1 + D) on fakes (0).

    The generator's is `wasserstein`. Lim and Ye, 2017; Miyato et al., 2018, equations 16 and 17.
    """
    return ops.maximum(1 - signed(y_true) * y_pred, 0)


@keras.saving.register_keras_serializable(package="keras_gan")
def wasserstein(y_true: Any, y_pred: Any) -> Any:
    """Minus the verdict where the target is real (1), the verdict itself where it is fake (0).

    Their sum over originals and fakes estimates minus the Wasserstein distance. Gulrajani et al., 2017, equation 3.
    """
    return -signed(y_true) * y_pred


def signed(y_true: Any) -> Any:
    """The targets 0 and 1 as -1 and 1."""
    return 2 * y_true - 1


@keras.saving.register_keras_serializable(package="keras_gan")
class OneSidedSmoothing(keras.losses.Loss):
    """Another loss, with the target 1 lowered; the target 0 stays. Salimans et al., 2016, section 3.4.

    Args:
        loss: "mse" or "bce".
        smoothing: share of the target 1 that is taken away.
    """

    def __init__(self, loss: str, smoothing: float, name: str = "one_sided_smoothing", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.kind, self.smoothing = loss, smoothing
        self.inner, _ = adversarial_loss(loss)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.inner.call(y_true * (1 - self.smoothing), y_pred)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"loss": self.kind, "smoothing": self.smoothing}


@keras.saving.register_keras_serializable(package="keras_gan")
class RelativisticAverage(keras.losses.Loss):
    """How much more real the pictures of one side look than the mean of the other, and the other way round.

    Minimises f(C(own) - mean C(other), 1) + f(C(other) - mean C(own), -1) with verdicts C; mean over pictures and
    patches. Discriminators have originals as their own and fakes as the others, generators the reverse.
    Jolicoeur-Martineau, 2018, section 4, and its appendix for least squares and hinge.

    Args:
        loss: f: "mse", "bce" or "hinge".

    It is called with (verdicts on the others, verdicts on the own), of the same shape (batch, ...).
    """

    def __init__(self, loss: str, name: str = "relativistic_average", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.kind = loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        own, other = relative(y_pred, y_true)
        f: Callable[[Any, int], Any] = {
            "mse": lambda verdict, target: ops.square(verdict - target),
            "bce": lambda verdict, target: ops.softplus(-target * verdict),
            "hinge": lambda verdict, target: ops.maximum(1 - target * verdict, 0),
        }[self.kind]
        return f(own, 1) + f(other, -1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"loss": self.kind}


def relative(own: Any, other: Any) -> tuple[Any, Any]:
    """The verdicts of two sides, each minus the mean of the other side's."""
    return own - ops.mean(other), other - ops.mean(own)


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

"""The rules that a user can change in every game: its loss, penalties, how often discriminators learn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from keras_gan.adversarial import losses
from keras_gan.errors import BadValueError, check_at_least, check_share, check_switch, check_weight
from keras_gan.layers import SpectralNormalization

LOSSES = ("mse", "bce", "hinge", "wgan-gp")
WGAN_GP = {"gradient_penalty": 10.0, "critic_steps": 5}  # of the paper, section 4 and algorithm 1


@dataclass(frozen=True)
class Rules:
    """The options of `AdversarialModel` of the same names. A number that is None is the default of the loss.

    Raises:
        BadValueError: for values that cannot work, and for rules that exclude each other.
    """

    adversarial_loss: str | None = None
    relativistic: bool = False
    gradient_penalty: float | None = None
    r1: float = 0.0
    critic_steps: int | None = None
    label_smoothing: float = 0.0
    spectral_norm: bool = False

    def __post_init__(self) -> None:
        loss = self.adversarial_loss
        if loss is not None and loss not in LOSSES:
            raise BadValueError(f"adversarial_loss must be one of {', '.join(LOSSES)}, not {loss!r}.")
        usual = WGAN_GP if self.is_wasserstein else {"gradient_penalty": 0.0, "critic_steps": 1}
        for name, value in usual.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        check_switch(relativistic=self.relativistic, spectral_norm=self.spectral_norm)
        check_weight(gradient_penalty=self.gradient_penalty, r1=self.r1)  # type: ignore[arg-type]
        check_at_least(1, critic_steps=self.critic_steps)
        check_share(label_smoothing=self.label_smoothing)
        if self.relativistic and self.is_wasserstein:
            raise BadValueError("relativistic changes nothing in wgan-gp, which compares means: leave one of them out.")
        if self.label_smoothing and (self.relativistic or loss in ("hinge", "wgan-gp")):
            kind = "a relativistic loss" if self.relativistic else loss
            raise BadValueError(f"label_smoothing={self.label_smoothing:g} needs labels, which {kind} lacks: take bce.")
        if self.is_wasserstein and not self.gradient_penalty and not self.spectral_norm:
            raise BadValueError("wgan-gp needs a bounded critic: leave gradient_penalty=0 out, or add spectral_norm.")

    @property
    def is_wasserstein(self) -> bool:
        return self.adversarial_loss == "wgan-gp"

    @property
    def has_penalty(self) -> bool:
        return bool(self.gradient_penalty or self.r1)

    @property
    def joins_updates(self) -> bool:
        """Whether a discriminator has one update on originals and fakes, whose verdicts belong together."""
        return bool(self.relativistic or self.is_wasserstein or self.has_penalty)

    def adversarial(self, recipe: str) -> losses.Adversarial:
        """The losses and the metric to compile with; the recipe's loss has a name of `losses.adversarial_loss`."""
        name = self.adversarial_loss or recipe
        loss, accuracy = losses.adversarial_loss(name)
        if self.relativistic:
            _, accuracy = losses.adversarial_loss("bce")  # of relative verdicts: right above 0
            return losses.Adversarial(losses.RelativisticAverage(name), losses.RelativisticAverage(name), accuracy)
        if self.label_smoothing:
            return losses.Adversarial(losses.OneSidedSmoothing(name, self.label_smoothing), loss, accuracy)
        return losses.Adversarial(loss, losses.wasserstein if name == "hinge" else loss, accuracy)


def ruled(model: Any, discriminator: Any) -> Any:
    """The discriminator that the model's rules make of this one; BadValueError if they do not fit it."""
    rules = model.rules
    check_discriminator(model, discriminator)
    if not rules.spectral_norm or is_normalised(discriminator):
        return discriminator
    return keras.models.clone_model(discriminator, clone_function=spectrally_normalised, recursive=True)


def check_discriminator(model: Any, discriminator: Any) -> None:
    """Raises BadValueError if a discriminator cannot be trained by the model's rules."""
    rules = model.rules
    has_batch_norm = any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers_of(discriminator))
    if has_batch_norm and (rules.has_penalty or rules.is_wasserstein):
        asked = {"adversarial_loss=wgan-gp": rules.is_wasserstein, "gradient_penalty": rules.gradient_penalty}
        given = next((name for name, value in asked.items() if value), "r1")
        raise BadValueError(
            f"{given} needs a verdict on each picture, but BatchNormalization in {discriminator.name} mixes a batch: "
            f"{model.without_batch_norm}."
        )
    if model.discriminators_every and rules.critic_steps > 1:
        raise BadValueError(f"critic_steps={rules.critic_steps}: {model.name} has its own order, so leave it out.")


def layers_of(network: Any) -> Iterator[Any]:
    """All layers of a network, also of networks in it."""
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


def is_normalised(network: Any) -> bool:
    """Whether a network has spectral normalisation."""
    return any(isinstance(layer, SpectralNormalization) for layer in layers_of(network))


def spectrally_normalised(layer: Any) -> Any:
    """A copy of a layer, with spectral normalisation if it has a kernel. Miyato et al., 2018."""
    copy = layer.__class__.from_config(layer.get_config())
    return SpectralNormalization(copy, name=layer.name) if hasattr(layer, "kernel") else copy

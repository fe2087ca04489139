"""What is logged of a game: the metrics of its parts and of the penalties that its rules add."""

from typing import Any

import keras
from keras import ops

from keras_gan.adversarial.handover import Handover
from keras_gan.adversarial.rules import Rules, check_discriminator, is_normalised
from keras_gan.errors import BadValueError


class LoggedModel(Handover):
    """A Keras model of several compiled parts, whose metrics are its own."""

    combined: Any
    discriminators: list[Any]
    rules: Rules
    penalties: dict[str, Any]
    penalty_seed: Any = None
    without_batch_norm = "choose another model"  # the way out where penalties need a discriminator without it

    @property
    def parts(self) -> list[Any]:
        """The compiled models: the discriminators, in the order of their updates, then `combined`."""
        return [*self.discriminators, self.combined] if self.combined else []

    @property
    def metrics(self) -> list[Any]:
        return [metric for part in self.parts for metric in part.metrics] + list(self.penalties.values())

    def get_metrics_result(self) -> dict[str, Any]:
        logs: dict[str, Any] = {}
        of_all: dict[str, list[Any]] = {"loss": [], "acc": [], "penalty": []}
        for discriminator in self.discriminators:
            for name, figure in discriminator.get_metrics_result().items():
                short = "acc" if name == "accuracy" else name
                logs[f"{discriminator.name}_{short}"] = figure
                of_all.setdefault(short, []).append(figure)
            if discriminator.name in self.penalties:
                logs[f"{discriminator.name}_penalty"] = self.penalties[discriminator.name].result()
                of_all["penalty"].append(logs[f"{discriminator.name}_penalty"])
        means = ("loss", "acc", "penalty")
        logs |= {f"d_{short}": ops.mean(ops.stack(of_all[short])) for short in means if of_all[short]}
        figures = self.combined.get_metrics_result()
        logs["g_loss"] = figures.pop("loss")
        return logs | figures

    def prepare_rules(self) -> None:
        """Creates the metrics of penalties, once; refuses discriminators that rules do not fit."""
        for discriminator in self.discriminators:
            check_discriminator(self, discriminator)
            if self.rules.spectral_norm and not is_normalised(discriminator):
                raise BadValueError(f"spectral_norm needs {discriminator.name} to be built by build_discriminator().")
            if self.rules.has_penalty and discriminator.name not in self.penalties:
                self.penalties[discriminator.name] = keras.metrics.Mean(name=f"{discriminator.name}_penalty")

    def make_test_function(self, force: bool = False) -> Any:
        """Builds what `evaluate()` runs on a batch."""
        self.prepare_rules()
        return super().make_test_function(force)

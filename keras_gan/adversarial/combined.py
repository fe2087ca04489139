"""`Combined`, the posts' adversarial model: the generators' losses, and the networks that they train."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops


def once(x: Any) -> Any:
    """Marks a fake in the graph of `Combined`: generated once per step, shown to the discriminators, then scored."""
    return keras.layers.Identity(dtype=keras.config.floatx())(x)


@contextlib.contextmanager
def unmoved(variables: Sequence[Any]) -> Iterator[None]:
    """On exit, restores the values of these variables, such as moving statistics that a training pass updates."""
    before = [(variable, ops.copy(variable)) for variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)


class TrainedNetworks(keras.layers.Layer):
    """Networks as one layer. A layer or weight that they share appears once in its variables and losses."""

    def __init__(self, networks: Sequence[Any]) -> None:
        super().__init__()
        self.networks = networks
        self.built = True


class Combined(keras.Model):
    """The functional adversarial model. It trains the generators only.

    The posts write `discriminator.trainable = False; combined = Model(inputs, outputs)`. Keras 3 reads that flag when a
    step is traced, so a literal port never trains its discriminators. `Combined` lists the networks that it trains
    instead, and sets no flag.

    Args:
        inputs: list of `keras.Input`.
        outputs: dict, name to tensor. Outputs and their losses get these names.
        fakes: list of the tensors made by `once()` on the way to the outputs.
        trains: list of the networks that this model's optimizer updates.

    Its two halves share its layers: `generate` maps inputs to fakes; `judge` maps inputs and fakes to outputs. The
    discriminators are trained between them.

    The discriminators run in training mode here: BatchNormalization normalises by batch statistics. Its moving
    statistics are restored afterwards, since the discriminators are not trained here.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: dict[str, Any],
        fakes: Sequence[Any],
        trains: Sequence[Any],
        name: str = "combined",
    ) -> None:
        # Keras names an output after the layer that made it. Outputs are in full precision, also in mixed precision.
        full = keras.config.floatx()
        named = [keras.layers.Identity(name=key, dtype=full)(tensor) for key, tensor in outputs.items()]
        super().__init__(inputs=inputs, outputs=named, name=name)
        self._generate = keras.Model(inputs, fakes, name="generate")
        self._judge = keras.Model([*inputs, *fakes], named, name="judge")
        self.trains = trains
        trained = TrainedNetworks(trains)
        self._trained = lambda: trained  # a function: Keras would save a layer attribute a second time

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, **kwargs: Any) -> None:
        """As `keras.Model.compile`, but `loss_weights` without `loss` re-weights the losses compiled before.

        (Keras itself would keep the old losses with their old weights.)
        """
        if loss is None and loss_weights is not None and self.compiled:
            loss = self.loss
        super().compile(optimizer=optimizer, loss=loss, loss_weights=loss_weights, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        with unmoved(self.statistics_of_discriminators()):
            return super().call(inputs, training=training, mask=mask)

    def generate(self, inputs: Sequence[Any], training: bool | None = None) -> list[Any]:
        """The first half: a list of inputs to the list of fakes."""
        return keras.tree.flatten(self._generate(inputs, training=training))

    def judge(self, inputs: Sequence[Any], training: bool | None = None) -> Any:
        """The second half: a list of inputs and fakes to the outputs."""
        with unmoved(self.statistics_of_discriminators()):
            return self._judge(inputs, training=training)

    def statistics_of_generators(self) -> list[Any]:
        """The generators' moving statistics (BatchNormalization), which a forward pass in training mode updates."""
        return self._trained().non_trainable_weights

    def statistics_of_discriminators(self) -> list[Any]:
        """The moving statistics of the networks that this model does not train."""
        own = {id(variable) for variable in self.statistics_of_generators()}
        return [variable for variable in self.non_trainable_weights if id(variable) not in own]

    @property
    def losses(self) -> list[Any]:
        return self._trained().losses

    @property
    def trainable_variables(self) -> list[Any]:
        return self._trained().trainable_variables

    @property
    def trainable_weights(self) -> list[Any]:
        return self.trainable_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """All other variables: JAX passes them through a step, too."""
        trained = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in trained]

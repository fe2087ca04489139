"""The adversarial model of the posts, `combined`: what the generators want, and the networks that it trains."""

import contextlib

import keras
from keras import ops


def once(x):
    """Marks a fake of `Combined`: computed once a step, shown to the discriminators, then scored."""
    return keras.layers.Identity(dtype=keras.config.floatx())(x)


@contextlib.contextmanager
def unmoved(variables):
    """Gives these variables back the values that they had, whatever a forward pass in training mode did to them."""
    before = [(variable, ops.copy(variable)) for variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)


class Together(keras.layers.Layer):
    """Networks as one layer: what they share, a layer or its weights, is among its variables and losses once."""

    def __init__(self, networks):
        super().__init__()
        self.networks = networks
        self.built = True


class Combined(keras.Model):
    """The functional adversarial model, which trains the generators and nobody else.

    The posts write `discriminator.trainable = False; combined = Model(inputs, outputs)`. Keras 3
    reads that flag when a step is traced, so a literal port never trains its discriminators. Here
    `combined` names the networks that it trains, and no flag is ever touched.

    Args:
        inputs: list of `keras.Input`.
        outputs: dict, name to tensor. The names become those of the outputs and of their losses.
        fakes: list of the tensors made by `once()` on the way to the outputs.
        trains: list of the networks that this model's optimizer updates.

    Its two halves share its layers: `generate`, inputs to fakes, and `judge`, inputs and fakes to
    outputs. In between, the discriminators are trained.

    In here the discriminators judge as they do in training, by the statistics of the batch, but the
    moving statistics of their BatchNormalization stay as they are: they learn nothing here.
    """

    def __init__(self, inputs, outputs, fakes, trains, name="combined"):
        # An output is called after the layer that made it. In mixed precision too it is in full precision.
        full = keras.config.floatx()
        outputs = [keras.layers.Identity(name=key, dtype=full)(tensor) for key, tensor in outputs.items()]
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self._generate = keras.Model(inputs, fakes, name="generate")
        self._judge = keras.Model([*inputs, *fakes], outputs, name="judge")
        self.trains = trains
        together = Together(trains)
        self._trained = lambda: together  # a function, or Keras would save the networks once more

    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, **kwargs):
        """As `keras.Model.compile`; loss weights alone are those of the losses compiled before.

        (Keras keeps the losses then too, but with the weights that they had.)
        """
        if loss is None and loss_weights is not None and self.compiled:
            loss = self.loss
        super().compile(optimizer=optimizer, loss=loss, loss_weights=loss_weights, **kwargs)

    def call(self, inputs, training=None, mask=None):
        with unmoved(self.statistics_of_discriminators()):
            return super().call(inputs, training=training, mask=mask)

    def generate(self, inputs, training=None):
        """The first half: a list of inputs to the list of fakes."""
        return keras.tree.flatten(self._generate(inputs, training=training))

    def judge(self, inputs, training=None):
        """The second half: a list of inputs and fakes to the outputs."""
        with unmoved(self.statistics_of_discriminators()):
            return self._judge(inputs, training=training)

    def statistics_of_generators(self):
        """What a forward pass of the generators in training mode moves: the averages of BatchNormalization."""
        return self._trained().non_trainable_weights

    def statistics_of_discriminators(self):
        """The same of the networks that this model does not train."""
        own = {id(variable) for variable in self.statistics_of_generators()}
        return [variable for variable in self.non_trainable_weights if id(variable) not in own]

    @property
    def losses(self):
        return self._trained().losses

    @property
    def trainable_variables(self):
        return self._trained().trainable_variables

    @property
    def trainable_weights(self):
        return self.trainable_variables

    @property
    def non_trainable_variables(self):
        """All others: JAX hands them through a step too."""
        trained = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in trained]

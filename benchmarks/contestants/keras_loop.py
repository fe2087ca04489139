"""The loops of the Keras posts, call by call: on Keras 2 with tensorflow-addons, or on Keras 3.

The programs are those of the posts: every network that learns is compiled with an optimizer of its
own, discriminators are frozen between two compiles, and an iteration is two `predict` and a
`train_on_batch` for each update. On Keras 3 freezing has another meaning (it would freeze the
discriminators for good); there `combined` names the networks that it trains.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_networks as networks
import numpy as np
import tensorflow as tf
from graph import flop
from worker import Contestant, Pool, noise, serve

IS_KERAS_2 = keras.__version__.startswith("2.")


class Trains(keras.Model):
    """A model that trains these networks of its own and no others."""

    def __init__(self, inputs, outputs, trained):
        super().__init__(inputs=inputs, outputs=outputs)
        self.trained = trained

    @property
    def trainable_variables(self):
        return [variable for network in self.trained for variable in network.trainable_variables]

    @property
    def trainable_weights(self):
        return self.trainable_variables


def adversarial(inputs, outputs, generators, discriminators):
    """`combined`, with the discriminators frozen; they are compiled already."""
    if not IS_KERAS_2:
        return Trains(inputs, outputs, generators)
    for discriminator in discriminators:
        discriminator.trainable = False
    return keras.Model(inputs, outputs)


def adam():
    return keras.optimizers.Adam(2e-4, 0.5)


def rmsprop(learning_rate, decay):
    return keras.optimizers.RMSprop(keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay))


class Loop:
    """Networks, compiled, and the calls of one iteration; what is called with what is noted for counting."""

    def __init__(self):
        self.calls = []

    def predict(self, model, x):
        self.calls.append((lambda x: model(x, training=False), x))
        return model.predict(x, verbose=0)

    def train(self, model, x, y):
        self.calls.append((lambda *data: model.train_step(data), x, y))
        model.train_on_batch(x, y)

    def step(self):
        self.calls = []
        self.iteration()

    def flop(self):
        """Of the calls of the last iteration."""
        constants = [[tf.nest.map_structure(tf.constant, x) for x in call[1:]] for call in self.calls]
        return sum(flop(call[0], *args) for call, args in zip(self.calls, constants))  # noqa: B905 (Python 3.9)


class DiscoGAN(Loop):
    def __init__(self, setting):
        super().__init__()
        self.A, self.B = noise(setting)
        shape, filters = self.A.shape[1:], setting["filters"]
        self.d_A, self.d_B = (networks.discogan_discriminator(shape, filters) for _ in "AB")
        for discriminator in (self.d_A, self.d_B):
            discriminator.compile(loss="mse", optimizer=adam(), metrics=["accuracy"])
        self.g_AB, self.g_BA = (networks.discogan_generator(shape, filters) for _ in "AB")

        img_A, img_B = keras.Input(shape), keras.Input(shape)
        fake_B, fake_A = self.g_AB(img_A), self.g_BA(img_B)
        outputs = [self.d_A(fake_A), self.d_B(fake_B), fake_B, fake_A, self.g_BA(fake_B), self.g_AB(fake_A)]
        self.combined = adversarial([img_A, img_B], outputs, [self.g_AB, self.g_BA], [self.d_A, self.d_B])
        self.combined.compile(loss=["mse", "mse", "mae", "mae", "mae", "mae"], optimizer=adam())

    def iteration(self):
        valid = np.ones((len(self.A), *self.d_A.output_shape[1:]))
        fake = np.zeros_like(valid)
        fake_B = self.predict(self.g_AB, self.A)
        fake_A = self.predict(self.g_BA, self.B)
        self.train(self.d_A, self.A, valid)
        self.train(self.d_A, fake_A, fake)
        self.train(self.d_B, self.B, valid)
        self.train(self.d_B, fake_B, fake)
        self.train(self.combined, [self.A, self.B], [valid, valid, self.B, self.A, self.A, self.B])


LOOPS = {"discogan": DiscoGAN}


def build(setting):
    loop = LOOPS[setting["model"]](setting)
    names = ("g_AB", "g_BA", "d_A", "d_B", "generator", "discriminator")
    return Contestant(
        step=loop.step,
        networks={name: getattr(loop, name) for name in names if hasattr(loop, name)},
        # A frozen network counts too: BatchNormalization's statistics are all that is never trained
        count=lambda network: sum(int(tf.size(weight)) for weight in trained(network)),
        weight=lambda network: np.array(trained(network)[0]),
        flop=loop.flop,
        versions=f"TensorFlow {tf.__version__}, Keras {keras.__version__}",
    )


def trained(network):
    return [weight for weight in network.weights if "moving_" not in weight.name]


if __name__ == "__main__":
    serve(build)

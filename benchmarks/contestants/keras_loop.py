"""The loops of the Keras posts, call by call: on Keras 2 with tensorflow-addons, or on Keras 3.

As in the posts, each trained model is compiled with its own optimizer, discriminators are frozen between two compiles,
and an iteration is two `predict` and one `train_on_batch` for each update. On Keras 3, freezing works differently: it
would freeze the discriminators for good. So on Keras 3, `combined` names the networks that it trains.
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
if IS_KERAS_2:
    from keras.src.engine.training_utils import RespectCompiledTrainableState


class Trains(keras.Model):
    """A model that trains only the given networks among its parts."""

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
    """Returns `combined`, with the discriminators frozen; they are already compiled."""
    if not IS_KERAS_2:
        return Trains(inputs, outputs, generators)
    for discriminator in discriminators:
        discriminator.trainable = False
    return keras.Model(inputs, outputs)


def adam():
    return keras.optimizers.Adam(2e-4, 0.5)


def rmsprop(learning_rate, decay):
    return keras.optimizers.RMSprop(keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay))


def train_step(model):
    """Returns the step of `train_on_batch`, to count its operations; on Keras 2 with the flags of compile time."""
    if not IS_KERAS_2:
        return lambda x, y: model.train_step((x, y))

    def step(x, y):
        with RespectCompiledTrainableState(model):
            return model.train_step((x, y))

    return step


class Loop:
    """Base of the loops. Records the calls of an iteration, to count their operations."""

    def step(self):
        self.calls = []
        self.iteration()

    def predict(self, model, x):
        self.calls.append((lambda x: model(x, training=False), [x]))
        return model.predict(x, verbose=0)

    def train(self, model, x, y):
        self.calls.append((train_step(model), [x, y]))
        model.train_on_batch(x, y)

    def flop(self):
        """Returns the operations of all calls in the last iteration."""
        return sum(flop(function, *tf.nest.map_structure(tf.constant, args)) for function, args in self.calls)


class DiscoGAN(Loop):
    """The post's seven calls."""

    def __init__(self, setting):
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


class CycleGAN(Loop):
    """The notebooks' five calls, with U-Nets or with the paper's ResNets. In the paper the generators learn first."""

    def __init__(self, setting):
        self.is_unet = setting["model"] == "cyclegan-unet"
        self.A, self.B = noise(setting, low=0.0 if self.is_unet else -1.0)
        shape_A, shape_B = self.A.shape[1:], self.B.shape[1:]
        self.identity = shape_A == shape_B
        self.pool_A, self.pool_B = (Pool(0 if self.is_unet else 50) for _ in "AB")
        if self.is_unet:
            self.d_A, self.d_B = map(networks.unet_discriminator, (shape_A, shape_B))
            self.g_AB, self.g_BA = networks.unet(shape_A, shape_B[2]), networks.unet(shape_B, shape_A[2])
        else:
            self.d_A, self.d_B = map(networks.cyclegan_discriminator, (shape_A, shape_B))
            self.g_AB, self.g_BA = (networks.resnet(shape_A, setting["blocks"]) for _ in "AB")
        for discriminator in (self.d_A, self.d_B):
            optimizer = rmsprop(2e-4, 6e-8) if self.is_unet else adam()
            discriminator.compile(loss="mse", optimizer=optimizer, metrics=["accuracy"])
        self.compile_combined(shape_A, shape_B)

    def compile_combined(self, shape_A, shape_B):
        img_A, img_B = keras.Input(shape_A), keras.Input(shape_B)
        fake_B, fake_A = self.g_AB(img_A), self.g_BA(img_B)
        outputs = [self.d_A(fake_A), self.d_B(fake_B), self.g_BA(fake_B), self.g_AB(fake_A)]
        if self.identity:
            outputs += [self.g_BA(img_A), self.g_AB(img_B)]
        self.combined = adversarial([img_A, img_B], outputs, [self.g_AB, self.g_BA], [self.d_A, self.d_B])
        self.combined.compile(
            loss=["mse", "mse", "mae", "mae", "mae", "mae"][: len(outputs)],
            loss_weights=[1, 1, 10, 10, 5, 5][: len(outputs)],
            optimizer=rmsprop(1e-4, 3e-8) if self.is_unet else adam(),
        )

    def iteration(self):
        valid = np.ones((len(self.A), *self.d_A.output_shape[1:]))
        labels = np.concatenate([valid, np.zeros_like(valid)])
        targets = [valid, valid, self.A, self.B] + self.identity * [self.A, self.B]
        fake_B = self.predict(self.g_AB, self.A)
        fake_A = self.predict(self.g_BA, self.B)
        if not self.is_unet:
            self.train(self.combined, [self.A, self.B], targets)
        self.train(self.d_A, np.concatenate([self.A, self.pool_A(fake_A)]), labels)
        self.train(self.d_B, np.concatenate([self.B, self.pool_B(fake_B)]), labels)
        if self.is_unet:
            self.train(self.combined, [self.A, self.B], targets)


class Pix2Pix(Loop):
    """Four calls."""

    def __init__(self, setting):
        self.A, self.B = noise(setting)
        shape, filters = self.A.shape[1:], setting["filters"]
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self.discriminator = networks.pix2pix_discriminator(shape, filters)
        self.discriminator.compile(loss=loss, optimizer=adam(), metrics=["accuracy"])
        self.generator = networks.pix2pix_generator(shape, filters)

        img = keras.Input(shape)
        fake = self.generator(img)
        outputs = [self.discriminator([img, fake]), fake]
        self.combined = adversarial([img], outputs, [self.generator], [self.discriminator])
        self.combined.compile(loss=[loss, "mae"], loss_weights=[1, 100], optimizer=adam())

    def iteration(self):
        valid = np.ones((len(self.A), *self.discriminator.output_shape[1:]))
        fake_B = self.predict(self.generator, self.A)
        self.train(self.discriminator, [self.A, self.B], valid)
        self.train(self.discriminator, [self.A, fake_B], np.zeros_like(valid))
        self.train(self.combined, self.A, [valid, self.B])


LOOPS = {"discogan": DiscoGAN, "cyclegan-unet": CycleGAN, "cyclegan-resnet": CycleGAN, "pix2pix": Pix2Pix}


def build(setting):
    loop = LOOPS[setting["model"]](setting)
    names = ("g_AB", "g_BA", "d_A", "d_B", "generator", "discriminator")
    return Contestant(
        step=loop.step,
        networks={name: getattr(loop, name) for name in names if hasattr(loop, name)},
        count=lambda network: sum(int(tf.size(weight)) for weight in trained(network)),
        weight=lambda network: np.array(trained(network)[0]),
        flop=loop.flop,
        versions=f"TensorFlow {tf.__version__}, Keras {keras.__version__}",
    )


def trained(network):
    """Returns the weights of a network, also frozen ones, without the statistics of BatchNormalization."""
    return [weight for weight in network.weights if "moving_" not in weight.name]


if __name__ == "__main__":
    serve(build)

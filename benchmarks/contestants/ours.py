"""keras_gan: its classes as a user builds them, one `train_on_batch` per iteration."""

import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import CycleGAN, CycleGANPaper, DiscoGAN, Pix2Pix, backend

import keras
from worker import Contestant, noise, serve

NAMES = {"tensorflow": "TensorFlow", "jax": "JAX"}


def model(setting, dataset_name="drawn_shoes"):
    """Returns the model of a setting."""
    if setting["dtype"] == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    shapes = [(setting["size"], setting["size"], channels) for channels in setting["channels"]]
    common = {"dataset_name": dataset_name, "seed": 0}
    if setting["model"] in ("discogan", "pix2pix"):
        kind = DiscoGAN if setting["model"] == "discogan" else Pix2Pix
        return kind(shapes[0], gf=setting["filters"], df=setting["filters"], **common)
    kind = CycleGANPaper if setting["model"] == "cyclegan-resnet" else CycleGAN
    return kind(shape_A=shapes[0], shape_B=shapes[1], **common)


def build(setting):
    gan = model(setting)
    A, B = noise(setting, low=gan.data_loader.value_range[0])
    return Contestant(
        step=lambda: gan.train_on_batch(A, B),
        networks={network.name: network for network in gan.networks},
        count=lambda network: sum(math.prod(weight.shape) for weight in network.trainable_weights),
        weight=lambda network: keras.ops.convert_to_numpy(network.trainable_weights[0]),
        flop=lambda: operations(gan, A, B),
        versions=f"{NAMES[keras.backend.backend()]} {backend.version()}, Keras {keras.__version__}",
    )


def operations(gan, A, B):
    """Returns the operations of a step, counted in TensorFlow's graph; None on JAX, where the step is the same."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf
    from graph import flop

    return flop(gan.train_step, (tf.constant(A), tf.constant(B)))


if __name__ == "__main__":
    serve(build)

"""The table of models for all invariants, and the training loops of the posts, call by call."""

import keras
import numpy as np
import pytest

from keras_gan import (
    CGAN,
    CUT,
    DCGAN,
    GAN,
    CycleGAN,
    CycleGANPaper,
    DiscoGAN,
    DiscoGANPaper,
    DiscoGANPyTorch,
    Pix2Pix,
)
from keras_gan.adversarial.combined import unmoved
from keras_gan.adversarial.latent import LatentModel
from support.lsgan import LSGAN

SMALL = {"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"}
THIN = SMALL | {"gf": 4, "df": 4}
COLOURING = {"shape_A": (32, 32, 1), "shape_B": (32, 32, 3), "dataset_name": "drawn_shoes"}
MASKING = {"shape_A": (32, 32, 3), "shape_B": (32, 32, 1), "dataset_name": "drawn_shoes", "gf": 4, "df": 4}
MODELS = {
    "discogan": lambda **options: DiscoGAN(**THIN | options),
    "discogan, colour and gray": lambda **options: DiscoGAN(**MASKING | options),
    "discogan paper": lambda **options: DiscoGANPaper(**THIN | options),
    "discogan recongan": lambda **options: DiscoGANPaper(**THIN | {"game": "recongan"} | options),
    "discogan gan": lambda **options: DiscoGANPaper(**THIN | {"game": "gan"} | options),
    "discogan pytorch": lambda **options: DiscoGANPyTorch(**THIN | {"img_shape": (64, 64, 3)} | options),
    "cyclegan": lambda **options: CycleGAN(**SMALL | options),
    "cyclegan, gray and colour": lambda **options: CycleGAN(**COLOURING | {"patchgan": False} | options),
    "cyclegan paper": lambda **options: CycleGANPaper(**SMALL | options),
    "cyclegan paper, batch norm": lambda **options: CycleGANPaper(
        **THIN | {"generator": "unet", "norm": "batch", "pool_size": 0} | options
    ),
    "cut": lambda **options: CUT(**THIN | {"patches": 16} | options),
    "fastcut": lambda **options: CUT(**THIN | {"fast": True} | options),
    "pix2pix": lambda **options: Pix2Pix(**THIN | options),
    "pix2pix resnet": lambda **options: Pix2Pix(**THIN | {"generator": "resnet", "norm": "none"} | options),
    "pix2pix BtoA lsgan": lambda **options: Pix2Pix(**THIN | {"direction": "BtoA", "gan_loss": "lsgan"} | options),
    "pix2pix, colour to gray": lambda **options: Pix2Pix(**MASKING | options),
    "dcgan": lambda **options: DCGAN(**THIN | options),
    "cgan": lambda **options: CGAN(**{"gf": 4, "df": 4, "dataset_name": "drawn_digits"} | options),
    "gan": lambda **options: GAN(**{"dataset_name": "drawn_digits"} | options),
    "lsgan": lambda **options: LSGAN(**THIN | options),  # added by following docs/add-a-model.md
}


# The other rows are slow tests: variants of these, and the slowest models.
FAST = ("discogan", "cyclegan", "pix2pix", "dcgan", "cgan", "gan")


def set_float(dtype):
    """Sets Keras' float type; for a "mixed_" dtype sets the policy, and weights are float32."""
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
    keras.config.set_floatx("float32" if dtype.startswith("mixed_") else dtype)
    keras.config.set_dtype_policy(dtype)


def slow(*row):
    return pytest.param(*row, marks=pytest.mark.slow)


def rows(*fast):
    """All rows of the table; those that are not `fast` are slow tests."""
    return [row if row in fast else slow(row) for row in MODELS]


ROWS = rows(*FAST)


def pictures(gan, batch, **options):
    """A batch of noise with the shapes of the model's data loader."""
    height, width, *_ = getattr(gan, "img_shape", None) or gan.shape_A
    A, B = batch(**{"height": height, "width": width} | options)
    if isinstance(gan, LatentModel):
        channels = gan.img_shape[2]
        imgs = A[:, :height, :width, :channels]
        return (imgs, np.arange(len(imgs)) % len(gan.classes)) if isinstance(gan, CGAN) else (imgs,)
    channels = [shape[-1] for shape in (getattr(gan, f"shape_{side}", (3,)) for side in "AB")]
    return A[..., : channels[0]], B[..., : channels[1]]


def tensors(arrays):
    return [keras.ops.convert_to_tensor(array) for array in arrays]


def weights(gan):
    return {network.name: network.get_weights() for network in gan.networks}


def moved(before, after):
    """The names of the networks in which any weight has changed."""
    return {
        name for name in before if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def noise_for(network):
    rng = np.random.default_rng(0)
    inputs = [
        rng.uniform(-1, 1, (3, *tensor.shape[1:])).astype("float32") if tensor.dtype == "float32" else np.arange(3)
        for tensor in network.inputs
    ]
    return inputs if len(inputs) > 1 else inputs[0]


def without_dropout(gan):
    for network in gan.networks:
        for layer in network.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0
    return gan


def targets_of(gan, imgs):
    targets = gan.generator_targets(imgs)
    return targets if len(targets) > 1 else targets[0]


def train(part, x, y):
    part.reset_metrics()  # in some versions of Keras 3 figures include earlier batches
    return np.atleast_1d(part.train_on_batch(x, y))[0]


def loop_of_the_discogan_post(gan, A, B):
    """The seven calls of the post, on the model's parts. Returns the losses."""
    valid = np.ones((len(A), *gan.disc_patch))
    fake = np.zeros_like(valid)
    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    return {
        "d_A_loss": 0.5 * (train(gan.d_A, A, valid) + train(gan.d_A, fake_A, fake)),
        "d_B_loss": 0.5 * (train(gan.d_B, B, valid) + train(gan.d_B, fake_B, fake)),
        "g_loss": train(gan.combined, [A, B], [valid, valid, B, A, A, B]),
    }


def loop_of_the_discogan_pytorch_post(gan, A, B):
    """Each discriminator once on real and fake, then the generators. Returns the losses."""
    valid = np.ones((len(A), *gan.d_A.output_shape[1:]))
    labels = np.concatenate([valid, np.zeros_like(valid)])
    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    return {
        "d_A_loss": train(gan.d_A, np.concatenate([A, fake_A]), labels),
        "d_B_loss": train(gan.d_B, np.concatenate([B, fake_B]), labels),
        "g_loss": train(gan.combined, [A, B], [valid, valid, B, A, A, B]),
    }


def loop_of_the_cyclegan_notebook(gan, A, B, generators_first=False):
    """The five calls of the notebook, on the model's parts, optionally in the paper's order. Returns the losses."""
    valid = np.ones((len(A), *gan.d_A.output_shape[1:]))
    labels = np.concatenate([valid, np.zeros_like(valid)])
    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    targets = [valid, valid, A, B, *([A, B] if gan.identity else [])]
    losses = {}
    if generators_first:
        losses["g_loss"] = train(gan.combined, [A, B], targets)
    losses["d_B_loss"] = train(gan.d_B, np.concatenate([B, fake_B]), labels)
    losses["d_A_loss"] = train(gan.d_A, np.concatenate([A, fake_A]), labels)
    if not generators_first:
        losses["g_loss"] = train(gan.combined, [A, B], targets)
    return losses


def loop_of_the_cyclegan_paper(gan, A, B):
    return loop_of_the_cyclegan_notebook(gan, A, B, generators_first=True)


def fakes_in_training(gan, imgs):
    """Inputs and fakes of a step, in training mode; restores the generators' moving statistics."""
    inputs = gan.generator_inputs(imgs)
    with unmoved(gan.combined.statistics_of_generators()):
        return inputs, gan.combined.generate(inputs, training=True)


def loop_of_cut(gan, A, B):
    """The discriminator on pictures of B and on fakes, then the generator and the heads. Returns the losses.

    `combined` draws the coins that the fakes were made with once more.
    """
    imgs = tensors([A, B])
    with unmoved(gan.random_states):
        _, fakes = fakes_in_training(gan, imgs)
    ((discriminator, x, y),) = gan.discriminator_batches(imgs, fakes)
    d_loss = train(discriminator, x, y)
    return {"discriminator_loss": d_loss, "g_loss": train(gan.combined, [A, B], gan.generator_targets(imgs))}


def loop_of_the_cyclegan_paper_with_batch_norm(gan, A, B):
    """The generators, then each discriminator on originals and on fakes. Returns the losses."""
    inputs, fakes = fakes_in_training(gan, tensors([A, B]))
    losses = {"g_loss": train(gan.combined, [A, B], gan.generator_targets([A, B]))}
    for discriminator, x, y in gan.discriminator_batches(inputs, fakes):
        losses.setdefault(f"{discriminator.name}_loss", []).append(train(discriminator, x, y))
    return {name: np.mean(each) for name, each in losses.items()}


def loop_of_the_keras_posts(gan, *imgs):
    """GAN, DCGAN, CGAN and Pix2Pix: discriminator on real, then on fake, then the generator. Returns the losses."""
    imgs = tensors(imgs)
    inputs, fakes = fakes_in_training(gan, imgs)
    on_real, on_fake = gan.discriminator_batches(imgs, fakes)
    d_loss = 0.5 * (train(*on_real) + train(*on_fake))
    return {"discriminator_loss": d_loss, "g_loss": train(gan.combined, inputs, targets_of(gan, imgs))}


def loop_of_the_discogan_paper(gan, A, B):
    """Every third iteration only the discriminators, otherwise only the generators. Returns the losses."""
    turn = int(gan.iteration)
    gan.iteration.assign_add(1)
    if turn % 3:
        return {"g_loss": train(gan.combined, [A, B], gan.generator_targets([A, B]))}
    _, fakes = fakes_in_training(gan, [A, B])
    losses = {}
    for discriminator, x, y in gan.discriminator_batches([A, B], fakes):
        losses.setdefault(f"{discriminator.name}_loss", []).append(train(discriminator, x, y))
    return {name: np.mean(pair) for name, pair in losses.items()}


# In float32 the CycleGANs amplify rounding errors (InstanceNorm of N(0, 0.02) weights, then Adam or RMSprop), so even
# the number of threads changes the result. In float64 any remaining difference is an error.
LOOPS = {
    "discogan": (loop_of_the_discogan_post, "float32", {}),
    "discogan, colour and gray": (loop_of_the_discogan_post, "float32", {}),
    # (Small, since XLA's float64 convolutions are slow on a CPU.)
    "cyclegan": (loop_of_the_cyclegan_notebook, "float64", {"img_shape": (16, 16, 3)}),
    "cyclegan, gray and colour": (loop_of_the_cyclegan_notebook, "float64", {}),
    "cyclegan paper": (loop_of_the_cyclegan_paper, "float64", {"pool_size": 0}),
    "cyclegan paper, batch norm": (loop_of_the_cyclegan_paper_with_batch_norm, "float64", {}),
    "cut": (loop_of_cut, "float64", {}),
    "fastcut": (loop_of_cut, "float64", {}),
    "discogan paper": (loop_of_the_discogan_paper, "float64", {}),
    "discogan recongan": (loop_of_the_discogan_paper, "float64", {}),
    "discogan gan": (loop_of_the_discogan_paper, "float64", {}),
    "discogan pytorch": (loop_of_the_discogan_pytorch_post, "float64", {"dropout": 0.0}),
    "pix2pix": (loop_of_the_keras_posts, "float64", {}),
    "pix2pix resnet": (loop_of_the_keras_posts, "float64", {}),
    "pix2pix BtoA lsgan": (loop_of_the_keras_posts, "float64", {}),
    "pix2pix, colour to gray": (loop_of_the_keras_posts, "float64", {}),
    "dcgan": (loop_of_the_keras_posts, "float64", {}),
    "cgan": (loop_of_the_keras_posts, "float64", {}),
    "gan": (loop_of_the_keras_posts, "float64", {}),
    "lsgan": (loop_of_the_keras_posts, "float64", {}),
}

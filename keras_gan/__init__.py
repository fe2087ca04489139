"""The classic image GANs on Keras 3, written so that they read like the posts they come from.

    from keras_gan import DataLoader, DiscoGAN

    gan = DiscoGAN(img_shape=(128, 128, 3))
    gan.train(epochs=20, batch_size=1, sample_interval=200)

Names are imported when first used: `import keras_gan` alone loads neither Keras nor what runs below it.
"""

import os
import platform
from importlib import import_module

__version__ = "0.1.0"

# TensorFlow brings Intel's oneDNN and takes it by itself only on processors with AVX-512 VNNI. On others of this kind
# it is as fast or faster too, and rounds as it does there. The setting is read when TensorFlow is imported.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_EXPORTS = {
    "AdversarialModel": "adversarial.model",
    "CGAN": "cgan",
    "Combined": "adversarial.combined",
    "CycleGAN": "cyclegan",
    "CycleGANPaper": "cyclegan_paper",
    "DCGAN": "dcgan",
    "DataLoader": "data.paired",
    "DiscoGAN": "discogan",
    "DiscoGANPaper": "discogan_paper",
    "DiscoGANPyTorch": "discogan_pytorch",
    "GAN": "gan",
    "ImageLoader": "data.single",
    "ImagePool": "layers",
    "InstanceNormalization": "layers",
    "Pix2Pix": "pix2pix",
    "ReflectionPadding2D": "layers",
    "UnpairedDataLoader": "data.unpaired",
    "UpsampleConv2D": "layers",
}

_MODULES = ("translate",)  # that are called like functions

__all__ = sorted([*_EXPORTS, *_MODULES])


def __getattr__(name):
    if name in _MODULES:
        return import_module(f"keras_gan.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'keras_gan' has no attribute {name!r}")
    return getattr(import_module(f"keras_gan.{_EXPORTS[name]}"), name)


def __dir__():
    return sorted([*globals(), *__all__])

"""The classic image GANs on Keras 3, written to read like the posts that they come from.

The posts and papers are listed in docs/models/index.md.

    from keras_gan import DataLoader, DiscoGAN

    gan = DiscoGAN(img_shape=(128, 128, 3))
    gan.train(epochs=20, batch_size=1, sample_interval=200)

Names are imported on first use: `import keras_gan` alone loads neither Keras nor a backend.
"""

import os
import platform
from importlib import import_module
from typing import Any

from keras_gan.machine.installation import choose_backend
from keras_gan.machine.interrupts import answer_while_loading

__version__ = "0.1.0"

answer_while_loading()
choose_backend()  # Keras reads it when it is imported
# TensorFlow logs what users cannot act on, such as that there is no GPU. Its errors are exceptions in Python, too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# TensorFlow includes Intel's oneDNN, but by default uses it only on processors with AVX-512 VNNI. On other x86-64
# processors it is as fast or faster, and rounds the same way. TensorFlow reads the variable when it is imported.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_EXPORTS = {
    "AdversarialModel": "adversarial.model",
    "CGAN": "cgan",
    "CUT": "cut",
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

_MODULES = ("generate", "translate")  # modules that can be called like functions

__all__ = sorted([*_EXPORTS, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"keras_gan.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'keras_gan' has no attribute {name!r}")
    import_module("keras_gan.console").import_keras()
    return getattr(import_module(f"keras_gan.{_EXPORTS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

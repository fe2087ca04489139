"""Initial weights on JAX, drawn on the host. JAX would compile a program for each shape: 20 s for DiscoGAN on a CPU."""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jax
import keras
import numpy as np
from keras.src.initializers import constant_initializers, random_initializers
from keras.src.random.seed_generator import draw_seed


def generator(seed: Any) -> np.random.Generator:
    """NumPy's generator for a Keras seed: a number, or a `SeedGenerator`, which goes on to its next state."""
    return np.random.default_rng(np.asarray(draw_seed(seed)).tolist())


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    values = generator(seed).standard_normal(shape, dtype="float32")
    return on_device(values * np.float32(stddev) + np.float32(mean), dtype)


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    values = generator(seed).random(shape, dtype="float32")
    return on_device(values * np.float32(maxval - minval) + np.float32(minval), dtype)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Values beyond two standard deviations are drawn again."""
    rng = generator(seed)
    values = rng.standard_normal(shape, dtype="float32")
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(int(beyond.sum()), dtype="float32")
    return on_device(values * np.float32(stddev) + np.float32(mean), dtype)


def zeros(shape: Any, dtype: Any = None) -> Any:
    return on_device(np.zeros(shape, "float32"), dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    return on_device(np.ones(shape, "float32"), dtype)


def on_device(values: np.ndarray, dtype: Any) -> Any:
    return jax.device_put(values.astype(keras.backend.standardize_dtype(dtype or keras.config.floatx()), copy=False))


@contextlib.contextmanager
def drawn_on_host() -> Iterator[None]:
    """Keras' initializers draw with NumPy in this context, from the same seeds."""
    random, ops = random_initializers.random, constant_initializers.ops
    random_initializers.random = instead_of(random, normal, uniform, truncated_normal)
    constant_initializers.ops = instead_of(ops, zeros, ones)
    try:
        yield
    finally:
        random_initializers.random, constant_initializers.ops = random, ops


def instead_of(module: Any, *functions: Any) -> SimpleNamespace:
    """The names of a module, with these functions in place of its own."""
    return SimpleNamespace(**vars(module) | {function.__name__: function for function in functions})

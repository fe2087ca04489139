"""Rematerialisation: while the generators learn, no network keeps what it computed; its gradient computes it once more.

All networks run before the first gradient is known, some of them twice. Kept are only the pictures, features and
verdicts that go from one network to the next. When the discriminators learn, one network runs at a time, so this would
save nothing there.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from keras_gan import backend

active = False


@contextlib.contextmanager
def remat(is_on: bool) -> Iterator[None]:
    """Within it, the networks of `prepare` are rematerialised, if it is on."""
    global active
    before, active = active, is_on
    try:
        yield
    finally:
        active = before


def prepare(combined: Any) -> None:
    """Lets the networks in the graph of a `Combined` be rematerialised. What is saved of them does not change."""
    for network in combined.layers:
        if isinstance(network, keras.Model) and "call" not in vars(network):
            wrap(network)


def wrap(network: Any) -> None:
    """Makes a network's `call` rematerialise within `remat`."""
    plain = network.call

    def call(inputs: Any, training: Any = None, mask: Any = None, **options: Any) -> Any:
        def run(flat: list[Any]) -> Any:
            return plain(keras.tree.pack_sequence_as(inputs, flat), training=training, mask=mask, **options)

        flat = keras.tree.flatten(inputs)
        return backend.remat(network, run, flat) if active else run(flat)

    network.call = call

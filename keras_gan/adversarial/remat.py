"""Rematerialisation: while the generators learn, networks keep few of the maps that they compute.

A network is cut into segments of neighbouring layers. Kept is what goes from one segment to the next. The gradient of a
segment computes its maps once more, one segment after the other, so the maps of only one are there at a time.

When the discriminators learn, one small network runs at a time, so this would save little there.
"""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

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


def prepare(model: Any) -> None:
    """Lets the networks in a model's graph be rematerialised, but for those with a `call` of their own.

    What is saved of them does not change.
    """
    for network in model.layers:
        if not isinstance(network, keras.Model) or "call" in vars(network):
            continue
        if any(isinstance(layer, keras.Model) for layer in network.layers):
            prepare(network)
        elif type(network).call.__module__.startswith("keras."):
            wrap(network)


def wrap(network: Any) -> None:
    """Makes a network's `call` rematerialise within `remat`."""
    plain = network.call
    segments: list[Any] = [Segment(part.inputs, part.kept) for part in parts_of(network)]

    def call(inputs: Any, training: Any = None, mask: Any = None, **options: Any) -> Any:
        if not active:
            return plain(inputs, training=training, mask=mask, **options)
        flat = keras.tree.flatten(inputs)
        values = {id(x): keras.ops.cast(y, x.dtype) for x, y in zip(network.inputs, flat, strict=True)}
        for segment in segments:
            run = functools.partial(segment, training=training)
            found = backend.remat(segment, run, [values[id(x)] for x in segment.function.inputs])
            values |= {id(x): y for x, y in zip(segment.function.outputs, found, strict=True)}
        return keras.tree.pack_sequence_as(network.output, [values[id(x)] for x in network.outputs])

    network.call = call


class Segment(keras.layers.Layer):
    """Neighbouring layers of a network as one layer, from a list of tensors of its graph to another list."""

    def __init__(self, inputs: list[Any], outputs: list[Any]) -> None:
        super().__init__(autocast=False)
        self.function = keras.Function(inputs, outputs)
        self.parts = [layer for layer in self.function.operations if isinstance(layer, keras.Layer)]  # their variables
        self.built = True

    def call(self, inputs: list[Any], training: Any = None) -> list[Any]:
        return self.function._run_through_graph(inputs, operation_fn=unnoted)  # private: Keras' own networks run by it


def unnoted(layer: Any) -> Any:
    """A layer called without the `training` noted when its graph was made: then it finds that of the segment."""
    return lambda *args, training=None, **kwargs: layer(*args, **kwargs)


class Part(NamedTuple):
    """Where to cut a network."""

    inputs: list[Any]  # what it reads of earlier parts
    made: list[Any]
    kept: list[Any]  # of what it made: that which is read later


def parts_of(network: Any) -> list[Part]:
    """The cuts by which least is in memory: all that is kept, and what the largest part made."""
    layers = [layer for layer in getattr(network, "operations", network.layers) if layer.output not in network.inputs]
    known = {id(x) for x in [*network.inputs, *keras.tree.flatten([layer.output for layer in layers])]}
    read = [*keras.tree.flatten([layer.input for layer in layers]), *network.outputs]
    if not all(id(x) in known for x in read):  # a layer that is called several times: Keras tells only of the first
        return [Part(network.inputs, network.outputs, network.outputs)]
    return min((list(parts(layers, network.outputs, 1 / n)) for n in range(1, 17)), key=in_memory)


def parts(layers: list[Any], outputs: list[Any], share: float) -> Iterator[Part]:
    """Ends a part where at most this share of what it made is read later."""
    reads = [keras.tree.flatten(layer.input) for layer in layers]
    inputs: dict[int, Any] = {}
    made: dict[int, Any] = {}
    for number, layer in enumerate(layers, 1):
        inputs |= {id(x): x for x in reads[number - 1] if id(x) not in made}
        made |= {id(x): x for x in keras.tree.flatten(layer.output)}
        later = {id(x) for x in keras.tree.flatten([reads[number:], outputs])}
        kept = [x for key, x in made.items() if key in later]
        if number == len(layers) or size(kept) <= share * size(made.values()):
            yield Part(list(inputs.values()), list(made.values()), kept)
            inputs, made = {}, {}


def in_memory(parts: list[Part]) -> int:
    """See `parts_of`, for one picture."""
    return sum(size(part.kept) for part in parts) + max(size(part.made) for part in parts)


def size(tensors: Any) -> int:
    """The values of one picture in these tensors; unknown sides count as 1."""
    return sum(math.prod(side or 1 for side in x.shape[1:]) for x in tensors)

"""Updates of a discriminator on originals and fakes together: penalties, and losses that compare both."""

from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial import accumulate
from keras_gan.adversarial.combined import unmoved
from keras_gan.adversarial.losses import relative
from keras_gan.adversarial.parts import tracked_loss

Pair = tuple[Any, Any, Any]


def pairs_of(batches: list[Pair]) -> list[Pair]:
    """(discriminator, originals, fakes) of each discriminator, from the (discriminator, x, y) of its updates.

    These are two, on originals and on fakes, or one on both in a joined batch.
    """
    xs: dict[int, list[Any]] = {}
    for discriminator, x, _ in batches:
        xs.setdefault(id(discriminator), []).append(x)
    discriminators = {id(discriminator): discriminator for discriminator, _, _ in batches}
    pairs = []
    for key, found in xs.items():
        if len(found) == 1:
            halves = [ops.split(tensor, 2) for tensor in keras.tree.flatten(found[0])]
            found = [keras.tree.pack_sequence_as(found[0], list(half)) for half in zip(*halves, strict=True)]
        pairs.append((discriminators[key], *found))
    return pairs


def train(model: Any, batches: list[Pair]) -> None:
    """Updates each discriminator once, on its originals and fakes together."""
    for discriminator, real, fake in pairs_of(batches):

        def forward(real: Any, fake: Any, discriminator: Any = discriminator) -> tuple[Any, Any]:
            loss, verdicts = score(model, discriminator, real, fake, training=True)
            return discriminator.optimizer.scale_loss(loss), verdicts

        verdicts = accumulate.update(model, discriminator, forward, [real, fake])
        update_accuracy(model, discriminator, real, fake, verdicts)


def judge(model: Any, batches: list[Pair]) -> None:
    """Updates the metrics of each discriminator; trains nothing."""
    for discriminator, real, fake in pairs_of(batches):
        _, verdicts = score(model, discriminator, real, fake, training=False)
        update_accuracy(model, discriminator, real, fake, verdicts)


def score(model: Any, discriminator: Any, real: Any, fake: Any, training: bool) -> tuple[Any, Any]:
    """(what the discriminator minimises, its verdicts on originals and on fakes); updates the metrics of its loss.

    The loss is the sum over originals and fakes, so a penalty has the weight that it has in its paper.
    """
    of_real, of_fake = (discriminator(x, training=training) for x in (real, fake))
    if model.rules.relativistic:
        loss = tracked_loss(discriminator, real, of_fake, of_real, training)
    else:
        loss = tracked_loss(discriminator, real, ops.ones_like(of_real), of_real, training)
        loss += tracked_loss(discriminator, fake, ops.zeros_like(of_fake), of_fake, training)
    if model.rules.has_penalty:
        penalty = penalties(model, discriminator, real, fake, training)
        model.penalties[discriminator.name].update_state(penalty)
        loss += penalty
    return loss, (of_real, of_fake)


def update_accuracy(model: Any, discriminator: Any, real: Any, fake: Any, verdicts: Any) -> None:
    """Updates the discriminator's metrics. Without a zero of their own, verdicts count relative to the other side."""
    if model.rules.relativistic or model.rules.is_wasserstein:
        verdicts = relative(*verdicts)
    of_real, of_fake = verdicts
    discriminator.compute_metrics(real, ops.ones_like(of_real), of_real)
    discriminator.compute_metrics(fake, ops.zeros_like(of_fake), of_fake)


def penalties(model: Any, discriminator: Any, real: Any, fake: Any, training: bool) -> Any:
    """The penalties that the model's rules ask for, with their weights: one number."""
    rules, total = model.rules, 0.0
    if rules.gradient_penalty:
        total += rules.gradient_penalty * gradient_penalty(discriminator, real, fake, model.penalty_seed, training)
    if rules.r1:
        total += rules.r1 / 2 * r1(discriminator, real, training)
    return total


def gradient_penalty(discriminator: Any, real: Any, fake: Any, seed: Any, training: bool = True) -> Any:
    """Mean of (|gradient of the verdict| - 1)^2 at random points between originals and fakes.

    Gulrajani et al., 2017, equation 3 and algorithm 1. The point between two labels is a label: they do not differ.

    Args:
        discriminator: a network.
        real, fake: its inputs: pictures (batch, height, width, channels), or a list of pictures and labels.
        seed: a `keras.random.SeedGenerator`; each picture has a point of its own.
        training: whether the network runs in training mode.
    """
    share = keras.random.uniform((ops.shape(keras.tree.flatten(real)[0])[0],), seed=seed)

    def between(a: Any, b: Any) -> Any:
        if not keras.backend.is_float_dtype(a.dtype):
            return a
        of_each = ops.cast(ops.reshape(share, (-1, *[1] * (len(a.shape) - 1))), a.dtype)
        return a + of_each * (b - a)

    squares = squared_gradients(discriminator, keras.tree.map_structure(between, real, fake), training)
    return ops.mean(ops.square(ops.sqrt(squares + 1e-12) - 1))  # without the small number, NaN at a gradient of 0


def r1(discriminator: Any, real: Any, training: bool = True) -> Any:
    """Mean of |gradient of the verdict|^2 at the originals. Mescheder et al., 2018, section 4.1 (without gamma / 2)."""
    return ops.mean(squared_gradients(discriminator, real, training))


def squared_gradients(discriminator: Any, x: Any, training: bool) -> Any:
    """The squared length of the gradient of each picture's verdict, (batch,).

    The verdict on a picture is the mean over its patches, as in the losses. The gradient is that to all pictures that
    the discriminator sees, as in the program of pix2pix' authors.
    """
    flat = keras.tree.flatten(x)
    pictures = [ops.cast(t, keras.config.floatx()) for t in flat if keras.backend.is_float_dtype(t.dtype)]

    def verdicts(pictures: list[Any]) -> Any:
        left = iter(pictures)
        inputs = [next(left) if keras.backend.is_float_dtype(t.dtype) else t for t in flat]
        of_patches = discriminator(keras.tree.pack_sequence_as(x, inputs), training=training)
        return ops.mean(of_patches, axis=tuple(range(1, len(of_patches.shape))))

    found = backend.gradients(verdicts, pictures, discriminator.variables)
    return sum(ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape)))) for gradient in found)


def with_real_verdicts(
    model: Any, batch: list[Any], fakes: list[Any], targets: list[Any], training: bool = True
) -> list[Any]:
    """The targets of `combined` for relativistic losses: a verdict on fakes is compared with that on originals.

    Discriminators are in the order of the outputs of `combined` whose names begin with "valid".
    """
    with unmoved([*model.own_state, *model.combined.statistics_of_discriminators()]):
        pairs = pairs_of(model.discriminator_batches(batch, [ops.stop_gradient(fake) for fake in fakes]))
        verdicts = iter([d(model.shown(real, training=training), training=training) for d, real, _ in pairs])
    names = model.combined.output_names
    return [next(verdicts) if name.startswith("valid") else y for name, y in zip(names, targets, strict=True)]

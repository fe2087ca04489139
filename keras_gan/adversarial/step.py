"""The order of one training step, for every model and every backend.

Fakes are generated once. Each discriminator is updated on its batches. Then the generators are updated: the updated
discriminators score those same fakes. A backend adds three things: `update`, `either` and `prepare`.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial import accumulate, together
from keras_gan.adversarial.augment import unchanged
from keras_gan.adversarial.combined import unmoved
from keras_gan.adversarial.parts import scaled_loss, tracked_loss
from keras_gan.adversarial.remat import remat


def play(model: Any, data: Any) -> dict[str, Any]:
    """Runs one step of an `AdversarialModel` on a batch; returns the logs."""
    batch = [ops.convert_to_tensor(x) for x in keras.utils.unpack_x_y_sample_weight(data)[:2] if x is not None]
    accumulate.check_divisible(batch, model.accumulate)
    model.before_step()
    inputs = model.generator_inputs(batch)

    def train_discriminators_only() -> None:
        if model.accumulate > 1:
            fakes, _ = accumulate.generate(model, inputs)
        else:
            with unmoved(model.combined.statistics_of_generators()):
                fakes = model.combined.generate(inputs, training=True)
        train_discriminators(model, batch, fakes)

    def train_generators_only() -> None:
        train_generators(model, batch, inputs)

    def train_all() -> None:
        if model.generators_first:
            train_discriminators(model, batch, train_generators(model, batch, inputs))
        else:
            train_generators(model, batch, inputs, between=lambda fakes: train_discriminators(model, batch, fakes))

    if model.discriminators_every:
        is_their_turn = model.iteration % model.discriminators_every == 0
        backend.either(is_their_turn, train_discriminators_only, train_generators_only, model.step_variables)
    elif model.rules.critic_steps > 1:
        is_for_all = (model.iteration + 1) % model.rules.critic_steps == 0
        backend.either(is_for_all, train_all, train_discriminators_only, model.step_variables)
    else:
        train_all()

    if model.averages:
        model.averages.update(model.iteration)
    model.iteration.assign_add(1)
    return model.get_metrics_result()


def train_discriminators(model: Any, batch: list[Any], fakes: list[Any]) -> None:
    """Updates each discriminator on its batches of originals and fakes."""
    fakes = [ops.stop_gradient(fake) for fake in fakes]
    batches = [(d, model.shown(x, training=True), y) for d, x, y in model.discriminator_batches(batch, fakes)]
    if model.rules.joins_updates:
        return together.train(model, batches)
    for discriminator, x, y in batches:

        def forward(x: Any, y: Any, discriminator: Any = discriminator) -> tuple[Any, Any]:
            verdicts = discriminator(x, training=True)
            return scaled_loss(discriminator, x, y, verdicts), verdicts

        verdicts = accumulate.update(model, discriminator, forward, [x, y])
        discriminator.compute_metrics(x, y, verdicts)


def train_generators(model: Any, batch: list[Any], inputs: list[Any], between: Callable | None = None) -> list[Any]:
    """Generates fakes, calls `between` on them, and updates the generators by the verdicts; returns the fakes."""
    combined = model.combined

    def forward(pause: Callable) -> tuple[Any, list[Any]]:
        with remat(model.remat):
            fakes = combined.generate(inputs, training=True)
        if between:
            with pause():
                between(fakes)
        return loss_of_generators(model, batch, inputs, fakes), fakes

    if model.accumulate > 1:
        return train_generators_in_parts(model, batch, inputs, between)
    return backend.update(model, combined, forward)


def train_generators_in_parts(model: Any, batch: list[Any], inputs: list[Any], between: Callable | None) -> list[Any]:
    """`train_generators` part by part. If `between` needs all fakes first, they are made twice, the same each time."""
    if between:
        all_fakes, states = accumulate.generate(model, inputs)
        between(all_fakes)

    def forward(batch: list[Any], inputs: list[Any], states: list[Any]) -> tuple[Any, list[Any]]:
        if between:
            fakes = accumulate.generate_again(model, inputs, states)
        else:
            with remat(model.remat):
                fakes = model.combined.generate(inputs, training=True)
        return loss_of_generators(model, batch, inputs, fakes), fakes

    parts = accumulate.parts_of([batch, inputs], model.accumulate)
    fakes = accumulate.update_by_parts(model, model.combined, forward, [*parts, states if between else []])
    return accumulate.whole(fakes)


def loss_of_generators(model: Any, batch: list[Any], inputs: list[Any], fakes: list[Any]) -> Any:
    """What the generators minimise: the verdicts on these fakes and the other losses of `combined`."""
    with remat(model.remat):
        outputs = model.combined.judge([*inputs, *fakes], training=True)
    targets = model.generator_targets(batch)
    if model.rules.relativistic:
        targets = together.with_real_verdicts(model, batch, fakes, targets)
    return scaled_loss(model.combined, inputs, targets, outputs)


def judge(model: Any, data: Any) -> dict[str, Any]:
    """The losses of the game on a batch; returns the logs. Nothing is trained, and no state changes but the metrics."""
    batch = [ops.convert_to_tensor(x) for x in keras.utils.unpack_x_y_sample_weight(data)[:2] if x is not None]
    combined = model.combined
    with unmoved(model.own_state), unchanged(model.augmentation):
        inputs = model.generator_inputs(batch)
        fakes = combined.generate(inputs, training=False)
        batches = model.discriminator_batches(batch, fakes)
        if model.rules.joins_updates:
            together.judge(model, batches)
        else:
            for discriminator, x, y in batches:
                verdicts = discriminator(x, training=False)
                tracked_loss(discriminator, x, y, verdicts, training=False)
                discriminator.compute_metrics(x, y, verdicts)
        outputs = combined.judge([*inputs, *fakes], training=False)
        targets = model.generator_targets(batch)
        if model.rules.relativistic:
            targets = together.with_real_verdicts(model, batch, fakes, targets, training=False)
        tracked_loss(combined, inputs, targets, outputs, training=False)
    return model.get_metrics_result()

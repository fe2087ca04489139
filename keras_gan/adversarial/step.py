"""The order of one training step, for every model and every backend.

Fakes are generated once. Each discriminator is updated on its batches. Then the generators are updated: the updated
discriminators score those same fakes. A backend adds three things: `update`, `either` and `prepare`.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import unmoved


def play(model: Any, data: Any) -> dict[str, Any]:
    """Runs one step of an `AdversarialModel` on a batch; returns the logs."""
    batch = [ops.convert_to_tensor(x) for x in keras.utils.unpack_x_y_sample_weight(data)[:2] if x is not None]
    model.before_step()
    combined, inputs = model.combined, model.generator_inputs(batch)

    def train_discriminators(fakes: list[Any]) -> None:
        fakes = [ops.stop_gradient(fake) for fake in fakes]
        for discriminator, x, y in model.discriminator_batches(batch, fakes):

            def forward(pause: Callable, discriminator: Any = discriminator, x: Any = x, y: Any = y) -> tuple[Any, Any]:
                verdicts = discriminator(x, training=True)
                return scaled_loss(discriminator, x, y, verdicts), verdicts

            verdicts = backend.update(model, discriminator, forward)
            discriminator.compute_metrics(x, y, verdicts)

    def train_generators(between: Callable[[list[Any]], None] | None = None) -> list[Any]:
        def forward(pause: Callable) -> tuple[Any, list[Any]]:
            fakes = combined.generate(inputs, training=True)
            if between:
                with pause():
                    between(fakes)
            outputs = combined.judge([*inputs, *fakes], training=True)
            return scaled_loss(combined, inputs, model.generator_targets(batch), outputs), fakes

        return backend.update(model, combined, forward)

    def train_discriminators_only() -> None:
        with unmoved(combined.statistics_of_generators()):
            fakes = combined.generate(inputs, training=True)
        train_discriminators(fakes)

    def train_generators_only() -> None:
        train_generators()

    if model.discriminators_every:
        is_their_turn = model.iteration % model.discriminators_every == 0
        backend.either(is_their_turn, train_discriminators_only, train_generators_only, model.step_variables)
    elif model.generators_first:
        train_discriminators(train_generators())
    else:
        train_generators(between=train_discriminators)

    if model.averages:
        model.averages.update(model.iteration)
    model.iteration.assign_add(1)
    return model.get_metrics_result()


def judge(model: Any, data: Any) -> dict[str, Any]:
    """The losses of the game on a batch; returns the logs. Nothing is trained, and no state changes but the metrics."""
    batch = [ops.convert_to_tensor(x) for x in keras.utils.unpack_x_y_sample_weight(data)[:2] if x is not None]
    combined = model.combined
    with unmoved(model.own_state):
        inputs = model.generator_inputs(batch)
        fakes = combined.generate(inputs, training=False)
        for discriminator, x, y in model.discriminator_batches(batch, fakes):
            verdicts = discriminator(x, training=False)
            tracked_loss(discriminator, x, y, verdicts, training=False)
            discriminator.compute_metrics(x, y, verdicts)
        outputs = combined.judge([*inputs, *fakes], training=False)
        tracked_loss(combined, inputs, model.generator_targets(batch), outputs, training=False)
    return model.get_metrics_result()


def tracked_loss(part: Any, x: Any, y: Any, outputs: Any, training: bool) -> Any:
    """The compiled loss of a part; updates its loss metric."""
    loss = part.compute_loss(x=x, y=y, y_pred=outputs, training=training)
    part._loss_tracker.update_state(loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0])
    return loss


def scaled_loss(part: Any, x: Any, y: Any, outputs: Any) -> Any:
    """`tracked_loss` in training, scaled if the part's optimizer scales losses."""
    return part.optimizer.scale_loss(tracked_loss(part, x, y, outputs, training=True))

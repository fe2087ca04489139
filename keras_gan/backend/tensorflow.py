"""One step of the game on TensorFlow."""

import keras
import tensorflow as tf

from keras_gan.adversarial import unmoved


def play(model, batch):
    """Plays one step of an `AdversarialModel`: discriminators and generators are updated.

    The fakes are generated once. The discriminators learn from them outside the generators'
    recording; the generators' gradient flows through the very same fakes. The discriminators go
    first, unless the model sets `generators_first`, or has them learn in iterations of their own.

    Args:
        model: the `keras_gan.adversarial.AdversarialModel`; its compiled parts are updated in place.
        batch: list of tensors, what its data loader yields.
    """
    combined, inputs = model.combined, model.generator_inputs(batch)

    def train_discriminators(fakes):
        for discriminator, x, y in model.discriminator_batches(batch, fakes):
            discriminator.train_step((x, y))

    def train_generators(between=lambda fakes: None):
        with tf.GradientTape() as tape:
            fakes = combined.generate(inputs, training=True)
            with tape.stop_recording():
                between(fakes)
            outputs = combined.judge([*inputs, *fakes], training=True)
            targets = model.generator_targets(batch)
            loss = combined.compute_loss(x=inputs, y=targets, y_pred=outputs, training=True)
            scaled_loss = combined.optimizer.scale_loss(loss)
        combined._loss_tracker.update_state(loss, sample_weight=tf.shape(inputs[0])[0])
        variables = combined.trainable_variables
        apply_gradients(combined.optimizer, tape.gradient(scaled_loss, variables), variables)
        return fakes

    def discriminators_turn():
        with unmoved(combined.statistics_of_generators()):
            fakes = combined.generate(inputs, training=True)
        train_discriminators(fakes)

    def generators_turn():
        train_generators()

    if model.discriminators_every:
        tf.cond(model.iteration % model.discriminators_every == 0, discriminators_turn, generators_turn)
    elif model.generators_first:
        train_discriminators(train_generators())
    else:
        train_generators(between=train_discriminators)


def apply_gradients(optimizer, gradients, variables):
    """`optimizer.apply_gradients`, in one pass over the memory where the optimizer is a plain Adam.

    Keras' Adam reads and writes each variable and slot in a dozen operations, and the generators
    have 84 million variables. TensorFlow's own kernel does the same arithmetic in one; it works on
    Keras' slots, so nothing else (saving, learning rates, the step count) changes.
    """
    if not is_plain_adam(optimizer):
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    dtype = gradients[0].dtype
    step = tf.cast(optimizer.iterations + 1, dtype)
    beta1_power = tf.pow(tf.cast(optimizer.beta_1, dtype), step)
    beta2_power = tf.pow(tf.cast(optimizer.beta_2, dtype), step)
    learning_rate = tf.cast(optimizer.learning_rate, dtype)
    for gradient, variable in zip(gradients, variables, strict=True):
        index = optimizer._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.value.handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            beta1_power=beta1_power,
            beta2_power=beta2_power,
            lr=learning_rate,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )
    optimizer.iterations.assign_add(1)


def is_plain_adam(optimizer):
    """Whether the fused kernel computes what this optimizer computes, on this TensorFlow set-up."""
    extras = ("amsgrad", "use_ema", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
    extras += ("loss_scale_factor", "gradient_accumulation_steps")
    return (
        type(optimizer) is keras.optimizers.Adam
        and not any(getattr(optimizer, name) for name in extras)
        and not tf.distribute.in_cross_replica_context()
        and tf.distribute.get_strategy().num_replicas_in_sync == 1
    )

"""One step of the game on TensorFlow."""

import os
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_gan.backend.compiling import in_training
from keras_gan.combined import unmoved
from keras_gan.errors import BadValueError


def optimizers(model):
    """None: the optimizers' variables are updated in place."""


def train_step(model, data):
    """One step of the game on a batch; returns the logs."""
    return model.play(data)


@in_training()
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
            with tf.GradientTape() as tape:
                verdicts = discriminator(x, training=True)
                loss = scaled_loss(discriminator, x, y, verdicts)
            update(discriminator, tape, loss)
            discriminator.compute_metrics(x, y, verdicts)

    def train_generators(between=lambda fakes: None):
        with tf.GradientTape() as tape:
            fakes = combined.generate(inputs, training=True)
            with tape.stop_recording():
                between(fakes)
            outputs = combined.judge([*inputs, *fakes], training=True)
            loss = scaled_loss(combined, inputs, model.generator_targets(batch), outputs)
        update(combined, tape, loss)
        return fakes

    def discriminators_turn():
        with unmoved(combined.statistics_of_generators()):
            fakes = combined.generate(inputs, training=True)
        train_discriminators(fakes)

    def generators_turn():
        train_generators()

    if model.discriminators_every:
        turn = model.iteration % model.discriminators_every == 0
        either(turn, discriminators_turn, generators_turn, variables=None)
    elif model.generators_first:
        train_discriminators(train_generators())
    else:
        train_generators(between=train_discriminators)


def scaled_loss(part, x, y, y_pred):
    """The compiled loss of a part, noted in its metrics; scaled where its optimizer asks for that."""
    loss = part.compute_loss(x=x, y=y, y_pred=y_pred, training=True)
    part._loss_tracker.update_state(loss, sample_weight=tf.shape(keras.tree.flatten(x)[0])[0])
    return part.optimizer.scale_loss(loss)


def update(part, tape, loss):
    """One update of the variables that a part trains, down this loss.

    Keras' optimizers read and write each variable and slot in a dozen operations, and the
    generators of DiscoGAN have 84 million variables. TensorFlow's own kernels do the same
    arithmetic in one; they work on Keras' slots, so nothing else (saving, learning rates, the step
    count) changes. Anything but a plain Adam or RMSprop takes Keras' way, and so does a part with a
    variable that the loss does not reach.
    """
    optimizer, variables = part.optimizer, part.trainable_variables
    gradients = gradients_of(loss, variables, tape)
    if not is_plain(optimizer) or any(gradient is None for gradient in gradients):
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    apply = apply_adam if isinstance(optimizer, keras.optimizers.Adam) else apply_rmsprop
    apply(optimizer, gradients, variables, [optimizer._get_variable_index(variable) for variable in variables])
    for variable in variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))
    optimizer.iterations.assign_add(1)


# The uses of each kernel in `times_taps`, by id, while `gradients_of` goes backwards; else None.
noted = None


class Use(NamedTuple):
    """One product of `times_taps`, as its gradient is taken."""

    x: tf.Tensor
    above: tf.Tensor  # the gradient of the product
    transpose: bool

    @property
    def kind(self):
        """Uses of the same kind can be joined: of one type, the same way round, with pixels for one tap or for all."""
        return self.x.dtype, self.transpose, self.x.shape[0]


def times_taps(x, kernel, transpose=False):
    """See `keras_gan.backend.times_taps`. Its gradient leaves that of the kernel to `gradients_of`, if that asks."""

    @tf.custom_gradient
    def multiplied(x, taps):
        def backwards(above):
            below = tf.matmul(above, taps, transpose_b=not transpose)
            if x.shape[0] == 1:
                below = tf.reduce_sum(below, axis=0, keepdims=True)
            if noted is None or not isinstance(kernel, keras.Variable):
                return below, kernel_gradient(x, above, transpose)
            noted.setdefault(id(kernel), []).append(Use(x, above, transpose))
            return below, None

        return tf.matmul(x, taps, transpose_b=transpose), backwards

    return multiplied(x, tf.reshape(kernel, (-1, *kernel.shape[2:])))


def kernel_gradient(x, above, transpose):
    """The gradient of the taps that x was multiplied by, where `above` is that of the product."""
    return tf.matmul(above, x, transpose_a=True) if transpose else tf.matmul(x, above, transpose_a=True)


def gradients_of(loss, variables, tape):
    """The gradients of these variables; None for one that the loss does not reach.

    A generator runs twice in a step. Where its kernels are large and its maps small, the gradient of
    a kernel is little work and much memory, written for each run and read again to be added up. So
    what makes them is collected first, and each is made at once. What reaches a kernel by another
    way (a regulariser, a layer of the user's, a map for which Keras' own convolution is faster) is
    in the tape's gradient, and added.
    """
    global noted
    noted = {}
    try:
        gradients = tape.gradient(loss, variables)
        for i, variable in enumerate(variables):
            others = [] if gradients[i] is None else [tf.convert_to_tensor(gradients[i])]
            joined = [joined_gradient(uses, variable) for uses in kinds_of(noted.get(id(variable), []))]
            if joined:
                gradients[i] = tf.add_n(joined + others)
        return gradients
    finally:
        noted = None


def kinds_of(uses):
    """Lists of uses of the same kind."""
    kinds = {}
    for use in uses:
        kinds.setdefault(use.kind, []).append(use)
    return kinds.values()


def joined_gradient(uses, variable):
    """The gradient of a kernel by uses of one kind."""
    xs, aboves, (transpose, *_) = zip(*uses, strict=True)
    gradient = kernel_gradient(tf.concat(xs, axis=1), tf.concat(aboves, axis=1), transpose)
    return tf.cast(tf.reshape(gradient, variable.shape), variable.dtype)


def apply_adam(optimizer, gradients, variables, indices):
    dtype = gradients[0].dtype
    step = tf.cast(optimizer.iterations + 1, dtype)
    factors = {
        "beta1_power": tf.pow(tf.cast(optimizer.beta_1, dtype), step),
        "beta2_power": tf.pow(tf.cast(optimizer.beta_2, dtype), step),
        "lr": tf.cast(optimizer.learning_rate, dtype),
    }
    for gradient, variable, index in zip(gradients, variables, indices, strict=True):
        tf.raw_ops.ResourceApplyAdam(
            var=variable.value.handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=gradient,
            **factors,
        )


def apply_rmsprop(optimizer, gradients, variables, indices):
    learning_rate = tf.cast(optimizer.learning_rate, gradients[0].dtype)
    for gradient, variable, index in zip(gradients, variables, indices, strict=True):
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.value.handle,
            ms=optimizer._velocities[index].value.handle,
            mom=optimizer.scratch[index].handle,
            lr=learning_rate,
            rho=optimizer.rho,
            momentum=0.0,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )


def is_plain(optimizer):
    """Whether a fused kernel computes what this optimizer computes, on this TensorFlow set-up."""
    extras = ("amsgrad", "momentum", "centered", "use_ema", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
    extras += ("loss_scale_factor", "gradient_accumulation_steps")
    return (
        type(optimizer) in (keras.optimizers.Adam, keras.optimizers.RMSprop)
        and not any(getattr(optimizer, name, None) for name in extras)
        and not tf.distribute.in_cross_replica_context()
        and tf.distribute.get_strategy().num_replicas_in_sync == 1
    )


def prepare(optimizer):
    """Makes what `update` needs beside the optimizer's own slots, before a step is traced.

    The kernel for RMSprop writes its momentum, which Keras' has only if it has one, into a slot.
    """
    if type(optimizer) is keras.optimizers.RMSprop and is_plain(optimizer) and not hasattr(optimizer, "scratch"):
        optimizer.scratch = [tf.Variable(tf.zeros_like(slot.value)) for slot in optimizer._velocities]


def either(condition, this, that, variables):
    """See `keras_gan.backend.either`. The variables are assigned in place."""
    tf.cond(condition, this, that)


def device():
    """See `keras_gan.backend.device`."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return f"TensorFlow on {tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')}"
    return "TensorFlow on CPU" + (" without oneDNN (import keras_gan before Keras)" if came_first() else "")


def came_first():
    """Whether TensorFlow was imported before keras_gan could ask for oneDNN, where it must be asked for."""
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:  # no part of the public interface
        return False
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1" and not IsMklEnabled()


def use_devices(count):
    """See `keras_gan.backend.use_devices`: one. `MirroredStrategy` does not know several optimizers in one step."""
    if count not in (1, "all"):
        raise BadValueError(f"TensorFlow trains on one device here, not {count}: set KERAS_BACKEND=jax for several.")


def hosts():
    return 0, 1


def version():
    return tf.__version__


def make_deterministic():
    """See `keras_gan.backend.make_deterministic`."""
    tf.config.experimental.enable_op_determinism()

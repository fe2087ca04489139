"""Adam and RMSprop by TensorFlow's own kernels.

Keras' optimizers read and write each variable and slot in a dozen operations, and the generators of DiscoGAN have 84
million variables. TensorFlow's kernels do the same arithmetic in one operation. They work on Keras' slots, so saving,
learning rates and the step count do not change.
"""

import keras
import tensorflow as tf


def apply_gradients(part, gradients):
    """Applies the gradients of all variables that a part trains. Counts a step.

    An optimizer other than a plain Adam or RMSprop takes Keras' way, and so does a part with a variable that the loss
    does not reach.
    """
    optimizer, variables = part.optimizer, part.trainable_variables
    if not is_plain(optimizer) or any(gradient is None for gradient in gradients):
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    apply = apply_adam if isinstance(optimizer, keras.optimizers.Adam) else apply_rmsprop
    apply(optimizer, gradients, variables, [optimizer._get_variable_index(variable) for variable in variables])
    for variable in variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))
    optimizer.iterations.assign_add(1)


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

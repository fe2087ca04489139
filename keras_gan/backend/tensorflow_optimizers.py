"""Adam and RMSprop with TensorFlow's fused kernels.

Keras' optimizers read and write each variable and slot in a dozen operations; the generators of DiscoGAN have 84
million weights. A fused kernel does the same arithmetic in one operation, on Keras' own slots. Saving, learning rates
and the step count do not change.
"""

from typing import Any

import keras
import tensorflow as tf


def apply_gradients(part: Any, gradients: list[Any]) -> None:
    """Applies the gradients of all variables that a part trains, and counts a step.

    Keras applies them itself if the optimizer is not a plain Adam or RMSprop, or if a gradient is None.
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


def apply_adam(optimizer: Any, gradients: list[Any], variables: list[Any], indices: list[int]) -> None:
    dtype = gradients[0].dtype
    step = tf.cast(optimizer.iterations + 1, dtype)
    betas = {"beta1": optimizer.beta_1, "beta2": optimizer.beta_2}
    factors = betas | {"epsilon": optimizer.epsilon}
    factors = {name: tf.constant(factor, dtype) for name, factor in factors.items()}  # one operation each for all uses
    factors |= {f"{name}_power": tf.pow(tf.cast(beta, dtype), step) for name, beta in betas.items()}
    factors["lr"] = tf.cast(optimizer.learning_rate, dtype)
    for gradient, variable, index in zip(gradients, variables, indices, strict=True):
        m, v = optimizer._momentums[index].value.handle, optimizer._velocities[index].value.handle
        tf.raw_ops.ResourceApplyAdam(var=variable.value.handle, m=m, v=v, grad=gradient, **factors)


def apply_rmsprop(optimizer: Any, gradients: list[Any], variables: list[Any], indices: list[int]) -> None:
    dtype = gradients[0].dtype
    factors = {"rho": optimizer.rho, "momentum": 0.0, "epsilon": optimizer.epsilon}
    factors = {name: tf.constant(factor, dtype) for name, factor in factors.items()}
    factors["lr"] = tf.cast(optimizer.learning_rate, dtype)
    for gradient, variable, index in zip(gradients, variables, indices, strict=True):
        ms, mom = optimizer._velocities[index].value.handle, optimizer.scratch[index].handle
        tf.raw_ops.ResourceApplyRMSProp(var=variable.value.handle, ms=ms, mom=mom, grad=gradient, **factors)


def is_plain(optimizer: Any) -> bool:
    """Whether a fused kernel computes the same as this optimizer, without extras or a distribution strategy."""
    extras = ["amsgrad", "momentum", "centered", "use_ema", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm"]
    extras += ["loss_scale_factor", "gradient_accumulation_steps"]
    return (
        type(optimizer) in (keras.optimizers.Adam, keras.optimizers.RMSprop)
        and not any(getattr(optimizer, name, None) for name in extras)
        and not tf.distribute.in_cross_replica_context()
        and tf.distribute.get_strategy().num_replicas_in_sync == 1
    )


def prepare(optimizer: Any) -> None:
    """Adds a momentum slot to RMSprop, before a step is traced: the kernel writes it even without momentum."""
    if type(optimizer) is keras.optimizers.RMSprop and is_plain(optimizer) and not hasattr(optimizer, "scratch"):
        optimizer.scratch = [tf.Variable(tf.zeros_like(slot.value)) for slot in optimizer._velocities]

"""Gradients of a function, on both backends."""

import keras


def gradients(function, *values):
    """The gradients of the sum of a function, as differentiated in a training step."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda *values: function(*values).sum(), argnums=tuple(range(len(values))))(*values)
    import tensorflow as tf

    from keras_gan.backend.tensorflow_xla import in_training

    values = [tf.constant(value) for value in values]
    with in_training(), tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(function(*values))
    return tape.gradient(total, values)

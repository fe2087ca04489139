"""Spectral normalisation as in its paper: the kernel that is used is the kernel that is learned, over its norm."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_gan")
class SpectralNormalization(keras.layers.Wrapper):
    """A dense or convolutional layer whose kernel W is divided by its spectral norm sigma(W), its largest stretch.

    Gradients flow through sigma, and W itself is what the optimizer learns. (Keras' layer of this name assigns the
    divided kernel to the layer in each call in training mode: a generator's update would then change a discriminator,
    and only on some backends gradients would flow through sigma.) Power iteration approximates sigma: one iteration
    per call in training mode.

    A layer is linear in x and in W, so x is divided by sigma, not W: its fast convolution and its bias stay the same.

    Miyato et al., 2018 (https://arxiv.org/abs/1802.05957), section 2.1 and algorithm 1.

    Args:
        layer: a layer with a `kernel` whose last axis are the filters or units.

    Shapes: as of the layer.
    """

    def __init__(self, layer: Any, **options: Any) -> None:
        super().__init__(layer, autocast=False, **options)  # sigma in full precision; the layer casts for itself

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        shape = (self.layer.kernel.shape[-1],)
        self.u = self.add_weight(name="u", shape=shape, initializer="random_normal", trainable=False)

    def call(self, inputs: Any, training: bool = False) -> Any:
        kernel = ops.convert_to_tensor(self.layer.kernel)
        kernel = ops.reshape(kernel, (-1, kernel.shape[-1]))
        still, u = ops.stop_gradient(kernel), ops.convert_to_tensor(self.u)
        v = ops.normalize(ops.matmul(still, u), axis=0)
        if training:
            u = ops.stop_gradient(ops.normalize(ops.matmul(v, still), axis=0))
            self.u.assign(u)
        else:
            u = ops.normalize(u, axis=0)
        sigma = ops.sum(ops.matmul(ops.stop_gradient(v), kernel) * u)
        return self.layer(inputs / ops.cast(sigma, inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

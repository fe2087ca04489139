"""`ContribInstanceNormalization`: the InstanceNormalization of keras-contrib, for models saved with it."""

from typing import Any

import keras
from keras import ops

#: The keys that every saved configuration of keras-contrib's layer has. ("axis" is lost where it is None.)
CONFIG_KEYS = {"epsilon", "center", "scale"} | {
    f"{weight}_{kind}" for weight in ("beta", "gamma") for kind in ("initializer", "regularizer", "constraint")
}


@keras.saving.register_keras_serializable(package="keras_gan")
class ContribInstanceNormalization(keras.layers.Layer):
    """Divides by the standard deviation plus epsilon, as keras_contrib.layers.InstanceNormalization does.

    ``gamma * (x - mean) / (std + epsilon) + beta``, where mean and std are taken over all axes but the batch and `axis`
    (https://github.com/keras-team/keras-contrib, layers/normalization/instancenormalization.py). The layer of
    tensorflow-addons, `keras_gan.layers.InstanceNormalization`, divides by ``sqrt(variance + epsilon)`` instead, and
    its axis can only be the channels.

    Args:
        axis: the axis that has its own mean, std, gamma and beta at each index: -1 for the channels. None: each picture
            has one mean and one std over height, width and channels, and gamma and beta are one number.
        epsilon: added to the standard deviation, outside the root.
        center, scale: whether there is a beta, and a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            these two weights.

    Shapes: (batch, ..., channels) to the same. Gamma and beta: (length of `axis`,), or (1,) for None.

    Raises:
        ValueError: if the axis is the batch or is not in the input.
    """

    def __init__(
        self,
        axis: int | None = None,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        get = keras.initializers.get, keras.regularizers.get, keras.constraints.get
        self.beta_settings = self.settings(get, beta_initializer, beta_regularizer, beta_constraint)
        self.gamma_settings = self.settings(get, gamma_initializer, gamma_regularizer, gamma_constraint)

    @staticmethod
    def settings(get: tuple, *given: Any) -> dict[str, Any]:
        """The arguments of `add_weight`, by kind."""
        kinds = "initializer", "regularizer", "constraint"
        return {kind: find(value) for kind, find, value in zip(kinds, get, given, strict=True)}

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if self.axis is not None and (self.axis % rank == 0 or not -rank < self.axis < rank):
            raise ValueError(
                f"The axis of InstanceNormalization must be None or 1 to {rank - 1} for inputs of {rank} axes, "
                f"not {self.axis}."
            )
        shape = (1,) if self.axis is None else (input_shape[self.axis],)
        self.gamma = self.add_weight(name="gamma", shape=shape, **self.gamma_settings) if self.scale else None
        self.beta = self.add_weight(name="beta", shape=shape, **self.beta_settings) if self.center else None

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        own = None if self.axis is None else self.axis % rank
        axes = [axis for axis in range(1, rank) if axis != own]
        dtype = "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype
        x = ops.cast(inputs, dtype)
        x = x - ops.mean(x, axis=axes, keepdims=True)
        x = x / (ops.sqrt(ops.mean(ops.square(x), axis=axes, keepdims=True)) + self.epsilon)
        aligned = [-1 if axis == own else 1 for axis in range(rank)]
        if self.gamma is not None:
            x = x * ops.reshape(ops.cast(self.gamma, dtype), aligned)
        if self.beta is not None:
            x = x + ops.reshape(ops.cast(self.beta, dtype), aligned)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"axis": self.axis, "epsilon": self.epsilon}
        config |= {"center": self.center, "scale": self.scale}
        for weight, settings in (("beta", self.beta_settings), ("gamma", self.gamma_settings)):
            for kind, module in (("initializer", "initializers"), ("regularizer", "regularizers")):
                config[f"{weight}_{kind}"] = getattr(keras, module).serialize(settings[kind])
            config[f"{weight}_constraint"] = keras.constraints.serialize(settings["constraint"])
        return config

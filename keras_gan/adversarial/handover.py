"""How Keras hands the values of all variables to a step on JAX and takes them back, without work per variable.

On JAX a step is a pure function, so Keras collects hundreds of values before it and assigns them after it. Keras looks
for the variables anew each time, converts each value on assignment and tracks the lists as attributes. Here the
variables are looked up once per compiled step.
"""

from collections.abc import Callable
from typing import Any

import keras

from keras_gan import backend

KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


class Handover(keras.Model):
    """A Keras model whose values are handed over quickly. TensorFlow's steps assign in place and need no handover."""

    _of_kind: dict[str, list[Any]] | None = None
    _compiled: dict[str, Callable] | None = None
    _jax_state: dict[str, list[Any]] | None = None  # Keras sets both
    _jax_state_synced = True

    def forget_variables(self) -> None:
        """Makes the next step look its variables up; needed whenever variables were added or optimizers replaced."""
        self._of_kind = self._compiled = None

    def variables_of_kind(self, kind: str) -> list[Any]:
        """The variables of one of `KINDS`."""
        if self._of_kind is None:
            found = {name: getattr(self, name) for name in KINDS if name != "optimizer_variables"}
            found["optimizer_variables"] = self.optimizer.variables
            self._of_kind = found
        return self._of_kind[kind]

    def at_once(self, action: Callable, *arguments: Any) -> Any:
        """Runs a function of this model's metrics as one call of the device, not one per variable."""
        if self._compiled is None:
            self._compiled = {}
        if action.__name__ not in self._compiled:
            compiled = backend.compiled(action, self.variables_of_kind("metrics_variables"))
            self._compiled[action.__name__] = compiled
        return self._compiled[action.__name__](*arguments)

    def reset_metrics(self) -> None:
        self.at_once(super().reset_metrics)

    def figures_of(self, totals: list[Any]) -> dict[str, Any]:
        """The metrics as they were if these were their totals and counts."""
        with keras.StatelessScope(zip(self.variables_of_kind("metrics_variables"), totals, strict=True)):
            return self.get_metrics_result()

    def _get_jax_state(self, purge_model_variables: bool = False, **wanted: bool) -> tuple[list[Any], ...]:
        """Keras' method: the values of the variables of each wanted kind, in the order of `KINDS`."""
        kinds = [self.variables_of_kind(kind) for kind in KINDS if wanted.get(kind)]
        # not `value`, which looks for scopes that change what it is: there are none between steps
        state = tuple([variable._value for variable in variables] for variables in kinds)
        if purge_model_variables:  # the step donates the values, so the variables must not hold them
            for variables in kinds:
                for variable in variables:
                    variable._value = None
        return state

    def jax_state_sync(self) -> None:
        """Keras' method: gives the values that the last step returned back to the variables."""
        if not self._jax_state or self._jax_state_synced:
            return
        for kind, values in self._jax_state.items():
            for variable, value in zip(self.variables_of_kind(kind), values, strict=True):
                variable._direct_assign(value)
        self._jax_state_synced = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_jax_state", "_of_kind", "_compiled"):  # not layers to track
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

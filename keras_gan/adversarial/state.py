"""Model state that Keras leaves out of saved weights, but that a checkpoint needs."""

from typing import Any

import keras
import numpy as np
from keras import ops


class StatefulModel(keras.Model):
    """A Keras model that also saves the states of its random generators and the metric totals of its history.

    `totals_before` holds the metric totals at the last row of the history, or None.
    """

    totals_before: np.ndarray | None

    @property
    def random_states(self) -> list[Any]:
        """The seed states of dropout and noise."""
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for number, state in enumerate(self.random_states):
            store[f"random_state_{number}"] = ops.convert_to_numpy(state)
        if self.totals_before is not None:
            store["totals_before"] = self.totals_before

    def load_own_variables(self, store: Any) -> None:
        extras = ("random_state", "totals_before")
        super().load_own_variables({key: store[key] for key in list(store.keys()) if not key.startswith(extras)})
        self.totals_before = np.array(store["totals_before"]) if "totals_before" in store else None
        for number, state in enumerate(self.random_states):
            state.assign(store[f"random_state_{number}"])

"""What a step on JAX does on a GPU alone: it keeps XLA from rearranging more than it must."""

from typing import Any

from jax.experimental import layout


def as_variables_lie(gradients: list[Any]) -> list[Any]:
    """The same gradients, in memory in the order of their axes, as variables are.

    A GPU's convolutions have the filters first. Without this, XLA rearranges a kernel and its two averages for Adam's
    update, and all three back after it, instead of the gradient alone.
    """
    if not hasattr(layout, "Layout"):  # before JAX 0.7
        return gradients
    return [gradient if gradient is None else in_order(gradient) for gradient in gradients]


def in_order(array: Any) -> Any:
    """The same array, with its axes in memory from the first to the last."""
    return layout.with_layout_constraint(array, layout.Layout(tuple(range(array.ndim))))

"""What each of several hosts does by itself and all need to know. An error of one is raised on all: nobody waits."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_gan import backend
from keras_gan.errors import BadValueError, UserError


def together(action: Callable[[], Any]) -> list[Any]:
    """What `action` returns on each host, in their order. All hosts must call this; a single one waits for none.

    Args:
        action: returns what JSON can hold.

    Raises:
        BadValueError: if it raises a UserError on a host; the message says on which.
    """
    me, count = backend.hosts()
    if count == 1:
        return [action()]
    backend.give_signs()
    try:
        told, failure = {"value": action()}, None
    except Exception as error:
        told, failure = {"error": str(error) if isinstance(error, UserError) else type(error).__name__}, error
    everywhere = [json.loads(text) for text in backend.exchanged(json.dumps(told))]
    if failure and not isinstance(failure, UserError):
        raise failure
    for host, of_host in enumerate(everywhere):
        if "error" in of_host:
            raise BadValueError(f"host {host} of {count}: {of_host['error']}") from (failure if host == me else None)
    return [of_host["value"] for of_host in everywhere]


def from_first(make: Callable[[], Any]) -> Any:
    """What `make` returns on the first host, on all: an array, a tuple of arrays, or None. The others do not call it.

    Raises:
        BadValueError: if it raises a UserError.
    """
    made: Any = None

    def described() -> Any:
        nonlocal made
        made = make() if backend.hosts()[0] == 0 else None
        if made is None:
            return None
        return [isinstance(made, tuple), [(array.shape, str(array.dtype)) for array in arrays_of(made)]]

    described_by_first = together(described)[0]
    if described_by_first is None or backend.hosts()[1] == 1:
        return made
    is_tuple, forms = described_by_first
    mine = [np.zeros(shape, dtype) for shape, dtype in forms] if made is None else arrays_of(made)
    arrays = backend.broadcast(mine)
    return tuple(arrays) if is_tuple else arrays[0]


def arrays_of(made: Any) -> list[Any]:
    """The arrays of a tuple, or the only one."""
    return list(made) if isinstance(made, tuple) else [made]

"""What several hosts on JAX tell each other beside training: texts, and arrays of the first host.

Texts go through the values that hosts share, so a host may take minutes longer than another one, to list its files.
"""

import itertools
import threading
import time
from typing import Any

import jax
import numpy as np
from jax._src import distributed  # a private interface: the values that hosts share
from jax.experimental import multihost_utils

from keras_gan.backend.jax_hosts import BEAT, MEETING, SILENCE
from keras_gan.errors import LostHostError

TOLD, HERE = "keras_gan/told/", "keras_gan/here/"
PATIENCE = 2000  # ms to wait for a text before looking whether its host still gives signs of life

numbers = itertools.count()  # of exchanges: all hosts make the same ones
beating = threading.Event()


def exchanged(text: str) -> list[str]:
    """See `keras_gan.backend.exchanged`."""
    client: Any = distributed.global_state.client
    me, number = jax.process_index(), next(numbers)
    client.key_value_set(f"{TOLD}{number}/{me}", text)
    told = [text_of(client, number, host) for host in range(jax.process_count())]
    if number:  # all have told their text of this exchange, so all have read those of the one before
        client.key_value_delete(f"{TOLD}{number - 1}/{me}")
    return told


def text_of(client: Any, number: int, host: int) -> str:
    """The text of a host, once it is there. Raises LostHostError if the host falls silent before."""
    beat, heard = "", time.monotonic()
    while True:
        try:
            return client.blocking_key_value_get(f"{TOLD}{number}/{host}", PATIENCE)
        except Exception as error:  # JAX' own, of many kinds
            if "DEADLINE_EXCEEDED" not in str(error):
                raise silent(host) from error
        signs = {name.rpartition("/")[2]: value for name, value in client.key_value_dir_get(HERE)}
        if signs.get(str(host), "") != beat:
            beat, heard = signs[str(host)], time.monotonic()
        if time.monotonic() - heard > (SILENCE if beat else MEETING):
            raise silent(host)


def silent(host: int) -> LostHostError:
    """The error after a host, or the first one, which keeps the texts, has stopped."""
    return LostHostError(f"host {host} or the first host has stopped: start all of them again.")


def give_signs() -> None:
    """See `keras_gan.backend.give_signs`."""
    if beating.is_set():
        return
    beating.set()
    client: Any = distributed.global_state.client
    me = str(jax.process_index())

    def beat() -> None:
        for number in itertools.count():
            try:
                client.key_value_set(f"{HERE}{me}", str(number), allow_overwrite=True)
            except Exception:  # the first host has ended
                return
            time.sleep(BEAT)

    threading.Thread(target=beat, daemon=True).start()


def broadcast(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """See `keras_gan.backend.broadcast`."""
    return [np.asarray(array) for array in multihost_utils.broadcast_one_to_all(arrays)]

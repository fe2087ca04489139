"""What every contestant does: it runs one iteration for each line that it is sent.

A contestant is a process of its own, in the environment of its own stack, so this file and those
beside it keep to what Python 3.9 and the oldest of these stacks understand.
"""

import json
import os
import resource
import sys
import time
from collections import namedtuple

import numpy as np

WARM_UP = 2

# step: one iteration; networks: name to network; count: a network to the number of its trainable
# parameters; weight: a network to its first weight, as an array; flop: the operations of one iteration
Contestant = namedtuple("Contestant", "step networks count weight flop versions")


def noise(setting, low=-1.0):
    """A batch of A and one of B, channels last, values in [low, 1]."""
    rng = np.random.default_rng(0)
    return [
        rng.uniform(low, 1, (setting["batch"], setting["size"], setting["size"], channels)).astype("float32")
        for channels in setting["channels"]
    ]


def serve(build):
    """Builds the setting named on the command line, warms up, then answers line by line.

    Each answer is a line of JSON: first what there is to say of the contestant, then the seconds of
    an iteration for each line on stdin, and at its end the peak memory (bytes) and the operations.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    contestant = build(json.loads(sys.argv[1]))
    for _ in range(WARM_UP):
        contestant.step()
    parameters = {name: contestant.count(network) for name, network in contestant.networks.items()}
    answer({"parameters": parameters, "versions": contestant.versions})
    for _ in sys.stdin:
        start = time.perf_counter()
        contestant.step()
        answer(time.perf_counter() - start)
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    check_that_all_learn(contestant)
    answer({"memory": memory, "flop": contestant.flop()})


def check_that_all_learn(contestant):
    """An iteration that leaves out a network would be fast for the wrong reason."""
    before = {name: contestant.weight(network) for name, network in contestant.networks.items()}
    contestant.step()
    for name, network in contestant.networks.items():
        if np.array_equal(before[name], contestant.weight(network)):
            raise AssertionError(f"{name} does not learn")


class Pool:
    """The past fakes that a CycleGAN shows its discriminators: pictures go in one by one, some come back old."""

    def __init__(self, size):
        self.size, self.pictures = size, []
        self.rng = np.random.default_rng(0)

    def __call__(self, fakes):
        """A batch, as an array or a list of pictures, to the list of those to show."""
        shown = []
        for fake in fakes:
            if len(self.pictures) < self.size:
                self.pictures.append(fake)
            elif self.size and self.rng.random() < 0.5:
                slot = self.rng.integers(self.size)
                fake, self.pictures[slot] = self.pictures[slot], fake
            shown.append(fake)
        return shown

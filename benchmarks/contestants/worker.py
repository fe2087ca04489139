"""The main loop of every contestant: for each line on stdin it runs one iteration.

Each contestant is a separate process in its own environment. So the files in this folder must work with Python 3.9 and
with the oldest of the libraries.
"""

import json
import os
import resource
import sys
import time
from collections import namedtuple

import numpy as np

WARM_UP = 2

# step(): runs one iteration; networks: {name: network}; count(network): number of trainable parameters;
# weight(network): its first weight as an array; flop(): operations of one iteration; versions: text
Contestant = namedtuple("Contestant", "step networks count weight flop versions")


def noise(setting, low=-1.0):
    """Returns a batch of A and a batch of B: noise, channels last, values in [low, 1]."""
    rng = np.random.default_rng(0)
    return [
        rng.uniform(low, 1, (setting["batch"], setting["size"], setting["size"], channels)).astype("float32")
        for channels in setting["channels"]
    ]


def serve(build):
    """Builds the setting from the command line, warms up, then answers line by line.

    Each answer is a line of JSON. The first one has the parameters and versions. Each line on stdin gets the seconds of
    one iteration. At the end of stdin comes the last answer: peak memory (bytes) and operations.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # prints of libraries go to stderr

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
    """Raises AssertionError if an iteration leaves a network unchanged: it would be fast for the wrong reason."""
    before = {name: contestant.weight(network) for name, network in contestant.networks.items()}
    contestant.step()
    for name, network in contestant.networks.items():
        if np.array_equal(before[name], contestant.weight(network)):
            raise AssertionError(f"{name} does not learn")


class Pool:
    """CycleGAN's pool of past fakes: each new fake goes in, and sometimes a past one comes out instead."""

    def __init__(self, size):
        self.size, self.pictures = size, []
        self.rng = np.random.default_rng(0)

    def __call__(self, fakes):
        """Takes a batch (array or list of pictures). Returns the list of pictures to show the discriminator."""
        shown = []
        for fake in fakes:
            if len(self.pictures) < self.size:
                self.pictures.append(fake)
            elif self.size and self.rng.random() < 0.5:
                slot = self.rng.integers(self.size)
                fake, self.pictures[slot] = self.pictures[slot], fake
            shown.append(fake)
        return shown

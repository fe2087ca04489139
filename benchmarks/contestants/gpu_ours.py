"""keras_gan on a GPU, on JAX. Each line on stdin is a number of iterations; the answer has the milliseconds of one:
of the bare compiled step, of `train()` and of `train_on_batch`.
"""

import functools
import json
import os
import sys
import tempfile
import time

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what training prints goes to stderr

import host  # noqa: E402
import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from ours import model  # noqa: E402
from worker import noise  # noqa: E402


def answer(value):
    answers.write(json.dumps(value) + "\n")
    answers.flush()


class Turns(keras.callbacks.Callback):
    """Answers the lines on stdin in the middle of `train()`, which would save gigabytes at its end."""

    def __init__(self, others):
        super().__init__()
        self.others, self.times, self.n = others, [], 10

    def on_train_batch_begin(self, batch, logs=None):
        self.times.append(time.perf_counter())
        if len(self.times) <= self.n:
            return
        seconds = np.diff(self.times)
        figures = {"train()": np.mean(seconds)}
        figures |= {name: run(self.n) for name, run in self.others().items()}
        memory = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)  # none on a CPU
        if batch > 10:  # the first ten warm up
            answer({name: float(value) * 1e3 for name, value in figures.items()} | {"memory": memory})
        line = sys.stdin.readline()
        if not line:
            os._exit(0)
        self.times, self.n = [], int(line)


def main():
    setting = json.loads(sys.argv[1])
    gan = model(setting, setting["pairs"])
    sample = gan.sample_images

    def sample_images(epoch, batch_i):
        if batch_i == 0 and int(gan.iteration) == 1:  # which waits for the first iteration
            answer({"versions": f"JAX {jax.__version__}, Keras {keras.__version__}"})
        return sample(epoch, batch_i)

    @functools.cache
    def others():
        """The bare step and `train_on_batch` of another model of the same kind."""
        other, (A, B) = model(setting, setting["pairs"]), noise(setting)
        other.make_train_function()
        return {"bare": host.bare_step(other, A, B), "train_on_batch": host.on_batch(other, A, B)}

    gan.sample_images = sample_images
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        many = 10**6
        options = {"batch_size": setting["batch"], "steps_per_epoch": many, "sample_interval": many, "quiet": True}
        gan.train(epochs=1, callbacks=[Turns(others)], **options)


if __name__ == "__main__":
    main()

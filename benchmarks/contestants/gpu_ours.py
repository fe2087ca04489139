"""keras_gan on a GPU, on JAX. Each line on stdin is a number of iterations; the answer has the milliseconds of one:
of the bare compiled step, of `train()` and of `train_on_batch`.
"""

import json
import os
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what training prints goes to stderr

import host  # noqa: E402
import jax  # noqa: E402
import keras  # noqa: E402
from worker import noise  # noqa: E402


def build(setting):
    from keras_gan import CycleGANPaper, DiscoGAN, Pix2Pix

    shape = (setting["size"], setting["size"], 3)
    if setting["model"] == "cyclegan-resnet":
        return CycleGANPaper(shape_A=shape, shape_B=shape, dataset_name="drawn_shoes", seed=0)
    kind = DiscoGAN if setting["model"] == "discogan" else Pix2Pix
    return kind(shape, gf=setting["filters"], df=setting["filters"], dataset_name="drawn_shoes", seed=0)


def answer(value):
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def main():
    setting = json.loads(sys.argv[1])
    if setting["dtype"] == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    gan = build(setting)
    sample = gan.sample_images

    def sample_images(epoch, batch_i):
        if batch_i == 0 and int(gan.iteration) == 1:  # which waits for the first iteration
            answer({"versions": f"JAX {jax.__version__}, Keras {keras.__version__}"})
        return sample(epoch, batch_i)

    gan.sample_images = sample_images
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        host.trained(gan, 12, setting["batch"])
        A, B = noise(setting)
        bare = host.bare_step(gan, A, B)
        on_batch = host.on_batch(gan, A, B)
        bare(5), on_batch(5)
        for line in sys.stdin:
            n = int(line)
            median, mean = host.trained(gan, n, setting["batch"])
            figures = {"bare": bare(n), "train()": median, "with all": mean, "train_on_batch": on_batch(n)}
            memory = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)  # none on a CPU
            answer({name: seconds * 1e3 for name, seconds in figures.items()} | {"memory": memory})


if __name__ == "__main__":
    main()

"""How good pictures are, in numbers: against their partners one by one, and as a heap against real ones."""

import contextlib
import socket
import sys

import numpy as np

from keras_gan.errors import BadValueError
from keras_gan.sampling import pixels

EXTRA = "pip install 'keras-gan[metrics]'"
KID_SUBSETS, KID_SUBSET = 100, 1000  # as in the paper of KID


def l1_each(images, others):
    """Mean absolute difference of each picture to its partner, in their value range: float (batch,)."""
    return np.abs(images - others).mean(axis=(1, 2, 3))


def psnr_each(images, others, value_range):
    """Peak signal-to-noise ratio of each picture to its partner, in dB: float (batch,); infinite for equal ones."""
    from skimage.metrics import peak_signal_noise_ratio

    full = value_range[1] - value_range[0]
    with np.errstate(divide="ignore"):
        return np.array([peak_signal_noise_ratio(b, a, data_range=full) for a, b in zip(images, others, strict=True)])


def ssim_each(images, others, value_range):
    """Structural similarity of each picture to its partner, at most 1, over windows of 7x7: float (batch,)."""
    from skimage.metrics import structural_similarity

    full = value_range[1] - value_range[0]
    return np.array(
        [structural_similarity(a, b, channel_axis=-1, data_range=full) for a, b in zip(images, others, strict=True)]
    )


def check_metrics():
    """Raises BadValueError where the package for SSIM and PSNR is missing."""
    try:
        import skimage  # noqa: F401
    except ModuleNotFoundError:
        raise BadValueError(f"evaluating needs scikit-image: {EXTRA}.") from None


def nearest(images, others):
    """For each picture the number of the nearest of the others by squared distance, and the L1 to it.

    Args:
        images, others: float (batch, height, width, channels) each.

    Returns:
        int (batch,) and float (batch,).
    """
    flat, rest = (np.reshape(x, (len(x), -1)).astype("float32") for x in (images, others))
    distances = (rest**2).sum(axis=1) - 2 * flat @ rest.T  # the square of the first is the same for all
    found = distances.argmin(axis=1)
    return found, np.array([np.abs(flat[i] - rest[j]).mean() for i, j in enumerate(found)])


def diversity(images, value_range, pairs=1000, seed=0):
    """How different pictures are: mean L1 and mean SSIM of so many random pairs of two different ones."""
    if len(images) < 2:
        return {"L1": None, "SSIM": None}
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(images), pairs)
    second = (first + rng.integers(1, len(images), pairs)) % len(images)
    here, there = images[first], images[second]
    return {"L1": float(l1_each(here, there).mean()), "SSIM": float(ssim_each(here, there, value_range).mean())}


class Inception:
    """What FID and KID look at: 2048 features of the Inception network of their papers, by torch-fidelity.

    Its weights, 91 MB, are fetched when it is first used, to torch's cache.

    Raises:
        BadValueError: if torch-fidelity is missing, or the weights cannot be fetched.
    """

    def __init__(self):
        try:
            fidelity = torch_fidelity()
        except ModuleNotFoundError as error:
            raise BadValueError(f"{error.name} is not installed ({EXTRA})") from None
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        try:
            with time_limit(30):
                self.network = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
        except (OSError, RuntimeError) as error:
            raise BadValueError(
                f"the weights of Inception could not be fetched ({error}): {URL_INCEPTION_V3}"
            ) from error

    def __call__(self, pictures):
        """float32 (batch, 2048) of pictures uint8 (batch, height, width, 3)."""
        import torch

        with torch.no_grad():
            (features,) = self.network(torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, 3, 1))))
        return features.numpy()


def torch_fidelity():
    """The package of this name, imported so that it does not end a process that TensorFlow is in.

    PyTorch for GPUs comes with triton, and torch-fidelity has it imported. TensorFlow 2.20 and later
    show their compiler to all libraries that are loaded afterwards (its issue 124205); triton takes it
    for its own, and crashes. Neither FID nor KID needs it, and what finds none goes on without.
    """
    if "tensorflow" in sys.modules:
        sys.modules.setdefault("triton", None)  # whoever imports it learns that it cannot be
    import torch_fidelity

    return torch_fidelity


@contextlib.contextmanager
def time_limit(seconds):
    """Sockets that hear nothing for so long give up."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def features_of(extractor, images, value_range):
    """The features of pictures (batch, height, width, channels), which it gets as uint8 in colour."""
    shown = pixels(images, value_range)
    return np.asarray(extractor(np.broadcast_to(shown, (*shown.shape[:3], 3))), "float32")


def distances(features, others):
    """FID and KID of two heaps of pictures by their features (n, d), as torch-fidelity computes them.

    Returns:
        A dict: FID, KID and `pictures`, how many of each; FID and KID None for less than two.
    """
    torch_fidelity()
    import torch
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    counts = [len(features), len(others)]
    if min(counts) < 2:
        return {"FID": None, "KID": None, "pictures": counts}
    heaps = [torch.from_numpy(np.ascontiguousarray(x, "float64")) for x in (features, others)]
    fid = fid_statistics_to_metric(*map(fid_features_to_statistics, heaps), verbose=False)[KEY_METRIC_FID]
    subset = min(KID_SUBSET, *counts)
    options = {"kid_subset_size": subset, "kid_subsets": KID_SUBSETS, "verbose": False}
    return {"FID": fid, "KID": kid_features_to_metric(*heaps, **options)[KEY_METRIC_KID_MEAN], "pictures": counts}

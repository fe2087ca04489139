"""How good pictures are, in numbers: against their partners one by one, and as a heap against real ones."""

import contextlib
import socket
import sys

import numpy as np

from keras_gan.errors import BadValueError
from keras_gan.images.grids import pixels

EXTRA = "pip install 'keras-gan[metrics]'"
KID_SUBSETS, KID_SUBSET = 100, 1000  # as in the paper of KID
KID_SEED = 2020  # of the subsets that torch-fidelity draws


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
    """FID and KID of two heaps of pictures by their features (n, d).

    Returns:
        A dict: FID, KID and `pictures`, how many of each; FID and KID None for less than two.
    """
    counts = [len(features), len(others)]
    if min(counts) < 2:
        return {"FID": None, "KID": None, "pictures": counts}
    heaps = [np.asarray(heap, "float64") for heap in (features, others)]
    return {"FID": frechet_distance(*heaps), "KID": kernel_distance(*heaps), "pictures": counts}


def frechet_distance(features, others):
    """That of the normal distributions with the means and covariances of two heaps of features, float64 (n, d).

    The trace of the root of the covariances' product is the sum of the roots of its eigenvalues. None of those is
    negative or complex but by rounding, as where there are fewer pictures than features.
    """
    apart = features.mean(axis=0) - others.mean(axis=0)
    here, there = (np.cov(heap, rowvar=False) for heap in (features, others))
    roots = np.sqrt(np.linalg.eigvals(here @ there).astype("complex128")).real
    return float(apart @ apart + np.trace(here) + np.trace(there) - 2 * roots.sum())


def kernel_distance(features, others):
    """The mean over subsets of two heaps of features, float64 (n, d), of their squared mean discrepancy.

    Subsets are as large as in the paper, or as the smaller heap. They are drawn as torch-fidelity draws them, so that
    the figures are the same.
    """
    random = np.random.RandomState(KID_SEED)
    size = min(KID_SUBSET, len(features), len(others))
    found = []
    for _ in range(KID_SUBSETS):
        subsets = [heap[random.choice(len(heap), size, replace=False)] for heap in (features, others)]
        found.append(squared_discrepancy(*subsets))
    return float(np.mean(found))


def squared_discrepancy(features, others):
    """Gretton et al., 2012: unbiased, of two heaps of equally many features, by the kernel (x.y / d + 1)^3."""
    count, dimensions = features.shape
    within = 0.0
    for heap in (features, others):
        kernel = (heap @ heap.T / dimensions + 1) ** 3
        within += kernel.sum() - np.trace(kernel)  # of a picture with itself: left out
    across = (features @ others.T / dimensions + 1) ** 3
    return within / (count * (count - 1)) - 2 * across.mean()

"""Image metrics: L1, PSNR and SSIM of pairs; nearest neighbour and diversity; FID and KID of two sets of pictures."""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_gan.errors import BadValueError
from keras_gan.images.grids import pixels
from keras_gan.machine.installation import install

KID_SUBSETS, KID_SUBSET = 100, 1000  # as in the paper of KID
KID_SEED = 2020  # the default of torch-fidelity


def l1_each(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean absolute difference of each pair of pictures, in their value range: float (batch,)."""
    return np.abs(images - others).mean(axis=(1, 2, 3))


def psnr_each(images: np.ndarray, others: np.ndarray, value_range: tuple) -> np.ndarray:
    """Peak signal-to-noise ratio of each pair of pictures in dB, infinite for equal ones: float (batch,)."""
    from skimage.metrics import peak_signal_noise_ratio

    full = value_range[1] - value_range[0]
    with np.errstate(divide="ignore"):
        return np.array([peak_signal_noise_ratio(b, a, data_range=full) for a, b in zip(images, others, strict=True)])


def ssim_each(images: np.ndarray, others: np.ndarray, value_range: tuple) -> np.ndarray:
    """Structural similarity of each pair of pictures, at most 1, over 7x7 windows: float (batch,).

    Smaller pictures have the largest odd window that fits; of less than 3 pixels the similarity is NaN.
    """
    from skimage.metrics import structural_similarity

    side = min(7, *images.shape[1:3])
    if side < 3:
        return np.full(len(images), np.nan)
    options: dict[str, Any] = {"channel_axis": -1, "data_range": value_range[1] - value_range[0]}
    options["win_size"] = side - 1 + side % 2
    return np.array([structural_similarity(a, b, **options) for a, b in zip(images, others, strict=True)])


def check_metrics() -> None:
    """Raises BadValueError if scikit-image, needed for PSNR and SSIM, is missing."""
    try:
        import skimage  # noqa: F401
    except ModuleNotFoundError:
        raise BadValueError(f"evaluating needs scikit-image: {install('metrics')}.") from None


def nearest(images: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest neighbour of each picture by squared distance.

    Args:
        images, others: float (batch, height, width, channels) each.

    Returns:
        The index of the neighbour, int (batch,), and the L1 distance to it, float (batch,).
    """
    flat, rest = (np.reshape(x, (len(x), -1)).astype("float32") for x in (images, others))
    distances = (rest**2).sum(axis=1) - 2 * flat @ rest.T  # without flat**2: constant per row
    found = distances.argmin(axis=1)
    return found, np.array([np.abs(flat[i] - rest[j]).mean() for i, j in enumerate(found)])


def diversity(images: np.ndarray, value_range: tuple, pairs: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Mean L1 and mean SSIM over random pairs of different pictures; None each for fewer than two pictures."""
    if len(images) < 2:
        return {"L1": None, "SSIM": None}
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(images), pairs)
    second = (first + rng.integers(1, len(images), pairs)) % len(images)
    here, there = images[first], images[second]
    return {"L1": float(l1_each(here, there).mean()), "SSIM": float(ssim_each(here, there, value_range).mean())}


class Inception:
    """The extractor of FID and KID: 2048 features of the papers' Inception network, by torch-fidelity.

    Its weights, 91 MB, are downloaded to torch's cache on first use.

    Raises:
        BadValueError: if torch-fidelity is missing, or the weights cannot be downloaded.
    """

    def __init__(self) -> None:
        try:
            fidelity = torch_fidelity()
        except ModuleNotFoundError as error:
            raise BadValueError(f"{error.name} is not installed ({install('metrics')})") from None
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        try:
            with time_limit(30):
                self.network = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
        except (OSError, RuntimeError) as error:
            raise BadValueError(
                f"the weights of Inception cannot be downloaded ({error}): {URL_INCEPTION_V3}"
            ) from error

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Maps pictures, uint8 (batch, height, width, 3), to features, float32 (batch, 2048)."""
        import torch

        with torch.no_grad():
            (features,) = self.network(torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, 3, 1))))
        return features.numpy()


def torch_fidelity() -> Any:
    """Imports torch-fidelity without triton, which crashes in a process that has loaded TensorFlow.

    PyTorch for GPUs comes with triton, and torch-fidelity imports it. TensorFlow 2.20 and later export the symbols of
    their LLVM to libraries loaded later (TensorFlow issue 124205); triton picks these up and crashes. FID and KID do
    not need triton, and torch runs without it.
    """
    if "tensorflow" in sys.modules:
        modules: dict[str, Any] = sys.modules
        modules.setdefault("triton", None)  # importing it raises ImportError
    import torch_fidelity

    return torch_fidelity


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Sets the default socket timeout."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def features_of(extractor: Callable[[np.ndarray], Any], images: np.ndarray, value_range: tuple) -> np.ndarray:
    """Features, float32 (batch, n), of pictures (batch, height, width, channels). The extractor gets uint8 RGB."""
    shown = pixels(images, value_range)
    return np.asarray(extractor(np.broadcast_to(shown, (*shown.shape[:3], 3))), "float32")


def distances(features: np.ndarray, others: np.ndarray) -> dict[str, Any]:
    """FID and KID between two sets of pictures, from their features (n, d).

    Returns:
        {"FID": float, "KID": float, "pictures": [count, count]}; FID and KID are None if a set has fewer than two.
    """
    counts = [len(features), len(others)]
    if min(counts) < 2:
        return {"FID": None, "KID": None, "pictures": counts}
    here, there = (np.asarray(one, "float64") for one in (features, others))
    return {"FID": frechet_distance(here, there), "KID": kernel_distance(here, there), "pictures": counts}


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """The Frechet distance between Gaussians fitted to two sets of features, float64 (n, d).

    The trace of the square root of the product of the covariances is the sum of the square roots of its eigenvalues.
    These are real and non-negative except for rounding, which occurs with fewer pictures than features.
    """
    difference = features.mean(axis=0) - others.mean(axis=0)
    here, there = (np.atleast_2d(np.cov(one, rowvar=False)) for one in (features, others))
    roots = np.sqrt(np.linalg.eigvals(here @ there).astype("complex128")).real
    return float(difference @ difference + np.trace(here) + np.trace(there) - 2 * roots.sum())


def kernel_distance(features: np.ndarray, others: np.ndarray) -> float:
    """KID: the squared MMD of two sets of features, float64 (n, d), averaged over random subsets.

    Subset size: 1000 as in the paper, or the size of the smaller set. The subsets equal those of torch-fidelity, so the
    results are the same. What is the same for all subsets is computed once.
    """
    random = np.random.RandomState(KID_SEED)
    size = min(KID_SUBSET, len(features), len(others))
    wholes = [within(one) if len(one) == size else None for one in (features, others)]
    found = []
    for _ in range(1 if len(features) == len(others) == size else KID_SUBSETS):  # all subsets would be equal
        subsets = [one[random.choice(len(one), size, replace=False)] for one in (features, others)]
        sums = [within(one) if whole is None else whole for one, whole in zip(subsets, wholes, strict=True)]
        across = kernel(*subsets).mean()
        found.append(sum(sums) / (size * (size - 1)) - 2 * across)  # unbiased (Gretton et al., 2012)
    return float(np.mean(found))


def within(features: np.ndarray) -> float:
    """The sum of the kernel over all pairs of different pictures of a set."""
    of_all = kernel(features, features)
    return float(of_all.sum() - np.trace(of_all))


def kernel(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(x.y / d + 1)^3 for each x of one set and y of another, (n, d) each: (n, n)."""
    return (features @ others.T / features.shape[1] + 1) ** 3

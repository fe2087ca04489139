"""imageio's plugin for ffmpeg leaves pipes to the garbage collector, which then warns of them."""

import gc
import warnings

import pytest


@pytest.fixture(autouse=True)
def collected_pipes():
    """Collects what a test left, without warnings. For modules that import it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


leaves_pipes = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

"""A new user's way through the README, in a clone and an environment of its own."""

import shutil

import pytest
from support.walk import walk


@pytest.mark.slow
@pytest.mark.timeout(900)  # installs TensorFlow, then runs each command
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_readme_can_be_followed_from_clone_to_the_last_command(tmp_path):
    assert walk(tmp_path / "new", full=False) >= 10

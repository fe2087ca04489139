"""Prints the lower bounds of setup.cfg as constraints for pip, for the environment of `make test-lowest`."""

import configparser
import re
from pathlib import Path

BOUND = re.compile(r"^([\w-]+) >= ([\d.]+)", re.MULTILINE)


def lower_bounds():
    """{package: lowest version} of what the package and the demo need."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).resolve().parents[2] / "setup.cfg")
    needed = config["options"]["install_requires"] + config["options.extras_require"]["demo"]
    return dict(BOUND.findall(needed))


if __name__ == "__main__":
    for package, version in lower_bounds().items():
        print(f"{package} == {version}")

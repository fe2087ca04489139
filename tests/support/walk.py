"""Walks through the README as a new user does, from `git clone` to the last command, and prints the clock.

    python tests/support/walk.py FOLDER           each training is cut to two iterations
    python tests/support/walk.py FOLDER --full    as written

FOLDER is new; the clone and its environment go there. Nothing is taken from the checkout but its commits, nothing from
the environment that runs this script.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHORT = "--epochs 1 --steps-per-epoch 2 --quiet"
#: Puts drawn pictures in the places that the README names.
PREPARE = """
from pathlib import Path
from PIL import Image
from keras_gan import DataLoader

drawings, shoes = DataLoader("drawn_shoes", (64, 64), seed=0).load_data(batch_size=30)
for name, pictures in {"path/to/photos": shoes, "apples": shoes, "bananas": drawings, "drawings": drawings[:3]}.items():
    Path(name).mkdir(parents=True)
    for i, picture in enumerate(pictures):
        Image.fromarray((127.5 * picture + 127.5).astype("uint8")).save(f"{name}/{i}.png")
"""


class Walk:
    """Runs lines of a shell in a folder that `cd` changes, and keeps the time.

    Args:
        folder: where to begin.
        full: whether trainings take as long as written.
    """

    def __init__(self, folder: Path, full: bool) -> None:
        self.folder, self.full = folder, full
        self.began = time.monotonic()
        hidden = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "KERAS", "TF_", "COVERAGE")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}

    def line(self, line: str) -> None:
        """Runs a line of the README; fails if it fails or prints on standard error."""
        line = line.partition(" #")[0].strip().replace("ADDRESS", f"file://{ROOT} keras_gan")
        if "--resume" in line:  # of a run that is finished
            line += " --epochs 11" if self.full else " --epochs 2 --quiet"
        elif re.search(r"keras_gan\.(discogan|cyclegan|pix2pix)", line) and not self.full:
            line += f" {SHORT}"
        began = time.monotonic()
        if line.endswith("keras_gan.demo"):
            self.demo(line)
        else:
            done = self.shell(f"{line}\necho; pwd")
            # git tells its progress there, translate which direction it takes
            complaints = "" if re.search(r"git|pip|translate", line) else done.stderr
            assert not done.returncode and not complaints, f"{line}\n{done.stdout}\n{done.stderr}"
            self.folder = Path(done.stdout.splitlines()[-1])
        now = time.monotonic()
        print(f"{now - began:6.1f} s, {(now - self.began) / 60:5.1f} min in all: {line}", flush=True)

    def shell(self, text: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.words(text), cwd=self.folder, env=self.environment, capture_output=True, text=True)

    def words(self, text: str) -> list[str]:
        """A command that runs text in the environment that the walk has made."""
        activate = self.folder / ".venv/bin/activate"
        return ["bash", "-ec", f". {activate}\n{text}" if activate.exists() else text]

    def demo(self, line: str) -> None:
        """Starts the page, opens it, stops it by Ctrl-C."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        words = self.words(f"exec {line}")
        with subprocess.Popen(words, cwd=self.folder, env=self.environment, **pipes) as page:
            address = re.search(r"http://\S+", page.stdout.readline())
            if address:
                with urllib.request.urlopen(address[0], timeout=60) as answer:
                    assert b"<canvas" in answer.read()
            page.send_signal(signal.SIGINT)
            _, complaints = page.communicate(timeout=60)
        assert address, complaints


def lines_of(text: str) -> list[str]:
    """All lines of the sh blocks of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def walk(folder: Path, full: bool) -> int:
    """Walks through the README. Returns the number of lines; raises AssertionError where one fails."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    walker = Walk(folder, full)
    lines = lines_of(readme)
    for line in lines:
        walker.line(line)
        if "pip install" in line:
            assert not walker.shell(f"python - <<'END'\n{PREPARE}\nEND").returncode
    for block in re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE):
        if not full:
            block = re.sub(r"(\W)epochs=\d+", r"\1epochs=1, steps_per_epoch=3, quiet=True", block)
            block = re.sub(r"sample_interval=\d+", "sample_interval=1", block)
        began = time.monotonic()
        done = walker.shell(f"python - <<'END'\n{block}\nEND")
        assert not done.returncode and not done.stderr, done.stderr
        print(f"{time.monotonic() - began:6.1f} s: the Python block", flush=True)
    return len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--full", action="store_true", help="train as long as written")
    given = parser.parse_args()
    walk(given.folder.absolute(), given.full)


if __name__ == "__main__":
    sys.exit(main())

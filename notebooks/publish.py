"""Writes the address of the repository wherever something is fetched or cited by it.

    python notebooks/publish.py https://github.com/ACCOUNT/keras_gan

Before, only `url` in setup.cfg holds an address, a placeholder. Then the notebooks' first cells install from it, a
badge opens each notebook in Colab, and CITATION.cff names it. May be run again with another address.
"""

import argparse
import json
import re
from pathlib import Path

from keras_gan.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
COLAB = "https://colab.research.google.com"
BADGE = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]"


def address(text):
    """Parses the address of a repository on GitHub."""
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write https://github.com/ACCOUNT/keras_gan")
    return text


def replace(path, pattern, text):
    """Replaces what fits the pattern, which must be found once."""
    now, count = re.subn(pattern, lambda _: text, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1, f"{path}: {pattern} is there {count} times"
    with write_whole(path) as unfinished:
        unfinished.write_text(now, encoding="utf-8")


def publish_notebook(path, url):
    """Writes the address into a notebook: what it shows stays."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    first, *cells = notebook["cells"]
    lines = [line for line in first["source"] if not line.startswith(BADGE)]
    title, _, *rest = lines if len(lines) == len(first["source"]) else [lines[0], *lines[2:]]
    link = f"{COLAB}/github/{url.removeprefix('https://github.com/')}/blob/main/notebooks/{path.name}"
    first["source"] = [title, "\n", f"{BADGE}({link})\n", "\n", *rest]
    (install,) = (cell for cell in cells if "install" in cell["metadata"].get("tags", []))
    source = "".join(install["source"])
    source = re.sub(r'^REPOSITORY = ".*?"', f'REPOSITORY = "{url}"', source, count=1, flags=re.MULTILINE)
    install["source"] = source.splitlines(keepends=True)
    with write_whole(path) as unfinished:
        unfinished.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", type=address, metavar="ADDRESS", help="where the repository is")
    publish(parser.parse_args().address)


def publish(url, root=ROOT):
    """Writes the address into the files of a clone."""
    replace(root / "setup.cfg", r"^url = .*$", f"url = {url}")
    replace(root / "CITATION.cff", r"^(?:repository-code: .*\n)?abstract:", f'repository-code: "{url}"\nabstract:')
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        publish_notebook(path, url)


if __name__ == "__main__":
    main()

"""Whether what commands wrote is whole: everything that has a final name is opened and read to its end."""

import csv
import json
import warnings

from PIL import Image, ImageSequence

from keras_gan.export import ENDINGS, RUNTIMES
from keras_gan.images.animations import ends_whole


def check_whole(folder):
    """Reads all files below a folder but the unfinished ones. Any error is one of the program that wrote them."""
    networks = [path.parent for path in folder.rglob("saved_model.pb")]
    visible = [path for path in sorted(folder.rglob("*")) if path.is_file() and not is_hidden(path.relative_to(folder))]
    for path in (*networks, *visible):
        if not is_hidden(path.relative_to(folder)) and not any(place in path.parents for place in networks):
            read(path)
    return visible


def is_hidden(path):
    return any(part.startswith(".") for part in path.parts)


def read(path):
    """Reads a file, or the folder of a SavedModel, to its end."""
    formats = {ending or "": name for name, ending in ENDINGS.items()}
    if path.is_dir() or path.suffix in (".onnx", ".tflite"):
        RUNTIMES[formats["" if path.is_dir() else path.suffix]](path)
    elif path.suffix == ".mp4":
        import imageio.v3 as imageio

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # the plugin leaves pipes open
            assert ends_whole(path) and len(imageio.imread(path, plugin="FFMPEG")) > 1
    elif path.suffix in (".png", ".gif", ".tif"):
        with Image.open(path) as image:
            for frame in ImageSequence.Iterator(image):
                frame.load()
    elif path.suffix == ".json":
        assert json.loads(path.read_text())
    elif path.suffix == ".csv":
        text = path.read_text()
        rows = list(csv.reader(text.splitlines()))
        assert text.endswith("\n") and len({len(row) for row in rows}) == 1
    else:
        assert path.suffix == ".keras", path

"""Where everything lies in a checkpoint, which later versions must find there.

python tests/support/layout.py    writes tests/recorded/checkpoints.json anew
"""

import json
import sys
import tempfile
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "checkpoints.json"


def layout(gan):
    """The paths and shapes of all arrays that a model's checkpoint holds: a dict."""
    import h5py

    gan.make_train_function()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        gan.save_weights(Path(folder) / "all.weights.h5")
        with h5py.File(Path(folder) / "all.weights.h5") as file:
            file.visititems(
                lambda name, item: found.update({name: list(item.shape)}) if isinstance(item, h5py.Dataset) else None
            )
    return found


def folders_of(found):
    """The same by folder: names and shapes."""
    folders = {}
    for path, shape in found.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = shape
    return {folder: dict(sorted(names.items())) for folder, names in sorted(folders.items())}


if __name__ == "__main__":
    sys.path.insert(0, str(RECORDED.parents[1]))
    from support.models import MODELS

    recorded = {row: folders_of(layout(make(seed=0))) for row, make in MODELS.items()}
    RECORDED.parent.mkdir(exist_ok=True)
    lines = [f'"{row}": {json.dumps(places, separators=(",", ":"))}' for row, places in recorded.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

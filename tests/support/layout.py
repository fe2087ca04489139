"""The layout of checkpoints, which later versions must still read.

python tests/support/layout.py    rewrites tests/recorded/checkpoints.json
"""

import json
import sys
import tempfile
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "checkpoints.json"


def layout(checkpoint):
    """The shapes of all arrays in a weights file of Keras, by folder and name: a dict of dicts."""
    import h5py

    folders = {}

    def note(path, item):
        if isinstance(item, h5py.Dataset):
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = list(item.shape)

    with h5py.File(checkpoint) as file:
        file.visititems(note)
    return folders


def layout_of_model(gan):
    gan.make_train_function()
    with tempfile.TemporaryDirectory() as folder:
        gan.save_weights(Path(folder) / "all.weights.h5")
        return layout(Path(folder) / "all.weights.h5")


if __name__ == "__main__":
    sys.path.insert(0, str(RECORDED.parents[1]))
    from support.models import MODELS

    recorded = {row: layout_of_model(make(seed=0)) for row, make in MODELS.items()}
    RECORDED.parent.mkdir(exist_ok=True)
    lines = [
        f'"{row}": {json.dumps(places, separators=(",", ":"), sort_keys=True)}' for row, places in recorded.items()
    ]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

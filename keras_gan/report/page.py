"""`report.html`: a self-contained page about a run, also during training.

python -m keras_gan.report RUN      rebuilds the page of a run
"""

import base64
import html
import io
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.errors import NotFoundError
from keras_gan.files import write_whole
from keras_gan.report import curves
from keras_gan.report.csv_log import read_rows
from keras_gan.report.frames import MOST, frame_paths

TEMPLATE = Path(__file__).with_name("page.html")
WIDTH = 900  # maximum width of a picture on the page, in pixels


def write_report(run: str | Path, pictures: dict[Path, str] | None = None) -> Path:
    """Writes the page of a run; returns its path.

    Args:
        run: the run's folder.
        pictures: cache of encoded pictures, updated by each call; None: no cache.

    Raises:
        NotFoundError: if the folder is not a run.
    """
    run = Path(run)
    rows = read_rows(run / "history.csv")
    facts, config = read_json(run / "report.json"), read_json(run / "config.json")
    if not (rows or facts or config):
        raise NotFoundError(f"{str(run)!r} is not a run folder: it has no history.csv, config.json or report.json.")
    data = page_data(run, rows, facts, config, {} if pictures is None else pictures)
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    texts = {"title": html.escape(data["title"]), "data": text}
    page = re.sub("{{(title|data)}}", lambda found: texts[found[1]], TEMPLATE.read_text(encoding="utf-8"))
    with write_whole(run / "report.html") as unfinished:
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")  # a name may be no UTF-8
    return run / "report.html"


def save_facts(run: Path, facts: dict[str, Any]) -> None:
    """Saves facts for the page that no other file of the run holds, as `report.json`."""
    with write_whole(run / "report.json") as unfinished:
        unfinished.write_text(json.dumps(facts), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object; {} if the file is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def page_data(run: Path, rows: list[dict], facts: dict, config: dict, pictures: dict[Path, str]) -> dict[str, Any]:
    """The contents of the page, JSON-serialisable: texts, curves, pictures."""
    dataset = config.get("dataset") or {}
    model = config.get("model") or facts.get("model") or "model"
    name = (dataset.get("name") if isinstance(dataset, dict) else dataset) or facts.get("dataset") or run.name
    held_out = read_rows(run / "held_out.csv")
    return {
        "title": f"{model} on {name}",
        "state": facts.get("state", "unknown"),
        "updated": facts.get("updated", ""),
        "share": share(facts),
        "tiles": tiles(rows, facts),
        "samples": samples(run, pictures),
        "charts": charts(rows),
        "heldOut": held_out_data(held_out),
        "about": about(config, facts),
        "networks": facts.get("networks", []),
        **commands(run, model, config),
    }


def share(facts: dict) -> float:
    """The completed fraction of the run, 0 to 1."""
    return min(1, facts.get("iteration", 0) / facts["iterations"]) if facts.get("iterations") else 0


def tiles(rows: list[dict], facts: dict) -> list[list[str]]:
    """The figures at the top of the page, as [name, value]."""
    iteration, iterations = facts.get("iteration", rows[-1]["iteration"] if rows else 0), facts.get("iterations")
    found = [["iteration", f"{iteration:,}" + (f" of {iterations:,}" if iterations else "")]]
    if "epoch" in facts:
        found.append(["epoch", f"{facts['epoch']} of {facts['epochs']}"])
    if rows:
        found.append(["training time", curves.duration(rows[-1]["seconds"])])
    per_iteration = facts.get("seconds_per_iteration")
    if per_iteration:
        if facts["state"] == "running":
            found.append(["time left", curves.duration(per_iteration * (iterations - iteration))])
        found.append(["pictures per second", f"{facts['batch_size'] / per_iteration:.3g}"])
    return found


def samples(run: Path, pictures: dict[Path, str]) -> dict[str, Any]:
    """The frames of the fixed sample, or else the sample grids, as [label, iteration or None, data URI]."""
    paths = frame_paths(run / "frames")
    labels: list[list] = [[f"iteration {int(path.stem):,}", int(path.stem)] for path in paths]
    what = "Outputs of the networks for the same inputs during training."
    if not paths:
        what = "Random test pictures, chosen anew for each sample."
        grids = [path for path in (run / "images").glob("*.png") if len(numbers(path)) == 2]
        grids.sort(key=numbers)
        paths = [grids[i] for i in np.unique(np.linspace(0, len(grids) - 1, MOST).round().astype(int))] if grids else []
        labels = [[f"epoch {numbers(path)[0] + 1}, batch {numbers(path)[1]}", None] for path in paths]
    kept = {path: pictures.get(path) or data_uri(path) for path in paths}
    pictures.clear()
    pictures.update(kept)
    return {"what": what, "frames": [[*label, kept[path]] for label, path in zip(labels, paths, strict=True)]}


def numbers(path: Path) -> list[int]:
    """The numbers in the file name of a sample grid, EPOCH_BATCH.png."""
    return [int(part) for part in path.stem.split("_") if part.isdecimal()]


def data_uri(path: Path) -> str:
    """A picture file, downscaled to `WIDTH`, as a WebP data URI."""
    from PIL import Image

    with Image.open(path) as image:
        shown = image.convert("RGB")
        shown.thumbnail((WIDTH, 2 * WIDTH))
        file = io.BytesIO()
        shown.save(file, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def charts(rows: list[dict]) -> list[dict]:
    """The charts of the history. Constant learning rates are skipped."""
    found = []
    for title, names in curves.groups(rows[0]).items() if rows else ():
        if title == "Learning rates" and all(len({row[name] for row in rows}) == 1 for name in names):
            continue
        log = title == "Generators" and curves.positive(rows, names)
        found.append({"title": title, "log": log, "series": [series(rows, name) for name in names]})
    return [chart for chart in found if chart["series"]]


def series(rows: list[dict], name: str) -> dict[str, Any]:
    """A curve: its points, raw and smoothed."""
    iterations, values = curves.curve(rows, name)
    return {
        "name": name,
        "x": iterations.round().astype(int).tolist(),
        "y": rounded(values),
        "smooth": rounded(curves.smooth(values)),
    }


def rounded(values: np.ndarray) -> list[float]:
    """Rounds to five significant digits."""
    return [float(f"{value:.5g}") for value in values]


def held_out_data(rows: list[dict]) -> dict[str, Any]:
    """The held-out figures: their curves, and a table of [name, first, best, iteration of the best, last]."""
    names = [name for name in (rows[0] if rows else ()) if name != "iteration"]
    table = []
    for name in names:
        known = [(row[name], row["iteration"]) for row in rows if math.isfinite(row[name])]
        if known:
            best, at = min(known)
            table.append([name, f"{known[0][0]:.3g}", f"{best:.3g}", f"{at:,}", f"{known[-1][0]:.3g}"])
    drawn = [series(rows, name) | {"smooth": None} for name in names]
    return {"table": table, "chart": {"title": "L1, lower is better", "log": False, "series": drawn}}


def about(config: dict, facts: dict) -> list[list]:
    """Configuration tables, as [title, [[name, value], ...]]."""
    dataset = config.get("dataset") or facts.get("dataset")
    run = {"model": config.get("model") or facts.get("model"), "data set": dataset, "seed": config.get("seed")}
    started = str(config.get("started") or "").replace("T", " ")
    run |= {"started": started or None, "commit": config.get("commit")}
    found = {"Run": run, "Arguments": config.get("arguments"), "Versions": config.get("versions")}
    return [[title, plain(values)] for title, values in found.items() if values and plain(values)]


def plain(values: dict, prefix: str = "") -> list[list[str]]:
    """Flattens a nested dict to [name, text] pairs; skips None."""
    found: list[list[str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += plain(value, f"{prefix}{name} ")
        elif value is not None:
            found.append([f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)])
    return found


def commands(run: Path, model: str, config: dict) -> dict[str, str | None]:
    """Shell commands that reproduce the run, resume it, and rebuild the page."""
    command, seed = config.get("command"), config.get("seed")
    if command and seed is not None and "--seed" not in command:
        command += f" --seed {seed}"
    folder = shlex.quote(str(run))
    return {
        "reproduce": command,
        "resume": f"python -m keras_gan.{model} --resume {folder}",
        "remake": f"python -m keras_gan.report {folder}",
    }

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
from keras_gan.report.frames import MOST, frame_paths, thumbnails
from keras_gan.report.run_files import CONFIG, FACTS, HELD_OUT, HISTORY, check_no_links, record, save_record, say

TEMPLATE = Path(__file__).with_name("page.html")
WIDTH = 900  # maximum width of a picture on the page, in pixels
LARGEST = 2**53  # a larger number is damage
#: The types of what the page shows of two files.
KINDS: dict[str, dict[str, Any]] = {
    CONFIG: {"model": str, "class": str, "command": str, "seed": int, "dataset": (dict, str), "started": str}
    | {"commit": str, "arguments": dict, "versions": dict},
    FACTS: {"model": str, "dataset": str, "state": str, "updated": str, "iteration": int, "iterations": int}
    | {"epoch": int, "epochs": int, "batch_size": int, "seconds_per_iteration": (float, int), "networks": list},
}


def write_report(run: str | Path, pictures: dict[Path, str] | None = None) -> Path:
    """Writes the page of a run; returns its path.

    Args:
        run: the run's folder.
        pictures: cache of encoded pictures, updated by each call; None: no cache.

    Damaged files of the run are left out, and reported on standard error.

    Raises:
        NotFoundError: if the folder is not a run.
        BadValueError: if a file or folder of the run is a link.
    """
    run = Path(run)
    if run.exists() and not run.is_dir():
        raise NotFoundError(f"{str(run)!r} is not a run folder but a file.")
    check_no_links(run)
    rows = read_rows(run / HISTORY)
    facts, config = (well_typed(record(run / name), name) for name in (FACTS, CONFIG))
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
    save_record(run / FACTS, facts)


def well_typed(found: dict[str, Any], file: str) -> dict[str, Any]:
    """The items that the page shows of this file. Those of other types are left out, and reported."""
    known = {name: found[name] for name in KINDS[file] if found.get(name) is not None}
    good = {name: value for name, value in known.items() if fits(value, KINDS[file][name])}
    if len(good) < len(known):
        say(f"{file} is damaged: left out are {', '.join(sorted(known.keys() - good.keys()))}")
    return good


def fits(value: Any, kind: Any) -> bool:
    """Whether a value has this type, a number is in range, and a list is one of networks."""
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    if isinstance(value, list):
        return all(is_network(item) for item in value)
    return not isinstance(value, int | float) or 0 <= value < LARGEST


def is_network(item: Any) -> bool:
    """Whether this is a `keras_gan.report.callbacks.summary`."""
    match item:
        case {"name": str(), "parameters": int(), "layers": [*layers]}:
            return all(isinstance(row, list) and [*map(type, row)] == [str, str, str, int] for row in layers)
    return False


def page_data(run: Path, rows: list[dict], facts: dict, config: dict, pictures: dict[Path, str]) -> dict[str, Any]:
    """The contents of the page, JSON-serialisable: texts, curves, pictures."""
    dataset = config.get("dataset") or {}
    model = config.get("model") or facts.get("model") or "model"
    name = (dataset.get("name") if isinstance(dataset, dict) else dataset) or facts.get("dataset") or run.name
    held_out = read_rows(run / HELD_OUT)
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
    if {"epoch", "epochs"} <= facts.keys():
        found.append(["epoch", f"{facts['epoch']} of {facts['epochs']}"])
    seconds = rows[-1].get("seconds", math.nan) if rows else math.nan
    if 0 <= seconds < LARGEST:
        found.append(["training time", curves.duration(seconds)])
    per_iteration = facts.get("seconds_per_iteration")
    if per_iteration and iterations and facts.get("state") == "running":
        found.append(["time left", curves.duration(per_iteration * max(0, iterations - iteration))])
    if per_iteration and "batch_size" in facts:
        found.append(["pictures per second", f"{facts['batch_size'] / per_iteration:.3g}"])
    return found


def samples(run: Path, pictures: dict[Path, str]) -> dict[str, Any]:
    """The frames of the fixed sample, or else the sample grids, as [label, iteration or None, data URI]."""
    paths = frame_paths(run / "frames")
    labels: list[list] = [[f"iteration {int(path.stem):,}", int(path.stem)] for path in paths]
    what = "Outputs of the networks for the same inputs during training."
    if not paths:
        what = "Random test pictures, chosen anew for each sample."
        grids = [path for path in (run / "images").glob("*.png") if len(numbers(path)) == 2 and path.is_file()]
        grids.sort(key=numbers)
        paths = [grids[i] for i in np.unique(np.linspace(0, len(grids) - 1, MOST).round().astype(int))] if grids else []
        labels = [[f"epoch {numbers(path)[0] + 1}, batch {numbers(path)[1]}", None] for path in paths]
    for path in pictures.keys() - set(paths):
        del pictures[path]
    for path, image in thumbnails((path for path in paths if path not in pictures), WIDTH):
        pictures[path] = data_uri(image)
    shown = zip(labels, paths, strict=True)
    return {"what": what, "frames": [[*label, pictures[path]] for label, path in shown if path in pictures]}


def numbers(path: Path) -> list[int]:
    """The numbers in the file name of a sample grid, EPOCH_BATCH.png."""
    return [int(part) for part in path.stem.split("_") if part.isdecimal()]


def data_uri(image: Any) -> str:
    """A `PIL.Image.Image` as a WebP data URI."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=85)
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
    """Commands that reproduce the run, resume it (or the call that does), and rebuild the page."""
    command, seed = config.get("command"), config.get("seed")
    if command and seed is not None and "--seed" not in command:
        command += f" --seed {seed}"
    folder = shlex.quote(str(run))
    resume = f"python -m keras_gan.{model} --resume {folder}"
    if (config.get("arguments") or {}).get("data"):  # given from Python
        resume = f"{config.get('class')}.resume({str(run)!r}, data=...)"
    return {
        "reproduce": command,
        "resume": resume,
        "remake": f"python -m keras_gan.report {folder}",
    }

"""Writes the results as Markdown tables and as a plot.

python benchmarks/report.py     writes tables and plot again, from benchmarks/results.json
"""

import json
import statistics
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PLOT = HERE / "speed.png"

TITLES = {
    "discogan-1": "DiscoGAN 128x128, batch 1",
    "discogan-8": "DiscoGAN 128x128, batch 8",
    "cyclegan-resnet": "CycleGAN, ResNet-9, 256x256, batch 1",
    "cyclegan-unet": "CycleGAN, U-Net, 32x32, batch 32",
    "pix2pix": "Pix2Pix 256x256, batch 1",
}
NAMES = {
    "post": "loop of the post, TensorFlow 2.15",
    "loop": "the same loop, today's Keras",
    "pytorch": "PyTorch",
    "ours": "keras_gan",
    "ours-bfloat16": "keras_gan, bfloat16",
}
# Rows of the loader's tables that results.json has under an earlier name
EARLIER = {
    "one thread of plain Pillow": "plain Pillow, one thread",
    "as many of plain Pillow": "plain Pillow, two threads",
    "from the files": "loader, decoding",
    "from the files, keeping pixels in a file": "loader, decoding and filling the cache file",
    "from such a file": "loader, from the cache file",
    "from memory": "loader, from the cache in memory",
    "of a loader, decoding": "a loader, decoding",
    "of a loader, its pictures kept": "a loader, from the cache in memory",
    "that need no making": "ready batches",
}


def seconds(result):
    return statistics.median(result["seconds"])


def times(contestants, name, other):
    """Returns how many times as fast as `other` a contestant is, as text."""
    return f"{seconds(contestants[other]) / seconds(contestants[name]):.2f}x" if other in contestants else ""


def table(key, of):
    """Returns the table of a setting, with all figures and the machine."""
    contestants = of["contestants"]
    lines = [
        f"| {TITLES[key]} | seconds | against the post's loop | against PyTorch "
        "| peak memory | GFLOP | GFLOP/s | of the GEMM rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, result in contestants.items():
        rate = result["flop"] / seconds(result)
        best = of["rates"]["bfloat16" if name.endswith("bfloat16") else "float32"]
        figures = [f"{seconds(result):.3f}", times(contestants, name, "post"), times(contestants, name, "pytorch")]
        figures += [f"{result['memory'] / 1e9:.2f} GB", f"{result['flop'] / 1e9:.1f}"]
        figures += [f"{rate / 1e9:.0f}", f"{rate / best:.0%}"]
        lines.append(f"| {NAMES[name]} | {' | '.join(figures)} |")
    return "\n".join([*lines, "", machine(of), ""])


def machine(of):
    """Returns the lines below a table: iterations, machine, versions and rates."""
    ran, rates = of["contestants"].values(), of["rates"]
    versions = dict.fromkeys(result["versions"] for result in ran)
    return (
        f"Medians of {min(len(result['seconds']) for result in ran)} iterations; {of['machine']}.\n"
        f"{'; '.join(versions)}.\nMatrix products in the same run: {rates['float32'] / 1e9:.0f} GFLOP/s in float32, "
        f"{rates['bfloat16'] / 1e9:.0f} in bfloat16; copying reads and writes {rates['copy'] / 1e9:.0f} GB/s."
    )


def summary(results):
    """Returns one table with the seconds of all settings and contestants."""
    names = [name for name in NAMES if any(name in of["contestants"] for of in results["settings"].values())]
    lines = [
        f"| seconds per iteration | {' | '.join(NAMES[name] for name in names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for key, of in results["settings"].items():
        contestants = of["contestants"]
        figures = [f"{seconds(contestants[name]):.3f}" if name in contestants else "" for name in names]
        lines.append(f"| {TITLES[key]} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def backends_table(races):
    """Returns the table of keras_gan on both backends: seconds and memory."""
    names = {
        "ours": "TensorFlow",
        "jax": "JAX",
        "ours-bfloat16": "TensorFlow, bfloat16",
        "jax-bfloat16": "JAX, bfloat16",
    }
    names = {key: name for key, name in names.items() if all(key in of["contestants"] for of in races.values())}
    lines = [
        f"| seconds (peak memory) of keras_gan on | {' | '.join(names.values())} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for key, of in races.items():
        figures = [
            f"{seconds(result):.3f} ({result['memory'] / 1e9:.2f} GB)" for result in map(of["contestants"].get, names)
        ]
        lines.append(f"| {TITLES[key]} | {' | '.join(figures)} |")
    return "\n".join([*lines, "", machine(next(iter(races.values()))), ""])


def loader_tables(data):
    """Returns two tables: pairs per second, and how long fit() waits."""
    lines = [f"| {data['pairs']} JPEG pairs, {data['batches']} | pairs per second | speed |", "|---|---|---|"]
    slowest = next(iter(data["seconds"].values()))
    for name, value in data["seconds"].items():
        lines.append(f"| {EARLIER.get(name, name)} | {data['pairs'] / value:,.0f} | {slowest / value:.2f}x |")
    lines += [
        "",
        f"| wait between two steps of {data['step']:.3f} s, batches from | median ms | share | longest ms |",
        "|---|---|---|---|",
    ]
    for name, (median, longest) in data["gaps"].items():
        name = EARLIER.get(name, name)
        lines.append(f"| {name} | {median * 1e3:.2f} | {median / data['step']:.2%} | {longest * 1e3:.2f} |")
    return "\n".join([*lines, "", f"{data['machine']}.", ""])


def plot(results, path):
    """Plots horizontal bars: one panel per setting, each with its own scale."""
    from matplotlib.figure import Figure

    settings = results["settings"]
    figure = Figure(figsize=(8, 0.7 + 1.6 * len(settings)), layout="constrained")
    figure.get_layout_engine().set(hspace=0.08)
    for panel, (key, of) in zip(figure.subplots(len(settings), 1, squeeze=False)[:, 0], settings.items(), strict=True):
        contestants = of["contestants"]
        values = [seconds(result) for result in contestants.values()]
        colours = ["#d9480f" if name.startswith("ours") else "#adb5bd" for name in contestants]
        bars = panel.barh([NAMES[name] for name in contestants], values, color=colours, height=0.75)
        panel.bar_label(bars, [f"{value:.2f}" for value in values], padding=4)
        panel.set_title(TITLES[key], loc="left", fontsize=11, fontweight="bold")
        panel.set_xlim(0, 1.1 * max(values))
        panel.invert_yaxis()
        panel.tick_params(left=False)
        panel.xaxis.set_visible(False)
        panel.spines[["top", "right", "bottom"]].set_visible(False)
    machine = of["machine"].partition(",")[0]
    figure.suptitle(f"Seconds per training iteration, shorter is better ({machine})", x=0.01, ha="left", fontsize=12)
    figure.savefig(path, dpi=80)


def between_marks(path, text, name="benchmark"):
    """Replaces the text between the two marks of a page that have this name."""
    start, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = path.read_text().partition(start)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{start}\n{text}\n{end}{after}")


def save(results):
    """Adds results to results.json, where older results of other settings stay. Then writes the plot and both pages."""
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"settings": {}}
    settings = old["settings"] | results["settings"]
    results = old | results | {"settings": {key: settings[key] for key in TITLES if key in settings}}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    if results["settings"]:
        plot(results, PLOT)
    tables = [table(key, of) for key, of in results["settings"].items()]
    if "backends" in results:
        tables.append(backends_table(results["backends"]))
    if "data" in results:
        tables.append(loader_tables(results["data"]))
    between_marks(HERE / "README.md", "\n".join(tables))
    between_marks(HERE.parent / "README.md", summary(results))


if __name__ == "__main__":
    save(json.loads(RESULTS.read_text()))

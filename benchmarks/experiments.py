"""Reproduces the experiments of the posts and papers on real data, and measures what is learned on held-out data.

    python benchmarks/experiments.py                                    lists the experiments
    python benchmarks/experiments.py edges2shoes --dataset datasets/edges2shoes
    python benchmarks/experiments.py cars --dataset CARS --seeds 0 1 2 --settings plain diffaugment

Each setting is trained with each seed for a fixed number of iterations, so that a busy machine changes no figure. A run
is an ordinary run, in OUTPUT/NAME/SETTING-SEED; one that was stopped goes on, one that is finished is only judged. Its
networks are kept at each mark. Grids of held-out pictures lie beside it. The table has a row for each trivial answer,
setting and mark: the mean over the seeds and, with several, the smallest and the largest value in brackets.

--save writes the table into the page of results. Needs `python -m pip install ".[benchmark]"`.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan.files import write_json

import numpy as np
from learning import EXPERIMENTS
from learning.experiment import Row
from learning.extractor import Extractor

DOCS = Path(__file__).resolve().parents[1] / "docs"


def table(rows, figures):
    """Returns the Markdown table of these rows.

    Args:
        rows: list of `Row`.
        figures: {name of a figure: its format, such as ".3f"}, in the order of the columns.
    """
    lines = [f"| answer | iterations | {' | '.join(figures)} |", f"|---|---|{'---|' * len(figures)}"]
    answers: dict = {}
    for row in rows:
        answers.setdefault((row.answer, row.iterations), []).append(row.figures)
    for (answer, iterations), found in answers.items():
        cells = [over_seeds([of[name] for of in found if name in of], form) for name, form in figures.items()]
        lines.append(f"| {answer} | {f'{iterations:,}' if iterations else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def over_seeds(values, form):
    """Returns the mean and, if the values differ, their range, as text."""
    if not values:
        return ""
    texts = [format(value, form) for value in (np.mean(values), min(values), max(values))]
    return texts[0] if len(values) == 1 or texts[1] == texts[2] else f"{texts[0]} ({texts[1]} to {texts[2]})"


def save(name, text, docs=DOCS):
    """Puts a table between the marks of its experiment, on the page of results that has them."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    for page in docs.glob("results*.md"):
        whole = page.read_text(encoding="utf-8")
        if begin in whole and end in whole:
            before, rest = whole.split(begin)
            page.write_text(before + begin + text + "\n" + end + rest.split(end)[1], encoding="utf-8")
            return
    raise SystemExit(f"no page docs/results*.md has marks for {name}: write {begin.strip()}, {end.strip()} into one.")


def overview():
    lines = [f"  {name:<16}{of.title}\n{'':18}settings: {', '.join(of.settings)}" for name, of in EXPERIMENTS.items()]
    return __doc__ + "\nExperiments:\n" + "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=overview(), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=EXPERIMENTS, help="without it: lists the experiments")
    parser.add_argument("--dataset", help="the pictures; default: those of that name in datasets/")
    parser.add_argument("--extractor-data", default="datasets/cifar10", help="CIFAR-10, for KID; default: %(default)s")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--settings", nargs="+", help="some of the experiment's settings; default: all")
    parser.add_argument("--marks", type=int, nargs="+", help="iterations after which to judge; default: see the page")
    parser.add_argument("--output", type=Path, default=Path("runs/experiments"))
    parser.add_argument("--save", action="store_true", help="write the table into docs/results*.md, between its marks")
    args = parser.parse_args()
    if args.name is None:
        print(overview())
        return
    experiment = EXPERIMENTS[args.name]
    settings = args.settings or list(experiment.settings)
    if unknown := [name for name in settings if name not in experiment.settings]:
        parser.error(f"{args.name} has the settings {', '.join(experiment.settings)}, not {', '.join(unknown)}.")

    folder, dataset = args.output / args.name, args.dataset or experiment.data
    extractor = Extractor(args.extractor_data, args.output / "extractor.keras")
    rows: list[Row] = []
    for seed in args.seeds:
        for setting in settings:
            found = experiment.run(setting, seed, dataset, folder, args.marks, extractor)
            rows += [row for row in found if row not in rows]
            write_json(folder / "results.json", [row._asdict() for row in rows])
    order = ["", *settings]  # trivial answers first, then setting by setting
    rows.sort(key=lambda row: (order.index(row.setting), row.iterations))
    text = table(rows, experiment.figures)
    print(f"\n{experiment.title}\n\n{text}")
    if args.save:
        save(args.name, text)


if __name__ == "__main__":
    main()

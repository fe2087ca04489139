"""What the documents say can be followed: links lead somewhere, commands are taken, and the README's run."""

import ast
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from conftest import pair

import keras_gan
from keras_gan import cli, scores
from keras_gan.errors import BadValueError

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "datasets/README.md"]
PAGES += ["benchmarks/README.md"]
MODELS = {"discogan": "DiscoGAN", "cyclegan": "CycleGAN", "pix2pix": "Pix2Pix", "dcgan": "DCGAN", "cgan": "CGAN"}
MODELS |= {"gan": "GAN"}


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def commands(page):
    """Each command of the page's sh blocks as its words."""
    found = []
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.split(" && "):
                words = shlex.split(part, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # of the environment
                    words.pop(0)
                if words:
                    found.append(words)
    return found


EVERY = [pytest.param(page, words, id=" ".join(words)[:60]) for page in PAGES for words in commands(page)]


def anchor(heading):
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert targets or page == "CHANGELOG.md"
    for target in targets:
        if target.startswith("http"):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+/\S*", target), target
            continue
        path, _, heading = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), target


@pytest.mark.parametrize(("page", "words"), EVERY)
def test_commands_are_taken(page, words):
    """By the program that is named, with the options that are named; nothing is run that takes long."""
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE)
        assert all(word in targets for word in words[1:] if "=" not in word)
    elif words[:4] == ["python", "-m", "pip", "install"]:
        check_installation(words[4:])
    elif words[:2] == ["python", "-m"]:
        check_module(words[2], words[3:])
    elif words[0] == "python":
        check_script(words[1], words[2:])
    else:
        assert words[0] in ("tensorboard", "git", "cd", "sed"), words


def check_installation(arguments):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    for argument, previous in zip(arguments, ["", *arguments], strict=False):
        if previous == "-r":
            assert (ROOT / argument).is_file(), argument
        for extra in re.findall(r"^\.\[(.*)\]$", argument):
            assert extra in settings["options.extras_require"], extra


def check_module(module, arguments):
    name = module.removeprefix("keras_gan.")
    if name in MODELS:
        file = ROOT / "keras_gan" / f"{name}.py"
        tree = ast.parse(file.read_text(encoding="utf-8"))
        model = next(node for node in tree.body if isinstance(node, ast.ClassDef))
        cli.parser_of(file, tree, model)[0].parse_args([word for word in arguments if word != "--help"])
        return
    subcommands = [word for word in arguments[:1] if re.fullmatch("[a-z]+", word)]
    done = subprocess.run(
        [sys.executable, "-m", module, *subcommands, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for argument in arguments:
        assert not argument.startswith("--") or argument in done.stdout, f"{module} has no {argument}"


def check_script(script, arguments):
    path = ROOT / script
    for argument in arguments:
        option = argument.partition("=")[0]
        assert not option.startswith("--") or f'"{option}"' in path.read_text(encoding="utf-8"), f"no {option}"
    assert path.is_file()


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_are_python(page):
    for block in blocks(page, "python"):
        if not block.startswith(" "):  # a part of a function is compared with its file in test_adding_a_model.py
            compile(block, page, "exec")


def test_the_architecture_names_every_room_of_the_house():
    page = text_of("docs/architecture.md")
    for path in (ROOT / "keras_gan").rglob("*.py"):
        assert path.stem.startswith("__") or path.name in page, path.name


def test_the_citation_is_of_this_version():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    (citation,) = blocks("README.md", "bibtex")
    assert f"version = {{{keras_gan.__version__}}}" in citation
    assert f"url = {{{settings['metadata']['url']}}}" in citation


def data_sets(folder):
    """Small ones under the names that the README uses, below `folder` and `folder/datasets`."""
    flat = pair(100, 32, 32)
    paired, unpaired = ("path/to/pairs", "datasets/facades"), ("trainA", "trainB", "testA", "testB")
    names = [f"{name}/{split}/{n}.png" for name in paired for split in ("train", "val") for n in range(3)]
    names += [f"datasets/horse2zebra/{split}/{n}.png" for split in unpaired for n in range(3)]
    names += [f"{name}/{n}.png" for name in ("apples", "bananas", "left/halves", "right/halves") for n in range(20)]
    names += [f"path/to/photos/{n}.png" for n in range(20)]
    names += [f"photos/{n}.png" for n in range(3)] + ["zebra.jpg", "holiday.jpg"]  # to translate
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        flat.save(folder / name)


def small(name, arguments):
    """The arguments, and after them what makes a run of it short: the last word counts."""
    tiny = ["--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "1", "--sample-interval", "1", "--quiet"]
    if name in ("discogan", "pix2pix", "dcgan", "cgan"):
        tiny += ["--filters", "4"]
    if name not in ("cgan", "gan") and "--shape-A" not in arguments:
        tiny += ["--image-size", "32"]
    if "--decay-epochs" in arguments:
        tiny += ["--decay-epochs", "1"]
    return [*arguments, *tiny]


@pytest.fixture
def new_user(tmp_path, monkeypatch):
    """A folder with the data that the README names; what comes from the web is drawn instead."""
    import keras

    data_sets(tmp_path)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for module, shape in (("mnist", (28, 28)), ("cifar10", (32, 32, 3))):
        split = rng.integers(0, 255, (20, *shape), "uint8"), np.arange(20, dtype="uint8") % 10
        monkeypatch.setattr(getattr(keras.datasets, module), "load_data", lambda split=split: (split, split))
    return tmp_path


def trained(module, arguments):
    """Trains the model of this module as the command says, but shortly."""
    file = ROOT / "keras_gan" / f"{module}.py"
    cli.run(getattr(import_module(f"keras_gan.{module}"), MODELS[module]), cli.parse(file, arguments))


@pytest.mark.slow
def test_what_the_readme_says_runs(new_user, capsys, monkeypatch):
    """Every command but `demo`, and every Python block, in their order, with few and small pictures."""
    # What the README takes for granted: a run of edges2shoes, and a generator in the working folder
    trained("discogan", small("discogan", ["--output", "runs/discogan-edges2shoes-1"]))
    shutil.copy("runs/discogan-edges2shoes-1/models/g_AB.keras", "g_AB.keras")
    monkeypatch.setattr(scores, "Inception", no_inception)
    done = []
    for words in commands("README.md"):
        module = words[2].removeprefix("keras_gan.") if words[:2] == ["python", "-m"] else ""
        if "--help" in words or "--devices" in words:  # devices: on JAX alone
            continue
        if module in MODELS:
            resumed = [*words[3:], "--epochs", str(2 + done.count("resumed"))]  # a finished run has no more
            trained(module, resumed if "--resume" in words else small(module, words[3:]))
        elif module in ("translate", "evaluate", "export", "report"):
            arguments = ["runs/discogan-drawn_shoes-1" if word == "RUN" else word for word in words[3:]]
            import_module(f"keras_gan.{module}").main(arguments)
        elif module == "datasets" and words[3] != "download":
            subprocess.run([sys.executable, *words[1:]], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        else:
            continue
        done.append("resumed" if "--resume" in words else module)
    assert len(done) >= 25 and {"translate", "evaluate", "export"} <= set(done)
    assert sorted(path.name for path in Path("translated").iterdir()) == ["0.png", "1.png", "2.png"]
    assert len(list(Path("horses").iterdir())) == 3  # two and their sheet
    assert Path("large/holiday.png").exists()
    assert list(Path("runs/discogan-edges2shoes-1/evaluation").rglob("figures.json"))
    assert list(Path("runs/cyclegan-drawn_shoes-1").rglob("*.onnx"))
    said = capsys.readouterr().err.splitlines()
    assert said == ["FID and KID are left out: none is here"]
    for block in blocks("README.md", "python"):
        block = re.sub(r"(\W)epochs=\d+", r"\1epochs=1, steps_per_epoch=1, quiet=True", block)
        block = re.sub(r"(g|d)f=\d+", r"\1f=4", block)
        exec(compile(block, "README.md", "exec"), {})


def no_inception():
    """Its weights come from the web."""
    raise BadValueError("none is here")

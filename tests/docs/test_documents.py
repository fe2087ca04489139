"""What the documents say can be followed: links lead somewhere, commands are taken, and those of users' pages run."""

import argparse
import configparser
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from support.commands import MODELS, run_here
from support.pictures import pair

import keras_gan
from keras_gan import cli
from keras_gan.datasets.catalogue import CATALOGUE
from keras_gan.errors import BadValueError
from keras_gan.images import metrics

ROOT = Path(__file__).parents[2]
BUILT = ("_build", "repository")  # what `make docs` leaves in docs/
SITE = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
SITE = [page for page in SITE if page.split("/")[1] not in BUILT]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "datasets/README.md", "benchmarks/README.md", *SITE]


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def settings(section):
    """A part of setup.cfg."""
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg")
    return found[section]


def address():
    """Of the repository."""
    return settings("metadata")["url"]


def commands(page):
    """Each command of the page's sh blocks as its words."""
    lines = [line for block in blocks(page, "sh") for line in joined(block)]
    return [words for line in lines for part in line.split(" && ") if (words := words_of(part))]


def commands_in_the_text(page):
    """Those between backticks, as their words."""
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    return list(map(words_of, re.findall(r"`(?!python -m`)((?:\S*python|pip|make|git|tensorboard) [^`\n]+)`", text)))


def joined(text):
    """Its lines; one that ends with a backslash goes on in the next."""
    return text.replace("\\\n", " ").splitlines()


def words_of(line):
    """The words of a command, without a comment and variables of the environment."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return words


FULL = ["README.md", "CONTRIBUTING.md", "datasets/README.md", *SITE]  # the text of others shortens commands
EVERY = [(page, words) for page in PAGES for words in commands(page)]
EVERY += [(page, words) for page in FULL for words in commands_in_the_text(page)]
EVERY = [pytest.param(words, id=f"{page}: {' '.join(words)[:60]}") for page, words in EVERY]


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


class TakenError(Exception):
    """A command line was read; its argument is what came of it."""


@pytest.fixture
def taken(monkeypatch):
    """What the parser of a program makes of arguments; the program itself is not run."""
    parse = argparse.ArgumentParser.parse_args

    def stop(parser, *given):
        raise TakenError(parse(parser, *given))

    def read(main, arguments):
        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
        monkeypatch.setattr(sys, "argv", ["program", *arguments])
        try:
            main()
        except TakenError as found:
            return found.args[0]
        except SystemExit as end:
            assert end.code == 0 and "--help" in arguments, f"these are refused: {arguments}"
            return None
        raise AssertionError(f"nothing reads {arguments}")

    return read


@pytest.mark.parametrize("words", EVERY)
def test_commands_are_taken(words, taken):
    """By the program that is named, with the options that are named; nothing is run."""
    check(words, taken)


TAKEN = ["make docs", "git clone {url}", "cd keras_gan", "cd docs", "tensorboard --logdir runs/discogan-drawn_shoes-1"]
REFUSED = {
    "a program that nobody knows": "rm -r runs",
    "a target that make has not": "make everything",
    "an option of what make runs": "make benchmark OPTIONS=--everything",
    "a value of what make runs": "make benchmark OPTIONS='--settings everything'",
    "a name of what make runs": "make notebooks NAMES=dgan --everything",
    "an extra": "python -m pip install .[everything]",
    "an option of pip": "python -m pip install --everything .",
    "a file for pip": "pip install -r requirements/everything.txt",
    "an option of Sphinx": "python -m sphinx --everything docs docs/_build/html",
    "a module": "python -m keras_gan.everything",
    "a module of others": "python -m everything",
    "the beginning of an option": "python -m keras_gan.discogan --data pairs",
    "a value": "python -m keras_gan.cgan --epochs many",
    "a word too much": "python -m keras_gan.gan mnist",
    "a word too few": "python -m keras_gan.translate RUN photos",
    "a command of a module": "python -m keras_gan.datasets everything",
    "a data set that nobody has": "python -m keras_gan.datasets download everything",
    "a file of tests": "python -m pytest tests/test_everything.py",
    "a script": "python benchmarks/everything.py",
    "an option of a script": "python benchmarks/memory.py --everything",
    "a value of a script": "python benchmarks/experiments.py everything",
    "an option of a script without any": "python benchmarks/environments.py --everything",
    "another repository": "git clone https://github.com/somebody/else",
    "another environment": "python3 -m venv everywhere",
    "another activation": ". everywhere/bin/activate",
    "another command of git": "git everything",
    "a folder": "cd everything",
    "a pattern": "sed -i 's#everything#else#' setup.cfg",
    "a file": "sed -i 's#keras-gan#else#' setup.cfg everything.cfg",
    "no folder": "tensorboard --logdir",
    "an option of TensorBoard": "tensorboard --logs runs",
}


@pytest.mark.parametrize("command", TAKEN)
def test_what_is_right_would_be_taken(command, taken):
    check(words_of(command.format(url=address())), taken)


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_wrong_would_be_found_out(fault, taken):
    with pytest.raises((AssertionError, ImportError)):
        check(words_of(REFUSED[fault]), taken)


def check(words, taken):
    """Fails if this command, as its words, would not be taken."""
    program, *arguments = words
    if program == "make":
        check_make(arguments, taken)
    elif program == "pip":
        check_pip(arguments)
    elif Path(program).name in ("python", "python3") and arguments[0] == "-m":
        check_module(arguments[1], arguments[2:], taken)
    elif Path(program).name == "python":
        check_script(*arguments, taken=taken)
    elif program == "git":
        assert arguments in (["clone", address()], ["clone", "ADDRESS"])
    elif program == ".":
        assert arguments == [".venv/bin/activate"]
    elif program == "cd":
        assert arguments == [address().split("/")[-1]] or (ROOT / " ".join(arguments)).is_dir()
    elif program == "sed":
        check_sed(*arguments)
    else:
        assert program == "tensorboard" and re.fullmatch(r"--logdir runs(/[\w-]+)?", " ".join(arguments)), words


def check_make(arguments, taken):
    """By make itself, which tells what it would run; and that by what is run."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for line in joined(done.stdout):
        words = words_of(line)
        if words and words[0] in (".venv/bin/python", ".venv-jax/bin/python"):
            check(words, taken)


def check_pip(arguments):
    assert arguments[0] == "install"
    known = {"-r", "--no-deps", "--quiet", "--editable"}
    for argument, previous in zip(arguments[1:], arguments, strict=False):
        assert not argument.startswith("-") or argument in known, argument
        assert previous != "-r" or (ROOT / argument).is_file(), argument
        for extra in re.findall(r"^\.\[(.*)\]$", argument):
            assert extra in settings("options.extras_require"), extra


def main_of(module):
    """What `python -m` runs of a module or a package."""
    found = import_module(module)
    return (import_module(f"{module}.__main__") if hasattr(found, "__path__") else found).main


def check_module(module, arguments, taken):
    if module == "pip":
        check_pip(arguments)
    elif module == "venv":
        assert arguments == [".venv"]
    elif module == "sphinx":
        *options, source, target = arguments
        assert set(options) <= {"--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"}, options
        assert (ROOT / source / "conf.py").is_file() and Path(target).parent.name in BUILT, arguments
    elif module == "pytest":
        assert all((ROOT / word).is_file() for word in arguments if word.endswith(".py")), arguments
    else:
        if module == "keras_gan":  # the overview
            assert not arguments, arguments
            return
        assert module.startswith("keras_gan."), module
        is_model = module.removeprefix("keras_gan.") in MODELS
        given = taken((lambda: cli.parse(import_module(module).__file__)) if is_model else main_of(module), arguments)
        if module == "keras_gan.datasets" and arguments[0] == "download":
            assert given.name in CATALOGUE, given.name


def check_script(script, *arguments, taken):
    path = ROOT / script
    assert path.is_file(), script
    if "ArgumentParser(" not in path.read_text(encoding="utf-8"):  # it would be run for good
        assert not arguments, f"{script} takes no arguments, such as {arguments}"
        return
    sys.path.insert(0, str(path.parent))
    try:
        taken(lambda: runpy.run_path(str(path), run_name="__main__"), arguments)
    finally:
        sys.path.remove(str(path.parent))


def check_sed(option, script, *names):
    """Each of the files has what is to be replaced."""
    command, old, _, flags = script.split(script[1])
    assert (option, command, flags) == ("-i", "s", "")
    files = [path for name in names for path in ROOT.glob(name)]
    assert all(any(ROOT.glob(name)) for name in names), names
    for path in files:
        assert re.search(old, path.read_text(encoding="utf-8")), f"no {old} in {path}"


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_are_python(page):
    for block in blocks(page, "python"):
        if not block.startswith(" "):  # a part of a function is compared with its file below
            compile(block, page, "exec")


def test_the_map_names_every_room_and_every_file():
    """Each file in the paragraph of its room."""
    rooms = re.findall(r"^- \*\*(?:`(\w+)/`)?(.*?)(?=^- \*\*|\Z)", the_map(), re.DOTALL | re.MULTILINE)
    for path in (ROOT / "keras_gan").rglob("*.py"):
        room = path.parent.name.removeprefix("keras_gan")  # "": the top
        named = "".join(text for name, text in rooms if name == room)
        assert named and (path.stem.startswith("__") or f"`{path.name}`" in named), path


def test_the_map_names_only_files_that_exist():
    names = {path.name for path in (ROOT / "keras_gan").rglob("*")}
    found = re.findall(r"`(\w+\.(?:py|html|keras))`", the_map())
    assert set(found) <= names, set(found) - names


def test_the_floors_are_those_of_the_linter():
    """Each line of the page is a line of setup.cfg, where the models are one line."""
    (lines,) = blocks("docs/how-it-works.md", "text")
    floors = settings("importlinter:contract:floors")["layers"].split("\n")[1:]
    floors = ["the models" if "discogan" in floor else re.sub(r" [|:] ", ", ", floor) for floor in floors]
    assert lines.splitlines() == floors


def the_map():
    return text_of("docs/how-it-works.md").split("## The map\n")[1].split("\n## ")[0]


def test_the_messages_that_are_explained_are_those_of_the_programs():
    said = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "keras_gan").rglob("*.py"))
    messages = re.findall(r'^\*\*"([^"]+)"', text_of("docs/troubleshooting.md"), re.MULTILINE)
    assert len(messages) >= 10
    assert [message for message in messages if message not in said] == []


def test_the_citation_is_of_this_version():
    assert f"\nversion: {keras_gan.__version__}\n" in text_of("CITATION.cff")


PAGES = "getting-started", "your-own-pictures", "data", "runs", "kept-networks", "use", "generate"
RUN = ["README.md", *(f"docs/{name}.md" for name in PAGES)]
RUN += [page for page in SITE if page.startswith("docs/models/")]


def data_sets(folder):
    """Small ones under the names that these pages use, below `folder` and `folder/datasets`."""
    flat = pair(100, 32, 32)
    paired, unpaired = ("path/to/pairs", "datasets/facades"), ("trainA", "trainB", "testA", "testB")
    names = [f"{name}/{split}/{n}.png" for name in paired for split in ("train", "val") for n in range(3)]
    names += [f"datasets/horse2zebra/{split}/{n}.png" for split in unpaired for n in range(3)]
    names += [f"{name}/{n}.png" for name in ("apples", "bananas", "left/halves", "right/halves") for n in range(20)]
    names += [f"path/to/photos/{n}.png" for n in range(20)]
    names += [f"{name}/{n}.png" for name in ("photos", "old-photos", "drawings") for n in range(3)]  # to translate
    names += ["zebra.jpg", "holiday.jpg"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        flat.save(folder / name)
    rows = (f"{n}.png,{'cat' if n % 2 else 'dog'},{n % 2},{n % 3 % 2}\n" for n in range(20))
    (folder / "labels.csv").write_text("file,class,Smiling,Male\n" + "".join(rows), encoding="utf-8")


def small(name, arguments):
    """The arguments, and after them what makes a run of it short: the last word counts."""
    tiny = ["--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "1", "--sample-interval", "1", "--quiet"]
    if name != "gan":
        tiny += ["--filters", "4"]
    if name not in ("cgan", "gan") and "--shape-A" not in arguments:
        tiny += ["--image-size", "64" if name == "discogan_pytorch" else "32"]
    if "--decay-epochs" in arguments:
        tiny += ["--decay-epochs", "1"]
    if "--save-every" in arguments:
        tiny += ["--save-every", "1", "--validation-pictures", "2"]
    return [*arguments, *tiny]


@pytest.fixture
def new_user(tmp_path, monkeypatch):
    """A folder with the data that the pages name; what comes from the web is drawn instead."""
    import keras

    data_sets(tmp_path)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for module, shape in (("mnist", (28, 28)), ("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))):
        split = rng.integers(0, 255, (20, *shape), "uint8"), np.arange(20, dtype="uint8") % 10
        monkeypatch.setattr(getattr(keras.datasets, module), "load_data", lambda split=split: (split, split))
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(600)  # dozens of short runs
@pytest.mark.usefixtures("eagerly")
def test_what_the_pages_say_runs(new_user, capsys, monkeypatch):
    """Every command but `demo`, once, and every Python block, in their order, with few and small pictures."""
    # What the pages take for granted: runs of edges2shoes and from noise, and a generator in the working folder
    for model in ("dcgan", "cgan"):
        run_here(model, *small(model, []))
    run_here("discogan", *small("discogan", ["--output", "runs/discogan-edges2shoes-1"]))
    shutil.copy("runs/discogan-edges2shoes-1/models/g_AB.keras", "g_AB.keras")
    monkeypatch.setattr(metrics, "Inception", no_inception)
    done = []
    for words in dict.fromkeys(tuple(words) for page in RUN for words in commands(page)):
        module = words[2].removeprefix("keras_gan.") if words[:2] == ("python", "-m") else ""
        arguments = [stands_for(word, len(done)) for word in words[3:]]
        if "--help" in words or "--devices" in words:  # devices: on JAX alone
            continue
        if module in MODELS:
            resumed = [*arguments, "--epochs", str(2 + done.count("resumed"))]  # a finished run has no more
            run_here(module, *(resumed if "--resume" in words else small(module, arguments)))
        elif module in ("translate", "generate", "evaluate", "export", "report"):
            main_of(f"keras_gan.{module}")(arguments)
        elif module == "datasets" and words[3] != "download":
            where = os.environ | {"PYTHONPATH": str(ROOT)}
            subprocess.run([sys.executable, *words[1:3], *arguments], check=True, env=where, timeout=100)
        else:
            continue
        done.append("resumed" if "--resume" in words else module)
    assert len(done) >= 25 and {*MODELS, "translate", "evaluate", "export", "report", "datasets"} <= set(done)
    assert sorted(path.name for path in Path("translated").iterdir()) == ["0.png", "1.png", "2.png"]
    assert len(list(Path("horses").iterdir())) == 3  # two and their sheet
    assert Path("large/holiday.png").exists()
    assert list(Path("runs/discogan-edges2shoes-1/evaluation").rglob("figures.json"))
    assert list(Path("runs/cyclegan-drawn_fruit-1").rglob("*.onnx"))
    usual = "taking AtoB", "no picture is brighter"  # a default, and the flat pictures above made gray
    said = [line for line in capsys.readouterr().err.splitlines() if not any(words in line for words in usual)]
    assert set(said) == {"FID and KID are left out: none is here"}
    for page in RUN:
        for block in blocks(page, "python"):
            block = re.sub(r"(\W)epochs=\d+", r"\1epochs=1, steps_per_epoch=1, quiet=True", block)
            block = re.sub(r"(g|d)f=\d+", r"\1f=4", block)
            block = re.sub(r"\*\*\w+\.QUICK\[.train.\]", "epochs=1, steps_per_epoch=1, quiet=True", block)
            block = re.sub(r"\*\*\w+\.QUICK\[.model.\]", "img_shape=(32, 32, 3), gf=4, df=4", block)
            exec(compile(block, page, "exec"), {})


def stands_for(word, number):
    """What a user would type in place of a word in capitals."""
    placeholders = {"RUN": "runs/discogan-drawn_shoes-1", "PHOTOS": "path/to/photos", "OUT": f"made/{number}"}
    return (placeholders | {"A": "left/halves", "B": "right/halves"}).get(word, word)


def no_inception():
    """Its weights come from the web."""
    raise BadValueError("none is here")


def test_without_tensorflow_the_same_packages_are_asked_for():
    """`requirements/jax.txt` is `setup.cfg`, with JAX in TensorFlow's place."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    asked = settings["options"]["install_requires"].split("\n")[1:]
    lines = (ROOT / "requirements" / "jax.txt").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if not line.startswith("#")]
    assert found == ["jax", *(package for package in asked if not package.startswith("tensorflow "))]


def test_how_a_gan_is_added_is_the_code_of_one_that_was():
    file = (ROOT / "tests" / "support" / "lsgan.py").read_text(encoding="utf-8")
    found = blocks("docs/add-a-model.md", "python")
    assert len(found) >= 8
    for block in found:
        assert unindented(block) in unindented(file)


def unindented(text):
    """A block of the page begins where the page has its margin."""
    return "\n".join(line.strip() for line in text.splitlines()) + "\n"

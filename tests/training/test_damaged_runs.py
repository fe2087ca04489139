"""Damaged files of a run: resume, report and translate end in their result or in one line."""

import json
import os
import random
import shutil

import keras
import pytest
from support.damage import WAYS, Subject, flip, spoil
from support.eager import EAGERLY
from support.resuming import EVERY_STEP, everything
from support.toy import Toy

from keras_gan.errors import BadValueError
from keras_gan.report.csv_log import Table, read_rows
from keras_gan.report.page import write_report
from keras_gan.training import checkpoints, data_files, run_folder
from keras_gan.training.failures import is_full

pytestmark = [pytest.mark.reports, *EAGERLY]


@pytest.fixture(scope="module")
def subject(tmp_path_factory, one_by_one):
    """A finished run of four iterations with two checkpoints."""
    output = tmp_path_factory.mktemp("subject") / "run"
    gan = Toy(dataset_name="drawn_digits", latent_dim=2, width=2, seed=3, output=output)
    del gan.data_loader.train[40:]  # each reading goes through the list
    states = {}

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            states[int(gan.iteration)] = [value.copy() for value in everything(gan)]

    usual = gan.fixed_sample
    gan.fixed_sample = lambda: usual()._replace(figures={"L1_A_to_B": 0.5})
    kept = {"save_every": 1, "validation_interval": 1, "validation_pictures": 2}
    gan.train(**EVERY_STEP | {"keep": 2, "steps_per_epoch": 2} | kept, callbacks=[Record()])
    return Subject(gan, states)


MANY = int(os.environ.get("FLIPS", 100))


@pytest.mark.parametrize("count", [2, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_flipped_bit_in_any_file_changes_no_result(count, subject, tmp_path):
    seed = random.SystemRandom().randrange(2**32)
    print("flips by seed", seed)
    chance, refused = random.Random(seed), []
    for number in range(count):
        run, file = subject.copy(tmp_path / "run"), chance.choice(subject.files)
        flip(run / file, chance)
        print(number, file)
        draws = file.parts[0] in ("frames", "history.csv")
        refused += [(str(file), error) for error in subject.check_reading(run, draws)]
    print(
        f"{count} flips, {len(refused)} of {3 * count} readings refused in one line:", *sorted(set(refused)), sep="\n"
    )
    assert all(file.startswith("models/") for file, _ in refused)  # resuming saves them again


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.slow
def test_any_file_or_folder_that_is_spoilt_changes_no_result(how, subject, tmp_path):
    """Missing, of the other kind, empty, cut or overwritten with zeros."""
    folders = sorted({folder for file in subject.files for folder in file.parents if folder.name})
    for path in (*subject.files, *folders):
        run = subject.copy(tmp_path / "run")
        spoil(run / path, how)
        print(path, *subject.check_reading(run, draws=path.parts[0] in ("frames", "history.csv")), sep="\n  ")


@pytest.mark.slow
def test_five_flips_in_each_small_file(subject, tmp_path):
    chance = random.Random(5)
    for name in ("config.json", "data.json", "history.csv", "held_out.csv", "report.json"):
        run = subject.copy(tmp_path / "run")
        for _ in range(5):
            flip(run / name, chance)
        assert not subject.check_reading(run), name


def test_backups_beside_checkpoints_are_no_checkpoints(subject, tmp_path):
    run = subject.copy(tmp_path / "run")
    for name in ("4.bak", "4 (copy)", "04", "٤", "9"):
        shutil.copytree(run / "checkpoints/4", run / "checkpoints" / name)
    (run / "checkpoints/12").touch()
    assert [path.name for path in checkpoints.names(run / "checkpoints")] == ["3", "4", "9"]
    assert checkpoints.fault_of(run / "checkpoints/9") == "it is the checkpoint of iteration 4"


VALUES = None, True, -1, 10**400, float("nan"), "\ud800", [[1]], {"": []}


@pytest.fixture
def texts(subject, tmp_path):
    """The text files of a run, without its pictures."""
    for name in ("config.json", "data.json", "history.csv", "held_out.csv", "report.json"):
        shutil.copy(subject.folder / name, tmp_path)
    return tmp_path


def read_texts(run):
    """Reads a run's text files; {} if the configuration is refused."""
    subject_page = write_report(run).read_text(encoding="utf-8")
    assert "NaN" not in subject_page.split('type="application/json">')[-1].split("</script>")[0]
    data_files.data_files(run)
    try:
        return run_folder.read_config(run)
    except ValueError as error:
        assert "cannot be read" in str(error)
        return {}


@pytest.mark.parametrize("has_sum", [True, False])
@pytest.mark.parametrize("name", ["config.json", "report.json", "data.json"])
def test_a_field_of_another_type_is_left_out(name, has_sum, texts, capsys):
    """Runs of earlier versions have no checksums."""
    original = json.loads((texts / name).read_text())
    for field in original:
        for value in (*VALUES, "absent"):
            changed = {key: value if key == field else old for key, old in original.items()}
            if value == "absent":
                del changed[field]
            if not has_sum and field != "sum":
                del changed["sum"]
            (texts / name).write_text(json.dumps(changed))
            config = read_texts(texts)
            if has_sum and name == "config.json" and changed != original and changed.get("sum") == original["sum"]:
                assert config == {}, field
    if has_sum:
        assert f"{name} is damaged" in capsys.readouterr().err or name == "config.json"


@pytest.mark.parametrize("name", ["history.csv", "held_out.csv"])
def test_a_damaged_header_or_figure_is_left_out(name, texts):
    header, *rows = (texts / name).read_text().splitlines()
    cut = [header[:length] for length in range(len(header))]
    figures = "", "x", "nan", "-inf", "1e400", "1e308", "-5", "9" * 400, "1,2", "\x0c", "0x1f", "1_0", '"', "\ufffd"
    spoilt = [
        [",".join(figure if i == at else "1" for i in range(header.count(",") + 1)) for figure in figures]
        for at in range(header.count(",") + 1)
    ]
    renamed = [header.replace(column, "other", 1) for column in header.split(",")]
    for text in [[start, *rows] for start in cut + renamed] + [[header, *of_column, *rows] for of_column in spoilt]:
        (texts / name).write_text("\n".join(text) + "\n")
        read_texts(texts)
        table = Table(texts / name)
        kept = table.open(10**9)
        assert len(kept) == len(read_rows(texts / name))
        table.append({"iteration": 99, "new": 1.0})
        assert read_rows(texts / name)[-1] == {"iteration": 99, "new": 1.0}
        for path in texts.glob(f"damaged-{name}*"):
            path.unlink()


def test_a_text_file_that_is_no_text(texts):
    for name in ("config.json", "report.json", "data.json", "history.csv", "held_out.csv"):
        kept = (texts / name).read_bytes()
        for content in (
            b"",
            b"\xff\xfe",
            b"[" * 100_000,
            b"[]",
            b"1",
            b"\0" * 99,
            b'{"a": ' * 5000 + b"1" + b"}" * 5000,
        ):
            (texts / name).write_bytes(content)
            read_texts(texts)
        (texts / name).write_bytes(kept)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_disk_that_is_full_at_any_write_leaves_nothing_half_written(subject, small_disk, monkeypatch):
    """The free space grows page by page, until a resumed run has enough."""
    monkeypatch.setattr("keras_gan.report.frames.importlib.util.find_spec", lambda name: None)  # a GIF, no video
    disk, failures = small_disk(4), []
    subject.copy(disk / "run")
    for pages in range(400):
        (disk / "filler").unlink(missing_ok=True)
        run = subject.copy(disk / "run")
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 4096 * pages))
        error = None
        try:
            subject.resume(run, draws=True)
        except (OSError, RuntimeError, BadValueError) as caught:  # HDF5 raises RuntimeErrors, too
            error = caught
            assert is_full(error) or "No space left" in str(error), error
            failures.append(" ".join(str(error).split())[:120])
        (disk / "filler").unlink()
        subject.check_files(run)
        if error is None:
            break
    print(f"full after 0 to {pages - 1} pages:", *dict.fromkeys(failures), sep="\n")
    assert error is None and pages > 20

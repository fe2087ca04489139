"""A run's folder from a stranger: links in it are never followed for writing or deleting."""

import json
import os
import shutil

import pytest
from support.toy import Toy

from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.evaluate import evaluate
from keras_gan.report.page import write_report
from keras_gan.report.run_files import FILES, FOLDERS
from keras_gan.training.run_folder import locked, open_run

CONFIG = {"model": "toy", "class": "Toy", "arguments": {"epochs": 2, "output": None}, "seed": 1}
VICTIMS = "8/state.json", "0000001.png", "g_AB.keras", "events.out.tfevents.1", "mine.txt"


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


@pytest.fixture
def victim(tmp_path):
    """A folder of the user's, and a function that tells whether it has changed."""
    folder = tmp_path / "victim"
    for name in VICTIMS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")

    def is_untouched():
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        return found == set(VICTIMS) and all((folder / name).read_text() == "mine" for name in VICTIMS)

    yield folder, is_untouched


def refused(link):
    return pytest.raises(BadValueError, match=f"'[^']*{link.name}' is a link, and links within a run are not followed")


@pytest.mark.parametrize("name", [*FILES, *FOLDERS, "images/0_0.png", "checkpoints/8", "models/g_AB.keras"])
def test_a_link_within_a_run_is_refused(name, run, victim):
    folder, is_untouched = victim
    link = run / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder if name in FOLDERS or name == "checkpoints/8" else folder / "mine.txt")
    with refused(link):
        Toy.resume(run)
    with refused(link):
        write_report(run)
    with refused(link):
        evaluate(run)
    if "models" not in name and "checkpoints" not in name and name != "config.json":  # there it is a trained run
        (run / "config.json").unlink()
        with refused(link):
            open_run(run)
    assert is_untouched()


def test_links_left_as_temporary_files_are_not_followed(run, victim):
    folder, is_untouched = victim
    for name in (".unfinished.config.json", ".unfinished.0-1-2.report.html", ".writable"):
        (run / name).symlink_to(folder / "mine.txt")
    with locked(run):
        write_report(run)
    assert is_untouched()


def test_the_lock_is_opened_without_following_or_truncating(run, victim):
    folder, is_untouched = victim
    (run / ".lock").symlink_to(folder / "mine.txt")
    with pytest.raises(BadValueError, match="cannot be written"), locked(run):
        pass
    assert is_untouched()
    (run / ".lock").unlink()
    os.link(folder / "mine.txt", run / ".lock")
    with locked(run):
        pass
    assert is_untouched()


def test_a_run_given_as_a_link_is_used(run, tmp_path):
    shutil.copytree(run, tmp_path / "disk/1")
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    (tmp_path / "link").symlink_to(tmp_path / "disk/1")
    for folder in (tmp_path / "runs/1", tmp_path / "link"):
        assert write_report(folder).exists()
        with locked(folder):
            pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
@pytest.mark.parametrize("name", ["config.json", "history.csv", "report.json", "checkpoints/8/state.json"])
def test_a_fifo_is_not_waited_for(name, run):
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    for read in (write_report, Toy.resume):
        with pytest.raises(BadValueError, match=r"is no regular file: remove it"):
            read(run)


def test_a_file_in_place_of_a_run_is_refused(run):
    with pytest.raises(NotFoundError, match="is not a run folder but a file"):
        write_report(run / "config.json")
    with pytest.raises(NotFoundError, match="there is no such folder"):
        Toy.resume(run / "config.json")
    with pytest.raises(BadValueError, match="cannot be written"):
        open_run(run / "config.json")

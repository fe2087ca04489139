"""Files are seen whole or not at all, whoever else writes them and whoever is killed meanwhile."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from support.waiting import PATIENCE, kill, line_from, wait_until

from keras_gan import files
from keras_gan.files import unfinished_folder, write_whole
from keras_gan.report import page
from keras_gan.report.page import write_report

ROOT = Path(__file__).parents[2]


def unfinished_in(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".unfinished.")]


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "page.html"
    with write_whole(path) as unfinished:
        unfinished.write_text("new")
        assert not path.exists() and unfinished.parent == path.parent
        assert unfinished.suffix == ".html"  # by which writers of pictures and networks choose their format
    assert path.read_text() == "new" and list(path.parent.iterdir()) == [path]


def test_a_body_that_fails_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_whole(path) as unfinished:
        unfinished.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_the_system_is_set(tmp_path):
    (tmp_path / "plain").touch()
    with write_whole(tmp_path / "whole") as unfinished:
        unfinished.write_text("new")
    assert stat.S_IMODE((tmp_path / "whole").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_the_longest_name_that_the_system_takes(tmp_path):
    path = tmp_path / ("漢" * 80 + "x" * 11 + ".png")  # 255 bytes
    with write_whole(path) as unfinished:
        unfinished.write_text("new")
        assert unfinished.suffix == ".png"
    assert path.read_text() == "new"


def test_writers_of_one_file_have_unfinished_ones_of_their_own(tmp_path):
    """The last to be done is who wrote the file, and all of it."""
    with write_whole(tmp_path / "page") as one, write_whole(tmp_path / "page") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert (tmp_path / "page").read_text() == "one" and not unfinished_in(tmp_path)


def test_what_is_in_the_way_is_neither_written_to_nor_removed(tmp_path, monkeypatch):
    """Neither a file nor, under the very name that is chosen, a link to one."""
    chosen = iter([bytes(4), bytes(4), b"\1\1\1\1"])
    monkeypatch.setattr(os, "urandom", lambda size: next(chosen)[:size])
    (tmp_path / "mine").write_text("mine")
    with write_whole(tmp_path / "page") as first:
        name = first
    name.symlink_to(tmp_path / "mine")
    with write_whole(tmp_path / "page") as second:
        second.write_text("new")
    assert name.is_symlink() and (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "page").read_text() == "new" and not (tmp_path / "page").is_symlink()


# What killed programs leave:


KILLED = """
import sys, time
from keras_gan.files import write_whole
with write_whole(sys.argv[1]) as unfinished:
    unfinished.write_text("half")
    print(unfinished, flush=True)
    time.sleep(100)
"""


@pytest.fixture
def writer(tmp_path):
    """Another process that is amid writing `page`, and its unfinished file."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "page")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield process, Path(line_from(process))
    finally:
        kill(process)


def test_what_a_killed_program_left_is_removed_and_what_is_under_way_is_not(writer, tmp_path):
    process, unfinished = writer
    (tmp_path / ".unfinished.page").write_text("somebody else's")

    def written():
        with write_whole(tmp_path / "page") as mine:
            mine.write_text("new")
        return sorted(path.name for path in tmp_path.iterdir())

    assert written() == sorted([".unfinished.page", "page", unfinished.name])
    kill(process)
    wait_until(lambda: written() == [".unfinished.page", "page"], "what was left is removed")


def test_folders_that_killed_programs_left_are_removed(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(PATIENCE)
    with unfinished_folder(tmp_path / "net") as mine:
        (mine / "part").write_text("half")
        left = tmp_path / f".unfinished.{files.machine_id()}-{gone.pid}-01234567.net"
        (left / "inside").mkdir(parents=True)
        (left / "inside" / "part").write_text("half")
        (tmp_path / left.name.replace("01234567", "89abcdef")).symlink_to(ROOT)

        def are_left():
            files._next_scan.clear()
            files.remove_abandoned(tmp_path)
            return [path.name for path in tmp_path.iterdir()]

        assert are_left() == [mine.name]
    assert not mine.exists() and (ROOT / "README.md").exists()


@pytest.mark.parametrize(("age", "is_gone"), [(0, False), (2 * files.ABANDONED_AFTER, True)])
def test_what_nobody_can_ask_for_is_removed_when_it_is_old(tmp_path, age, is_gone):
    """One of another machine that shares the folder, and one whose number another process has by now."""
    with write_whole(tmp_path / "page") as unfinished:
        name = unfinished.name
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(PATIENCE)
    machine, process, rest = name.removeprefix(".unfinished.").split("-")
    assert process == str(os.getpid()) and machine != "0badc0de"
    left = [tmp_path / name, tmp_path / f".unfinished.0badc0de-{gone.pid}-{rest}"]
    for path in left:
        path.write_text("half")
        os.utime(path, (time.time() - age,) * 2)

    def are_as_expected():
        with write_whole(tmp_path / "page") as unfinished:
            unfinished.write_text("new")
        return [path.exists() for path in left] == [not is_gone] * 2

    time.sleep(0.05)  # a folder is looked through now and then only
    wait_until(are_as_expected, "what is old is removed, and nothing else")


# The report:


@pytest.fixture
def run(tmp_path):
    """The folder of a run that never was."""
    (tmp_path / "run" / "images").mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (64, 64), (80 * number, 0, 0)).save(tmp_path / "run" / "images" / f"0_{number}.png")
    (tmp_path / "run" / "history.csv").write_text("iteration,seconds,g_loss\n1,0.5,2.0\n2,1.0,1.5\n")
    page.save_facts(tmp_path / "run", {"model": "gan", "state": "running", "iteration": 2, "iterations": 9})
    return tmp_path / "run"


def is_whole(page):
    """Whether a page is one from its first to its last word, with data that can be read."""
    data = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    return page.startswith("<!") and page.rstrip().endswith("</html>") and json.loads(data[1])["state"] == "running"


REWRITES = """
import os, sys, time
from keras_gan.report.page import write_report
replace = os.replace
os.replace = lambda *names: (time.sleep(0.01), replace(*names))  # time enough for the other one to come in between
sys.stdin.readline()
for _ in range(20):
    print(write_report(sys.argv[1]), flush=True)
"""


def test_two_processes_write_the_report_of_one_run(run):
    """Twenty times each; whoever reads meanwhile sees a whole page."""
    write_report(run)
    command = [sys.executable, "-W", "error", "-c", REWRITES, str(run)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    writers = [subprocess.Popen(command, text=True, cwd=ROOT, **pipes) for _ in range(2)]
    try:
        for process in writers:
            process.stdin.write("go\n")
            process.stdin.flush()

        def are_done():
            assert is_whole((run / "report.html").read_text(encoding="utf-8"))
            return all(process.poll() is not None for process in writers)

        wait_until(are_done, "both processes have written the report")
        said = [process.communicate(timeout=PATIENCE) for process in writers]
    finally:
        for process in writers:
            kill(process)
    assert [(out.count("report.html"), err) for out, err in said] == [(20, "")] * 2
    assert not unfinished_in(run)


def test_two_threads_write_the_report_of_one_run(run, monkeypatch):
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (time.sleep(0.01), replace(*names)))
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: write_report(run), range(40)))
    assert set(paths) == {run / "report.html"} and is_whole(paths[0].read_text(encoding="utf-8"))
    assert not unfinished_in(run)

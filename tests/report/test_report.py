"""report.html: its contents, and its display in a browser."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from keras_gan.errors import NotFoundError
from keras_gan.report import page
from keras_gan.report.__main__ import main
from keras_gan.report.csv_log import Table
from keras_gan.report.page import page_data, write_report

pytestmark = pytest.mark.reports

NASTY = "</script><script>boom()</script> {{data}} & \"quoted\" 'single' <b>bold</b>"


def make_run(folder, frames=5, rows=40, name=NASTY):
    """A fake run folder with a falling loss and brightening frames."""
    (folder / "frames").mkdir(parents=True)
    for frame in range(frames):
        Image.new("RGB", (96, 64), (40 * frame % 256, 90, 120)).save(folder / "frames" / f"{1 + 80 * frame:07}.png")
    history, held_out = Table(folder / "history.csv"), Table(folder / "held_out.csv")
    for number in range(1, rows + 1):
        row = {"iteration": 10 * number, "epoch": 1, "seconds": 1.5 * number, "g_learning_rate": 0.0002}
        row |= {"d_A_loss": 0.5, "d_A_acc": 0.6, "d_loss": 0.5, "d_acc": 0.6}
        history.append(row | {"g_loss": 5 / number, "valid_A_loss": float("nan") if number == 7 else 1 / number})
        held_out.append({"iteration": 10 * number, "L1_A_to_B": 1 / number})
    arguments = {"img_shape": [64, 64, 3], "output": NASTY}
    config = {"model": "discogan", "command": "python -m keras_gan.discogan --filters 8", "arguments": arguments}
    config |= {"seed": 5, "dataset": {"name": name, "pictures": {"train": 800}}, "versions": {"keras": "3.15"}}
    config |= {"commit": "0123abc", "started": "2026-01-02T03:04:05"}
    (folder / "config.json").write_text(json.dumps(config))
    networks = [{"name": "g_AB", "parameters": 1234, "layers": [["conv", "Conv2D", "32x32x8", 1234]]}]
    facts = {"model": "discogan", "dataset": name, "state": "running", "iteration": 10 * rows, "iterations": 800}
    facts |= {"epoch": 1, "epochs": 2, "batch_size": 4, "seconds_per_iteration": 0.15, "networks": networks}
    page.save_facts(folder, facts | {"updated": "2026-01-02 03:05:05"})
    return folder


@pytest.fixture
def opened(browser):
    """Opens a page from its file; console messages and network requests fail the test."""
    complaints = []
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))

    def open_page(path, **media):
        page.emulate_media(**media)
        page.goto(path.resolve().as_uri())
        return page

    yield open_page
    page.close()
    assert not complaints


def loaded_picture(page):
    """The URL of the displayed picture, after it has loaded."""
    page.wait_for_function("document.getElementById('sample').complete")
    assert page.evaluate("document.getElementById('sample').naturalWidth") > 0
    return page.locator("#sample").get_attribute("src")


def test_the_slider_moves_through_pictures_that_all_load(tmp_path, opened):
    page = opened(write_report(make_run(tmp_path / "run")))
    slider, shown = page.locator("#slider"), []
    assert slider.input_value() == "4"  # the newest
    shown.append(loaded_picture(page))
    for _ in range(4):
        slider.press("ArrowLeft")
        shown.append(loaded_picture(page))
    assert len(set(shown)) == 5
    assert page.locator("#when").inner_text() == "iteration 1"
    page.locator("#play").click()
    page.wait_for_function("document.getElementById('slider').value === '4'")
    assert loaded_picture(page) == shown[0]


def test_the_page_shows_configuration_and_progress(tmp_path, opened):
    page = opened(write_report(make_run(tmp_path / "run")))
    text = " ".join(page.locator("main").inner_text().split())
    assert page.locator("h1").inner_text() == f"discogan on {NASTY}" == page.title()
    for part in (
        "in progress iteration 400 of 800 epoch 1 of 2",
        "training time 1:00 min time left 1:00 min pictures per second 26.7",
        "Updated 2026-01-02 03:05:05",
        "seed 5 started 2026-01-02 03:04:05 commit 0123abc",
        "g_AB 1,234 parameters",
        "python -m keras_gan.discogan --filters 8 --seed 5",
        f"python -m keras_gan.discogan --resume {tmp_path}/run",
        f"python -m keras_gan.report {tmp_path}/run",
    ):
        assert part in text
    held_out = page.locator("#held table tr").nth(1).inner_text().split()
    assert held_out == ["L1_A_to_B", "1", "0.025", "400", "0.025"]


def test_curves_are_drawn_and_a_series_can_be_hidden(tmp_path, opened):
    page = opened(write_report(make_run(tmp_path / "run")))
    first = page.locator("#losses .charts > div").first
    assert page.locator("#losses h3").all_inner_texts() == ["Generators", "Discriminators", "Discriminator accuracy"]
    assert first.locator("path").count() == 4  # two series, pale and strong
    first.locator("button").first.click()
    assert first.locator("path").count() == 2
    assert "NaN" not in page.content()
    first.locator("svg").hover(position={"x": 60, "y": 50})
    assert first.locator("button span").last.inner_text() != ""


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_never_scrolls_sideways(tmp_path, opened, width):
    page = opened(write_report(make_run(tmp_path / "run", name="long" * 40)))
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_mode(tmp_path, opened):
    path = write_report(make_run(tmp_path / "run"))
    brightness = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert opened(path, color_scheme="light").evaluate(brightness) > 200
    assert opened(path, color_scheme="dark").evaluate(brightness) < 50


@pytest.mark.parametrize("kept", ["history.csv", "config.json", "report.json", "frames"])
def test_a_page_of_an_incomplete_run(tmp_path, opened, kept):
    run = make_run(tmp_path / "run", frames=1, rows=1)
    for path in run.iterdir():
        if path.name not in (kept, "config.json" if kept == "frames" else ""):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = opened(write_report(run))
    assert page.locator("h1").is_visible()


def test_a_page_of_a_damaged_folder(tmp_path, opened):
    run = make_run(tmp_path / "run")
    (run / "config.json").write_text("{half")
    (run / "report.json").write_text("[]")
    with open(run / "history.csv", "ab") as file:
        file.write(b"410,\xff")
    assert opened(write_report(run)).locator("h1").inner_text() == "model on run"


def test_without_frames_a_limited_number_of_grids_is_shown_in_order(tmp_path):
    run = make_run(tmp_path / "run", frames=0)
    (run / "images").mkdir()
    for epoch in range(12):
        for batch in range(0, 1000, 100):
            Image.new("RGB", (8, 8)).save(run / "images" / f"{epoch}_{batch}.png")
    labels = [label for label, *_ in page_data(run, [], {}, {}, {})["samples"]["frames"]]
    assert len(labels) == 60
    assert labels[0] == "epoch 1, batch 0" and labels[-1] == "epoch 12, batch 900"


def test_pictures_are_encoded_once(tmp_path, monkeypatch):
    run, pictures = make_run(tmp_path / "run", frames=2), {}
    write_report(run, pictures)
    monkeypatch.setattr(page, "data_uri", lambda path: pytest.fail(f"{path} again"))
    first, second = pictures
    write_report(run, pictures)
    first.unlink()
    write_report(run, pictures)
    assert list(pictures) == [second]


def test_the_page_is_self_contained(tmp_path):
    text = write_report(make_run(tmp_path / "run", name="plain")).read_text()
    assert set(re.findall(r"https?://[^\"' )]+", text)) == {"http://www.w3.org/2000/svg"}  # a name space, never fetched


def test_a_folder_without_a_run_is_reported(tmp_path, capsys):
    with pytest.raises(NotFoundError, match=r"is not a run folder: it has no history\.csv"):
        write_report(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_command_rebuilds_the_page_without_a_framework(tmp_path):
    run = make_run(tmp_path / "run")
    script = (
        "import sys; from keras_gan.report.__main__ import main; main(sys.argv[1:])\n"
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, run], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(run / "report.html") and (run / "report.html").exists()

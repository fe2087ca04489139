"""The demo page: responses, refused requests, and use in a browser."""

import contextlib
import functools
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import urllib.parse
import zlib

import keras
import numpy as np
import pytest
from PIL import Image
from support.serving import ask, joined, served
from support.waiting import line_from, wait_until

from keras_gan.errors import BadValueError

pytest.importorskip("uvicorn", reason="needs the extra demo")
pytest.importorskip("starlette", reason="needs the extra demo")

from keras_gan.datasets.preparation import Preparation, gray
from keras_gan.demo import __main__ as demo
from keras_gan.demo import server, uploads
from keras_gan.images.pixels import scale

pytestmark = pytest.mark.usefixtures("opening_once")


@pytest.fixture(scope="module")
def serve():
    """Serves generators (see `app_of`) until the last test; returns the address."""
    with contextlib.ExitStack() as servers:
        yield lambda found, **options: servers.enter_context(served(found, **options))


@pytest.fixture(scope="module")
def shoes(serve):
    """The address of a page with the bundled generator."""
    return serve(demo.opened(), about={"bundled": True})


@pytest.fixture(scope="module")
def page_of(serve, saved):
    """The address of a page with a tiny model's run, by the model's name."""

    @functools.cache
    def get(name):
        return serve(demo.opened(saved(name)[1]))

    return get


@pytest.fixture(scope="module")
def grays(serve, saved):
    """The address of a page with a generator that was trained on photos made gray, and the generator."""
    found = demo.opened(saved("pix2pix")[1])
    found[None].preparation = Preparation("gray")
    return serve(found), found[None]


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width, height):
    """A PNG file of a few bytes with these dimensions in its header."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def shoe_drawing(seed, colour=None):
    """A drawn shoe of the demo's size, optionally with a stroke of this colour across it."""
    from PIL import ImageDraw

    from keras_gan.images.drawn_shoes import draw_pair

    image = Image.fromarray(draw_pair(77, seed, 128)[:, :128])
    if colour:
        ImageDraw.Draw(image).line([(50, 72), (80, 72), (60, 78)], colour, 5)
    return image


HOSTILE = {
    "bomb": (bomb(60_000, 60_000), "too large"),
    "bomb below Pillow's own limit": (bomb(9_000, 9_000), "too large"),
    "100 megapixels": (png(Image.new("1", (10_000, 10_000))), "too large: at most 32 megapixels"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', "not a picture"),
    "text": (b"This is photo.png, honestly.", "not a picture"),
    "path": (b"../../../../etc/passwd", "not a picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/tmp/x) (w) file\n", "not a picture"),
    "nothing": (b"", "not a picture"),
    "half": (png(shoe_drawing(0))[:900], "damaged"),
    "a line": (png(Image.new("RGB", (500, 1))), "only 500 x 1 pixels"),
    "too long": (bytes(uploads.BYTES + 1), "too large: at most 12 MB"),
}


def check_refused(address, body, message, path="translate/only"):
    status, text, headers = ask(address, path, body)
    assert status in (413, 422) and message in text.decode()
    assert len(text) < 100 and b"\n" not in text and headers.get_content_type() == "text/plain"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_upload_gets_a_short_message(shoes, name):
    check_refused(shoes, *HOSTILE[name])
    assert ask(shoes, "translate/only", png(shoe_drawing(0)))[0] == 200


def test_a_large_chunked_body_is_refused(shoes):
    status, text, _ = ask(shoes, "translate/only", (bytes(2**16) for _ in range(uploads.BYTES // 2**16 + 1)))
    assert (status, text) == (413, b"This file is too large: at most 12 MB.")


@pytest.mark.parametrize("path", ["translate/AtoB", "translate/..%2f..%2fetc%2fpasswd", "make", "../shoes.keras"])
def test_unknown_paths_are_not_found(shoes, path):
    status, text, _ = ask(shoes, path, png(shoe_drawing(0)))
    assert status == 404 and len(text) < 100


def test_foreign_host_names_are_refused(shoes):
    assert ask(shoes, method="GET", Host="evil.example")[0] == 400  # a page elsewhere whose name leads here
    assert [ask(shoes, method="GET", Host=name)[0] for name in ("localhost:1", "127.0.0.1", "[::1]:1")] == [200] * 3


def test_pictures_of_every_kind_and_mode_are_read(shoes):
    for mode, kind in (("RGBA", "PNG"), ("L", "JPEG"), ("P", "GIF"), ("RGB", "WEBP"), ("1", "BMP"), ("I;16", "PNG")):
        file = io.BytesIO()
        (Image.new(mode, (300, 200)) if mode == "I;16" else shoe_drawing(1).convert(mode)).save(file, kind)
        status, body, headers = ask(shoes, "translate/only", file.getvalue())
        assert status == 200 and headers.get_content_type() == "image/png"
        assert Image.open(io.BytesIO(body)).size == (128, 128)


class Slow:
    """A generator that blocks until `go_on` is set."""

    kind, name, shape, out_shape, value_range, fit = "translation", "slow", (8, 8, 3), (8, 8, 3), (-1, 1), "resize"
    latent_dim, classes, preparation = None, 0, None

    def __init__(self):
        self.go_on = threading.Event()

    def __call__(self, images):
        assert self.go_on.wait(60)
        return images


def test_a_full_queue_refuses_new_requests_and_answers_the_others(serve):
    slow, answers, drawing = Slow(), [], png(Image.new("RGB", (8, 8)))
    reader = server.Reader()
    reader.decode.in_turn = 60
    address = serve({None: slow}, queue=server.Queue(most=3, seconds=60), reader=reader)
    answer = lambda: answers.append(ask(address, "translate/only", drawing))  # noqa: E731
    threads = [threading.Thread(target=answer, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answers) >= 3, "that those for whom there is no room are told so")
        refused = list(answers)
    finally:
        slow.go_on.set()
    joined(threads, "those who waited got no answer")
    for status, text, headers in refused:
        assert (status, text) == (503, b"The server is busy. Try again in a moment.")
        assert headers["Retry-After"] == "1"
    assert [status for status, *_ in answers[3:]] == [200] * 3


def test_a_timed_out_request_frees_its_place_in_the_queue(serve):
    slow, drawing = Slow(), png(Image.new("RGB", (8, 8)))
    queue = server.Queue(most=2, seconds=0.3)
    address = serve({None: slow}, queue=queue)
    for _ in range(2):  # the one on the network, and one that never gets there
        status, text, _ = ask(address, "translate/only", drawing)
        assert (status, text) == (503, b"That took too long. Try again in a moment.")
    slow.go_on.set()
    queue.worker.submit(int).result(60)
    queue.seconds = 60
    assert ask(address, "translate/only", drawing)[0] == 200


@pytest.mark.parametrize("name", ["dcgan", "cgan"])
def test_codes_are_checked(page_of, name):
    address, code = page_of(name), [0.5] * 100
    labels = {"labels": [3, 4]} if name == "cgan" else {}
    status, body, _ = ask(address, "make", json.dumps({"codes": [code, code], **labels}))
    side = 28 if name == "cgan" else 32
    assert status == 200 and Image.open(io.BytesIO(body)).size == (2 * side, side)
    for bad in (
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"codes": 1e999}',
        json.dumps({"codes": [code] * 25, "labels": [0] * 25}).encode(),
        json.dumps({"codes": [code[1:]], "labels": [0]}).encode(),
        json.dumps({"codes": [[float("nan")] * 100], "labels": [0]}).encode(),
        json.dumps({"codes": [["x"] * 100], "labels": [0]}).encode(),
        *([json.dumps({"codes": [code], "labels": [wrong]}).encode() for wrong in (10, -1)] if labels else []),
    ):
        status, text, _ = ask(address, "make", bad)
        assert status in (413, 422) and len(text) < 100, bad[:40]


AUDITED = """
import os, sys
found = []
def note(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and arguments[0] != os.devnull:
        if isinstance(arguments[0], int):
            return  # the pipe to the process that decodes
        found.append(f"wrote {arguments[0]!r}")
    elif event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "webbrowser.open"):
        found.append(f"{event} {arguments!r}")
from keras_gan.demo import __main__
serve = __main__.serve
__main__.serve = lambda *arguments: (sys.addaudithook(note), serve(*arguments))
__main__.main(sys.argv[1:])
print(found)
"""


@contextlib.contextmanager
def killed(process):
    """Kills the process at the end of the block."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.slow
def test_no_file_is_written_and_no_connection_made(tmp_path):
    for name in ("home", "tmp", "here"):
        (tmp_path / name).mkdir()
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", AUDITED, "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | places, cwd=tmp_path / "here", **pipes) as process, killed(process):
        address = line_from(process).split()[0]
        assert address.startswith("http://127.0.0.1:")
        before = sorted(tmp_path.rglob("*"))  # what libraries keep of themselves as they are loaded
        for body, message in HOSTILE.values():
            check_refused(address, body, message)
        for path in ("", "../../etc/passwd"):
            ask(address, path, method="GET")
        assert ask(address, "translate/only", png(shoe_drawing(0)), Content_Disposition='filename="../../x"')[0] == 200
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "[]\n", "\nStopped.\n")
    assert sorted(tmp_path.rglob("*")) == before


# The bundled generator


def test_the_bundled_generator_is_small_and_follows_the_colour_of_a_stroke():
    assert demo.BUNDLED.stat().st_size <= 6 * 2**20
    generator = demo.opened()[None]
    blank = generator(np.ones((1, *generator.shape), "float32"))
    assert blank.mean() > 0.95  # an empty sheet stays white

    def made(colour):
        data = [png(shoe_drawing(seed, colour)) for seed in range(6)]
        read = [uploads.decoded(one, generator.shape, generator.fit) for one in data]
        return generator(scale(np.stack(read), generator.value_range))

    reds, blues = made("#c8202a"), made("#2f7fd8")
    middle = np.s_[:, 60:84, 40:90]
    redness = [images[middle][..., 0].mean() - images[middle][..., 2].mean() for images in (reds, blues)]
    assert redness[0] > 0.2 and redness[1] < -0.2


def test_the_bundled_generator_is_better_than_no_shoe(shoes):
    from keras_gan.images.drawn_shoes import draw_pair

    generator = demo.opened()[None]
    pairs = [draw_pair(77, index, 128) for index in range(20)]
    drawings, truth = (np.stack([pair[:, half] for pair in pairs]) / 127.5 - 1 for half in (np.s_[:128], np.s_[128:]))
    made = generator(drawings.astype("float32"))
    assert np.abs(made - truth).mean() < 0.6 * np.abs(1 - truth).mean()


# In a browser


@pytest.fixture
def opened(browser):
    """Opens a page; console messages and requests to other servers fail the test."""
    complaints, pages = [], []

    def open_page(address, width=1280):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("console", lambda message: "status of 422" in message.text or complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        ours = (address, address.replace("http", "blob:http"), "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(ours) or complaints.append(request.url))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not complaints


def wait(page, expression):
    """Waits until this is true (the page's CSP forbids playwright's own `wait_for_function`)."""
    for _ in range(1500):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def shown(page, canvas="result", after=0):
    """Waits until a canvas has shown more than `after` pictures; returns (count, current one as a data URL)."""
    wait(page, f"Number(document.getElementById('{canvas}').dataset.count || 0) > {after}")
    count = page.evaluate(f"Number(document.getElementById('{canvas}').dataset.count)")
    return count, page.evaluate(f"document.getElementById('{canvas}').toDataURL()")


def settled(page, canvas="result"):
    """The same, when no request is pending."""
    wait(page, "document.body.getAttribute('aria-busy') === 'false'")
    return shown(page, canvas)


def draw_stroke(page, *points):
    """Draws a stroke with the mouse, in fractions of the sheet."""
    box = page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=2)
    page.mouse.up()


SHOE = [(0.1, 0.65), (0.2, 0.52), (0.4, 0.45), (0.55, 0.3), (0.85, 0.28), (0.88, 0.68), (0.1, 0.7), (0.1, 0.65)]


@pytest.mark.parametrize("width", [1280, 360])
def test_a_stroke_changes_the_picture_and_undo_restores_it(shoes, opened, width):
    page = opened(shoes, width)
    count, empty = settled(page)
    page.locator("#paper").scroll_into_view_if_needed()
    draw_stroke(page, *SHOE)
    shown(page, after=count)
    count, drawn = settled(page)
    assert drawn != empty
    page.get_by_label("Colour #c8202a").click()
    draw_stroke(page, (0.4, 0.56), (0.7, 0.56))
    shown(page, after=count)
    count, coloured = settled(page)
    assert coloured not in (drawn, empty)
    for _ in range(2):
        page.locator("#undo").click()
    shown(page, after=count)
    assert settled(page)[1] == empty
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_upload_is_translated_or_refused_with_a_message(shoes, opened, tmp_path):
    page = opened(shoes)
    count, empty = settled(page)
    (tmp_path / "photo.png").write_text("no photo")
    page.locator("#file").set_input_files(tmp_path / "photo.png")
    wait(page, "document.getElementById('says').textContent.startsWith('This is not a picture.')")
    assert shown(page) == (count, empty)
    shoe_drawing(2).save(tmp_path / "shoe.png")
    page.locator("#file").set_input_files(tmp_path / "shoe.png")
    assert shown(page, after=count)[1] != empty
    wait(page, "document.getElementById('says').textContent === ''")


def coloured():
    """A picture of many colours, in the size of the tiny networks."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), "uint8"))


def test_a_photo_is_prepared_as_in_training(grays):
    address, generator = grays
    made = np.asarray(gray(coloured()).convert("RGB"))
    status, body, _ = ask(address, "translate/only", png(coloured()), Accept=server.NUMBERS)
    expected = generator(scale(made[np.newaxis], generator.value_range))
    assert status == 200
    np.testing.assert_allclose(np.load(io.BytesIO(body)), expected, atol=1e-5)
    status, body, _ = ask(address, "prepare/only", png(coloured()))
    assert status == 200
    np.testing.assert_array_equal(Image.open(io.BytesIO(body)), made)
    assert ask(address, "prepare/AtoB", png(coloured()))[0] == 404


def test_the_sheet_shows_what_the_network_takes(grays, opened, tmp_path):
    page = opened(grays[0])
    count, _ = settled(page)
    coloured().resize((64, 64)).save(tmp_path / "photo.png")
    page.locator("#file").set_input_files(tmp_path / "photo.png")
    shown(page, after=count)
    sheet = "document.getElementById('paper').getContext('2d').getImageData(0, 0, 512, 512).data"
    wait(page, f"{sheet}.some((value, i) => i % 4 === 0 && value < 200)")
    assert page.evaluate(f"{sheet}.every((value, i, all) => i % 4 > 2 || value === all[i - i % 4])")
    assert "gray" in page.locator("figcaption").all_inner_texts()[0]


def test_both_directions_of_a_cyclegan(page_of, opened):
    page = opened(page_of("cyclegan"))
    count, _ = settled(page)
    draw_stroke(page, *SHOE)
    shown(page, after=count)
    count, there = settled(page)
    assert page.locator("figcaption").all_inner_texts()[:2] == ["A", "B"]
    page.locator("#way").click()
    shown(page, after=count)
    count, other = settled(page)
    assert other != there and page.locator("figcaption").all_inner_texts()[:2] == ["B", "A"]
    page.locator("#back").click()
    shown(page, after=count)
    assert page.locator("figcaption").all_inner_texts()[:2] == ["A", "B"]


def test_sliders_walks_and_labels(page_of, opened):
    page = opened(page_of("cgan"))
    count, first = settled(page, "made")
    page.get_by_role("button", name="7", exact=True).click()
    count, seven = shown(page, "made", count)
    slider = page.locator("input[type=range]").first
    slider.fill("0.9")
    count, moved = shown(page, "made", count)
    assert len({first, seven, moved}) == 3
    page.locator("#walk").click()
    count, _ = shown(page, "made", count + 20)  # beyond the first strip
    page.locator("#walk").click()
    settled(page, "made")
    page.locator("#another").click()
    assert settled(page, "made")[1] not in (first, seven, moved)


def test_the_page_is_self_contained():
    assert re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"]*", server.PAGE.read_text(encoding="utf-8")) == []


# The command


def command(*arguments, before=""):
    script = f"import sys\n{before}\nfrom keras_gan.demo import __main__ as demo\ndemo.main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)


def test_a_port_in_use_is_reported(shoes, capsys):
    port = urllib.parse.urlsplit(shoes).port
    with pytest.raises(SystemExit) as stop:
        demo.main(["--port", str(port)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: cannot serve at 127.0.0.1 port {port}: ")


def test_other_models_are_refused(saved, tmp_path):
    with pytest.raises(BadValueError, match="not a generator but a discriminator"):
        demo.opened(saved("pix2pix")[1] / "models" / "discriminator.keras")
    image = keras.Input((8, 8, 5))
    made = keras.layers.Conv2D(5, 3, padding="same", activation="tanh")(image)
    keras.Model(image, made).save(tmp_path / "five.keras")
    with pytest.raises(BadValueError, match="5 to 5 channels: the page supports 1 or 3"):
        demo.opened(tmp_path / "five.keras")


def test_a_missing_package_and_help_need_no_framework():
    watch = "import atexit; atexit.register(lambda: print({'keras', 'tensorflow', 'starlette'} & set(sys.modules)))\n"
    done = command("--help", before=watch)
    assert done.returncode == 0 and done.stdout.endswith("set()\n") and "MODEL" in done.stdout
    hide = "import importlib.util; importlib.util.find_spec = lambda name, *rest: None\n"
    done = command(before=watch + hide)
    assert (done.returncode, done.stdout) == (2, "set()\n")
    assert done.stderr.count("\n") == 1 and 'pip install ".[demo]" in ' in done.stderr

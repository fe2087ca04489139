"""Measures how fast the page of the demo answers, alone and with many clients at once.

    python benchmarks/demo.py                        20 clients for a minute, then strokes in Chromium
    python benchmarks/demo.py --model RUN --clients 20 --seconds 60

Each client sends its drawing again as soon as it gets an answer. If the server asks it to wait, it waits as long as
the server says. Memory is the resident size of the server's process. The time of a stroke runs from the last mouse
move until the result changes. This needs the extra "demo"; the strokes also need playwright and Chromium.
"""

import argparse
import http.client
import io
import itertools
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from pathlib import Path

from keras_gan.images.drawn_shoes import draw_pair

from PIL import Image

SHOE = [(0.1, 0.65), (0.2, 0.52), (0.4, 0.45), (0.55, 0.3), (0.85, 0.28), (0.88, 0.68), (0.1, 0.7), (0.1, 0.65)]


def drawing(number):
    """Returns a line drawing as the page sends it: the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(draw_pair(3, number, 512)[:, :512]).save(file, "PNG")
    return file.getvalue()


def client(address, until, data, answers):
    """Sends a drawing again and again until a given time; adds (status, seconds) of each answer to `answers`."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            connection.request("POST", "/translate/only", data)
            response = connection.getresponse()
            response.read()
            status = response.status
        except OSError as error:
            status = type(error).__name__
            connection.close()
        answers.append((status, time.monotonic() - began))
        if status == 503:
            time.sleep(float(response.headers["Retry-After"]))
    connection.close()


def megabytes(process):
    """Returns the resident size of a process in MB, on Linux."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def many(address, process, clients, seconds):
    """Prints how the server answers this number of clients in these seconds."""
    drawings = [drawing(number) for number in range(clients)]
    answers, until = [], time.monotonic() + seconds
    threads = [threading.Thread(target=client, args=(address, until, data, answers)) for data in drawings]
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < until:
        time.sleep(seconds / 12)
        memory.append(megabytes(process))
    for thread in threads:
        thread.join()
    counts = Counter(status for status, _ in answers)
    waits = sorted(took for status, took in answers if status == 200)
    print(f"{clients} clients, {seconds:g} s: " + ", ".join(f"{n} x {status}" for status, n in counts.items()))
    print(f"answered in {statistics.median(waits):.3f} s (median), {waits[-1]:.3f} s (longest)")
    print("memory, MB: " + " ".join(f"{value:.0f}" for value in memory))


def wait(page, expression):
    """Waits until a JavaScript expression is true. The page's policy forbids playwright's own way to wait."""
    while not page.evaluate(expression):
        time.sleep(0.005)


def strokes(address):
    """Prints how long it takes until a stroke of the mouse changes the picture."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    took = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        wait(page, "document.getElementById('result').dataset.count > 0")
        box = page.locator("#paper").bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SHOE]
        for start, end in itertools.pairwise(places):
            page.mouse.move(*start)
            page.mouse.down()
            time.sleep(0.5)
            page.evaluate("window.before = document.getElementById('result').toDataURL()")
            began = time.monotonic()
            page.mouse.move(*end)
            wait(page, "document.getElementById('result').toDataURL() !== window.before")
            took.append(time.monotonic() - began)
            page.mouse.up()
        browser.close()
    median, longest = statistics.median(took), max(took)
    print(f"a stroke changes the picture after {median:.3f} s (median of {len(took)}), {longest:.3f} s (longest)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a .keras file or the folder of a run; default: the bundled one")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    command = [sys.executable, "-m", "keras_gan.demo", *([given.model] if given.model else []), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().split()[0]
        try:
            many(address, process, given.clients, given.seconds)
            strokes(address)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()

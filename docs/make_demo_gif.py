"""Makes docs/demo.gif: draws a shoe on the page of the demo, in a browser, and records both panels as it goes.

    python docs/make_demo_gif.py

Needs the extra "demo", playwright and Chromium, as the tests of the page do.
"""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from keras_gan.images.drawn_shoes import spline

FRAME, FIRST, LAST = 120, 600, 3000  # milliseconds

# A stroke: the button of the pen, the number of frames, and points in fractions of the sheet, joined by a curve.
STROKES = [
    ("Pencil", 12, [(0.08, 0.7), (0.085, 0.61), (0.16, 0.55), (0.28, 0.515), (0.4, 0.44), (0.5, 0.31), (0.54, 0.25)]),
    ("Pencil", 5, [(0.54, 0.25), (0.66, 0.31), (0.78, 0.3), (0.89, 0.24)]),
    ("Pencil", 6, [(0.89, 0.24), (0.9, 0.4), (0.915, 0.55), (0.92, 0.69)]),
    ("Pencil", 6, [(0.08, 0.7), (0.3, 0.72), (0.6, 0.71), (0.92, 0.69)]),
    ("Pencil", 2, [(0.92, 0.69), (0.925, 0.77)]),
    ("Pencil", 6, [(0.925, 0.77), (0.6, 0.79), (0.3, 0.79), (0.09, 0.775)]),
    ("Pencil", 2, [(0.09, 0.775), (0.08, 0.7)]),
    ("Pencil", 3, [(0.2, 0.535), (0.25, 0.6), (0.25, 0.71)]),
    ("Pencil", 1, [(0.34, 0.485), (0.43, 0.53)]),
    ("Pencil", 1, [(0.39, 0.45), (0.48, 0.495)]),
    ("Pencil", 1, [(0.435, 0.4), (0.525, 0.445)]),
    ("Pencil", 1, [(0.475, 0.345), (0.565, 0.39)]),
    ("Colour #c8202a", 10, [(0.34, 0.6), (0.47, 0.54), (0.58, 0.62), (0.7, 0.52), (0.82, 0.58)]),
    ("Colour #2f7fd8", 3, [(0.12, 0.645), (0.19, 0.645)]),
]


def record(page):
    """Draws the strokes; returns the pictures of both panels."""
    for number in (1, 2):  # the buttons that do not draw
        page.locator(".bar").nth(number).evaluate("bar => bar.hidden = true")
    sheet, panels = page.locator("#paper").bounding_box(), page.locator(".panels").first.bounding_box()
    frames = []

    def show(x, y):
        """Moves the mouse; adds what is seen when the network has answered."""
        page.mouse.move(x, y)
        while page.evaluate("document.body.getAttribute('aria-busy')") == "true":
            page.wait_for_timeout(20)
        page.wait_for_timeout(30)  # until it is painted
        frame = Image.open(io.BytesIO(page.screenshot(clip=panels))).convert("RGB")
        pointer = np.array([[0, 0], [0, 17], [4, 13], [7, 20], [10, 19], [7, 12], [12, 12]]) + [x, y]
        pointer = [tuple(corner) for corner in pointer - [panels["x"], panels["y"]]]
        ImageDraw.Draw(frame).polygon(pointer, "#22242a", "white")
        frames.append(frame)

    pen = None
    for button, pieces, points in STROKES:
        if button != pen:
            target = page.get_by_label(button) if "#" in button else page.get_by_role("button", name=button)
            box = target.bounding_box()
            target.click()
            show(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            pen = button
        curve = spline(*points) * [sheet["width"], sheet["height"]] + [sheet["x"], sheet["y"]]
        page.mouse.move(*curve[0])
        page.mouse.down()
        for piece in np.array_split(curve[1:], pieces):
            for place in piece:
                page.mouse.move(*place)
            show(*piece[-1])
        page.mouse.up()
    return frames


def save(frames, path):
    """Saves frames with one palette, so that nothing flickers, and a pause at the end."""
    some = Image.fromarray(np.vstack(frames[:: len(frames) // 6] + frames[-2:]))
    palette = some.quantize(dither=Image.Dither.NONE)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    durations = [FIRST] + [FRAME] * (len(frames) - 2) + [LAST]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=False)


def main():
    command = [sys.executable, "-m", "keras_gan.demo", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[0]
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = chromium.new_page(viewport={"width": 780, "height": 640})
            page.goto(address)
            save(record(page), Path(__file__).with_name("demo.gif"))
            chromium.close()
    finally:
        server.terminate()


if __name__ == "__main__":
    main()

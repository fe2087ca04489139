"""The pictures in docs/, what is said below them, and the glossary."""

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "models").glob("*.md")]
TRAINED = {"discogan.png", "cyclegan.png", "cyclegan_paper.png", "cut.png", "pix2pix.png", "dcgan.png", "cgan.png"}
TRAINED |= {"gan.png"}


def shown():
    """(page, picture, the paragraph below it) of each picture that a trained model made."""
    for page in PAGES:
        for name, below in re.findall(r"^!\[[^\]]*\]\(([^)]+)\)\n\n(.*?)\n\n", page.read_text("utf-8"), re.S | re.M):
            if Path(name).name in TRAINED:
                yield page, Path(name).name, below


SHOWN = [pytest.param(below, id=f"{page.stem}: {name}") for page, name, below in shown()]


def test_each_picture_of_a_model_is_shown():
    assert {name for _, name, _ in shown()} == TRAINED


@pytest.mark.parametrize("below", SHOWN)
def test_a_caption_says_size_minutes_and_machine(below):
    text = " ".join(below.split())
    assert re.fullmatch(r"\*[^*]+\*", text) and re.search(r"\d+x\d+", text)
    assert re.search(r"\d+ minutes?\b.* two CPU\s+cores", text)


def test_the_animation_of_the_demo_is_small_and_ends_with_a_pause():
    path = ROOT / "docs" / "demo.gif"
    assert path.stat().st_size < 2 * 10**6
    with Image.open(path) as animation:
        assert 640 <= animation.width <= 800 and animation.info["loop"] == 0
        durations = []
        for number in range(animation.n_frames):
            animation.seek(number)
            durations.append(animation.info["duration"])
    assert 8000 <= sum(durations) <= 12000 and durations[-1] >= 2000


def test_each_word_of_the_glossary_has_a_link_from_a_page():
    glossary = ROOT / "docs" / "glossary.md"
    words = re.findall(r"^## (.*)$", glossary.read_text("utf-8"), re.M)
    assert len(words) == 12
    links = {link for page in PAGES for link in re.findall(r"glossary\.md#([\w-]+)\)", page.read_text("utf-8"))}
    assert links == {word.lower().replace(" ", "-") for word in words}

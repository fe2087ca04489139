"""Values that make no picture from black to white are reported by `check`, with the option that mends it."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from keras_gan.datasets.__main__ import main
from keras_gan.datasets.pair_files import judged
from keras_gan.datasets.spans import Span, chosen_range, doubts
from keras_gan.errors import BadValueError

DARK = "so the pictures are nearly black"
REFUSED = "so they are refused"
DOUBTS = {  # span: what is said of it, and the range that mends it
    Span(3, 4071, 65535): (DARK, "0,4095"),
    Span(0, 511, 65535): (DARK, "0,511"),
    Span(0, 32767, 65535): (DARK, "0,32767"),
    Span(0, 20, 255): (DARK, "0,20"),
    Span(10, 500, 32767): (DARK, "0,511"),
    Span(0, 0.125, 1): (DARK, "0,0.125"),
    Span(0, 250.5, 1): (REFUSED, "0,255"),
    Span(-1, 0.9, 1): (REFUSED, "-1,1"),
    Span(-5, 4000, 1): (REFUSED, "-5,4000"),
    Span(0, 4071, 1): (REFUSED, "0,4071"),
    Span(12, 4071, None): (REFUSED, "0,4095"),
    Span(-1000, 3000, None): (REFUSED, "-1000,3000"),
}
FINE = [(0, 65535, 65535), (9, 40000, 65535), (0, 100, 255), (0, 255, 255), (0, 1, 1), (0.2, 0.6, 1), (0, 0, 255)]


@pytest.mark.parametrize("span", DOUBTS)
def test_values_that_make_no_picture_and_what_mends_them(span):
    problem, mend = DOUBTS[span]
    (line,) = doubts({"side A": [span, span]})
    assert line.startswith("the values in 2 files of side A go from ") and problem in line
    assert line.endswith(f": --value-range {mend} or auto")
    assert not doubts({"side A": [span]}, tuple(map(float, mend.split(","))))


@pytest.mark.parametrize("span", FINE)
def test_usual_values_are_no_matter(span):
    assert not doubts({"side A": [Span(*span), Span(*span)]})


def test_a_bright_picture_among_dark_ones_is_enough():
    assert not doubts({"train": [Span(0, 300, 65535), Span(0, 60000, 65535)]})


def test_a_range_that_does_not_suit_the_files_is_said():
    (line,) = doubts({"train": [Span(0, 65535, 65535)]}, (0, 255))
    assert "go from 0 to 65535, but all above 255 is white: --value-range 0,65535" in line
    (line,) = doubts({"train": [Span(0, 255, 255)]}, (0, 4095))
    assert "but white is 4095, so the pictures are nearly black" in line
    assert not doubts({"train": [Span(0, 4200, 65535)]}, (0, 4095))  # a few outliers


def test_files_that_no_range_suits_alike():
    (line,) = doubts({"side A": [Span(0, 4095, 65535)], "side B": [Span(0, 255, 255)]})
    assert line.endswith("nearly black: no range suits all files, convert some")


@pytest.fixture
def cells(tmp_path):
    """A folder of 12-bit pictures, 3 to 4071, and the files."""
    (tmp_path / "cells").mkdir()
    for number in range(12):
        values = np.linspace(3, 4071 - number, 64).reshape(8, 8).astype("uint16")
        tifffile.imwrite(tmp_path / "cells" / f"{number:02}.tif", values, photometric="minisblack")
    return tmp_path / "cells", sorted((tmp_path / "cells").iterdir())


def test_auto_is_the_smallest_and_largest_value(cells, capsys):
    folder, files = cells
    assert chosen_range("auto", {"side A": files[6:], "side B": files[:6]}, "cells") == (3, 4071)
    assert "Value range: 3 (black) to 4071 (white), as 12 of 12 files have it" in capsys.readouterr().out
    (folder / "00.tif").write_bytes(b"no picture")
    assert chosen_range("auto", {"side A": files}, "cells") == (3, 4070)
    assert chosen_range((0, 9), {"side A": files}, "cells") == (0, 9)
    assert chosen_range(None, {}, "cells") is None


def test_what_has_no_range(cells, tmp_path):
    _, files = cells
    Image.new("L", (8, 8), 7).save(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "flat.tif", np.full((8, 8), 7, "uint16"), photometric="minisblack")
    with pytest.raises(BadValueError, match="files of one kind, but white is 255 and 65535 in those of 'cells'"):
        chosen_range("auto", {"side A": files, "side B": [tmp_path / "x.png"]}, "cells")
    with pytest.raises(BadValueError, match="finds only the value 7 in 'cells': name it"):
        chosen_range("auto", {"side A": [tmp_path / "flat.tif"]}, "cells")
    with pytest.raises(BadValueError, match="'cells' has no readable picture files"):
        chosen_range("auto", {"side A": [tmp_path / "gone.tif"]}, "cells")
    for wanted in ("auto", (0, 255)):
        with pytest.raises(BadValueError, match="'drawn_shoes' has no picture files, so it takes no value range"):
            chosen_range(wanted, {}, "drawn_shoes")


def checked(folder, capsys, code=0):
    """What `check` prints of values, and its error."""
    try:
        main(["check", str(folder)])
        assert code == 0
    except SystemExit as done:
        assert done.code == code
    output = capsys.readouterr()
    return [line for line in output.out.splitlines() if line.startswith(("values", "warning"))], output.err


def test_check_prints_the_range_and_warns(cells, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert checked(cells[0], capsys) == (
        [
            "values    3 to 4071 in 12 files, white is 65535",
            "warning   the values in 10 files of train go from 3 to 4070, but white is 65535, "
            "so the pictures are nearly black: --value-range 0,4095 or auto",
        ],
        "",
    )


def test_check_is_silent_about_photos(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(12):
        Image.fromarray(np.arange(64, dtype="uint8").reshape(8, 8) * 4).save(tmp_path / "photos" / f"{number}.png")
    clear = np.dstack([np.full((8, 8, 3), 200, "uint8"), np.arange(64, dtype="uint8").reshape(8, 8)])
    Image.fromarray(clear).save(tmp_path / "photos" / "clear.png")  # alpha is no colour
    assert checked(tmp_path / "photos", capsys) == (["values    0 to 252 in 13 files, white is 255"], "")


@pytest.mark.parametrize(("low", "high", "mend"), [(0, 255, "0,255"), (-1, 1, "-1,1")])
def test_check_names_the_range_of_floats_that_are_refused(low, high, mend, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells").mkdir()
    for number in range(10):
        np.save(tmp_path / "cells" / f"{number}.npy", np.linspace(low, high, 64).reshape(8, 8))
    lines, error = checked(tmp_path / "cells", capsys, code=2)
    assert lines[0] == f"values    {low} to {high} in 10 files, white is 1"
    assert lines[1].endswith(f"but floats must be in 0 to 1, so they are refused: --value-range {mend} or auto")
    assert f"its values range from {low} to {high}; floats must be in [0, 1], unless --value-range LOW,HIGH" in error


def test_pairs_are_recognized_in_dark_and_in_refused_files(tmp_path):
    rng = np.random.default_rng(0)
    half = rng.integers(0, 4096, (6, 5)).repeat(8, 0).repeat(8, 1)
    pair = np.hstack([half, 4095 - half])
    tifffile.imwrite(tmp_path / "x.tif", pair.astype("uint16"), photometric="minisblack")
    np.save(tmp_path / "x.npy", pair.astype("float32"))
    assert judged([tmp_path / "x.tif", tmp_path / "x.npy"]) == [True, True]

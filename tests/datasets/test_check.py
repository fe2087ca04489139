"""`python -m keras_gan.datasets check`."""

import shutil

import numpy as np
import pytest
from PIL import Image
from support.commands import datasets_without_frameworks
from support.labelled import write_classes, write_idx
from support.numbered import write

from keras_gan.datasets import check, files, layouts, make_pairs
from keras_gan.datasets.__main__ import main


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Sheets are written to the current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def run(capsys, *arguments):
    """The printed lines, {title: rest}. Notes and next commands are lists."""
    main(["check", *(str(a) for a in arguments)])
    output = capsys.readouterr()
    assert not output.err
    lines = output.out.splitlines()
    found = {"is": lines[0].rsplit(": ", 1)[1]}
    for line in lines[1:]:
        title, text = line[:10].strip(), line[10:]
        found[title] = [*found.get(title, []), text] if title in ("next", "note") else text
    return found


def complaint(capsys, *arguments):
    """The one line it prints before it exits with code 2."""
    with pytest.raises(SystemExit) as done:
        main(["check", *(str(a) for a in arguments)])
    assert done.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def sheet(path):
    with Image.open(path) as image:
        return image.convert("RGB")


# Layouts:


def test_pairs(paired_folder, capsys):
    found = run(capsys, paired_folder)
    assert found["is"] == layouts.PAIRS
    assert (found["train"], found["val"], found["sizes"], found["modes"]) == (
        *("5 pictures", "2 pictures"),
        *("all 32x16", "RGB 7"),
    )
    assert found["next"][:2] == [
        f"python -m keras_gan.pix2pix --dataset {paired_folder}{quick}" for quick in (" --quick", "")
    ]
    assert found["sheet"] == "pairs-check.png"
    image = sheet("pairs-check.png")
    rows = [image.getpixel((80, (2 * row + 1) * image.height // 8)) for row in range(4)]
    assert [(r > 90, g > 90, b > 90) for r, g, b in rows] == [(True, False, False), (False, False, True)] * 2


@pytest.mark.parametrize(("height", "width"), [(60, 40), (40, 60), (50, 50)])
@pytest.mark.parametrize("kind", ["gray", "edges"])
def test_pairs_made_of_photos_are_detected_in_any_shape(tmp_path, capsys, kind, height, width):
    for number in range(12):
        (tmp_path / "photos").mkdir(exist_ok=True)
        drawn(number, height, width).save(tmp_path / "photos" / f"{number}.png")
    make_pairs.make_pairs(kind, tmp_path / "photos", tmp_path / "out")
    assert run(capsys, tmp_path / "out")["is"] == layouts.PAIRS
    assert run(capsys, tmp_path / "photos")["is"] == layouts.SINGLE


def drawn(number, height, width):
    """A synthetic photo: a smooth gradient of colours and a disc."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:height, :width] / max(height, width)
    colours = rng.uniform(0, 255, (4, 3))
    pixels = colours[0] + y[..., None] * (colours[1] - colours[0]) + x[..., None] * (colours[2] - colours[0]) / 2
    disc = np.hypot(y - rng.uniform(0.2, 0.6), x - rng.uniform(0.2, 0.6)) < 0.2
    return Image.fromarray(np.where(disc[..., None], colours[3], pixels).clip(0, 255).astype("uint8"))


def test_pairs_of_facades_get_their_direction(paired_folder, capsys, tmp_path):
    shutil.move(paired_folder, tmp_path / "facades")
    found = run(capsys, tmp_path / "facades")
    assert found["note"] == [
        "this is facades of the catalogue, A, B: photos, label maps; labels to photos is --direction BtoA"
    ]
    assert found["next"][0].endswith(f"pix2pix --dataset {tmp_path / 'facades'} --direction BtoA --quick")


def test_val_and_test_are_both_checked_with_a_note_which_one_is_used(paired_folder, capsys):
    shutil.copytree(paired_folder / "val", paired_folder / "test")
    shutil.copy(paired_folder / "train" / "4.png", paired_folder / "test" / "9.png")
    (paired_folder / "train" / "0.png").unlink()
    (paired_folder / "train" / "1.png").unlink()
    found = run(capsys, paired_folder)
    assert (found["train"], found["val"], found["test"]) == ("3 pictures", "2 pictures", "3 pictures")
    assert found["note"] == ["models are tested on the 2 pictures in val; those in test are ignored"]
    assert found["twice"].startswith("3 pictures") and found["leaked"].startswith("1 pictures")


def test_a_name_below_datasets(paired_folder, capsys, tmp_path):
    (tmp_path / "here" / "datasets").mkdir()
    shutil.move(paired_folder, tmp_path / "here" / "datasets" / "my pairs")
    found = run(capsys, "my pairs", "--sheet", "sheets/s.png")
    assert found["sheet"] == "sheets/s.png" and sheet("sheets/s.png")
    assert found["next"][0] == "python -m keras_gan.pix2pix --dataset 'my pairs' --quick"


def test_four_folders(tmp_path, capsys):
    for name, count in (("trainA", 3), ("trainB", 4), ("testA", 2), ("testB", 1)):
        write(tmp_path / "data" / name, count)
    found = run(capsys, tmp_path / "data")
    assert found["is"] == layouts.UNPAIRED
    assert [found[f"{split} {side}"] for split in ("train", "test") for side in "AB"] == [
        f"{count} pictures" for count in (3, 4, 2, 1)
    ]
    assert found["next"] == [
        f"python -m keras_gan.cyclegan --dataset {tmp_path / 'data'}{quick}" for quick in (" --quick", "")
    ]


@pytest.mark.parametrize("divided", [True, False])
def test_class_folders(tmp_path, capsys, divided):
    for split in ("train", "test") if divided else ("",):
        write_classes(tmp_path / "pets" / split, cat=3, dog=12)
    found = run(capsys, tmp_path / "pets")
    assert found["is"] == layouts.CLASSES
    assert found["classes"] == ("2: cat 3+3, dog 12+12" if divided else "2: cat 2+1, dog 10+2")
    assert ("every tenth picture" in found.get("note", [""])[0]) == (not divided)
    assert "cgan" in found["next"][0]


def test_invalid_classes_are_single_pictures_with_a_note_why(tmp_path, capsys):
    write_classes(tmp_path / "pets" / "train", cat=3, dog=2)
    write_classes(tmp_path / "pets" / "test", cat=3)
    found = run(capsys, tmp_path / "pets")
    assert found["is"] == layouts.SINGLE and "classes" not in found
    assert "no classes: class 'dog' is in" in found["note"][0]


def test_idx_files(tmp_path, capsys):
    found = run(capsys, write_idx(tmp_path / "letters", packed=True))
    assert found["is"] == layouts.IDX
    assert (found["train"], found["test"], found["sizes"]) == ("20 pictures", "10 pictures", "all 5x6")
    assert found["classes"].startswith("10: 0 2+1, 1 2+1")
    assert found["next"][2].endswith("--image-size 28x28x1")


def test_a_flat_folder(tmp_path, capsys):
    found = run(capsys, write(tmp_path / "cars", 21))
    assert found["is"] == layouts.SINGLE
    assert (found["train"], found["test"]) == ("18 pictures", "3 pictures")
    assert [line.partition(" --from ")[2] for line in found["next"][:2]] == [
        f"{kind} {tmp_path / 'cars'} datasets/cars-{kind} --size 256 --fit crop" for kind in ("gray", "edges")
    ]


def test_the_command_that_makes_pairs_names_the_real_folder(tmp_path, capsys):
    write(tmp_path / "here" / "datasets" / "cars", 3)
    assert " --from gray datasets/cars datasets/cars-gray " in run(capsys, "cars")["next"][0]


def test_pairs_in_a_flat_folder_are_detected_with_a_note_on_single_pictures(paired_folder, capsys):
    found = run(capsys, paired_folder / "train")
    assert (found["is"], found["train"], found["test"]) == (layouts.PAIRS, "4 pictures", "1 pictures")
    assert found["note"][0] == "no test split: every tenth picture by name is held out for testing"
    assert found["note"][1].startswith("these look like pairs; if each is a single picture: python -m keras_gan.dc")


def test_a_path_with_a_blank_is_quoted(tmp_path, capsys):
    assert f"'{tmp_path / 'my cars'}'" in run(capsys, write(tmp_path / "my cars", 3))["next"][0]


# Contents:


def test_sizes_and_modes_of_mixed_pictures(tmp_path, capsys):
    folder = write(tmp_path / "mixed", 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (40, 20)).save(folder / "turned.jpg", exif=exif)
    Image.new("P", (2, 3)).save(folder / "palette.gif")
    Image.new("CMYK", (8, 8)).save(folder / "print.tif")
    Image.new("RGB", (600, 2)).save(folder / "thin.png")
    Image.fromarray(np.zeros((300, 200), "uint16")).save(folder / "deep.png")
    found = run(capsys, folder)
    assert found["sizes"] == "2x3 to 200x300, 6 sizes, mostly 32x32 (3)"
    assert set(found["modes"].split(", ")) == {"RGB 4", "L 1", "P 1", "CMYK 1", "I;16 1"}
    assert sheet("mixed-check.png")


def test_broken_pictures_are_named_and_counted(tmp_path, capsys):
    folder = write(tmp_path / "cars", 20)
    broken = files(folder)[1:6]
    for path in broken[:4]:
        path.write_bytes(path.read_bytes()[:60])
    broken[4].write_bytes(b"no picture")
    found = run(capsys, folder)
    assert found["train"] == "18 pictures, 5 of them broken"
    assert found["broken"].startswith(f"5: {broken[0]}: ") and found["broken"].endswith("and 2 more")


def test_pictures_that_training_skips_are_broken(tmp_path, capsys, paired_folder):
    Image.new("RGB", (31, 16)).save(paired_folder / "train" / "odd.png")
    assert "odd.png: its width of 31 is odd, so it has no two equal halves" in run(capsys, paired_folder)["broken"]
    Image.new("RGB", (1, 16)).save(write(tmp_path / "cars", 5) / "thin.png")
    assert "thin.png: it is only 1 x 16 pixels" in run(capsys, tmp_path / "cars")["broken"]


def test_duplicates_within_and_across_splits(paired_folder, capsys):
    folder = paired_folder / "train"
    shutil.copy(folder / "4.png", folder / "5.png")
    shutil.copy(folder / "4.png", paired_folder / "val" / "6.png")
    (paired_folder / "val" / "0.png").unlink()  # both splits have the same 0 and 1
    found = run(capsys, paired_folder)
    assert found["twice"].startswith("2 pictures occur more than once, byte for byte: ")
    assert found["leaked"].startswith("2 pictures occur in both training and test splits: ")
    same = f"{folder / '4.png'} = {folder / '5.png'} = {paired_folder / 'val' / '6.png'}"
    assert same in found["twice"] and same in found["leaked"]


def test_the_same_picture_on_both_sides_is_not_leaked(tmp_path, capsys):
    for number, name in enumerate(("trainA", "trainB", "testA", "testB")):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), (number // 2, 0, 0)).save(tmp_path / "data" / name / "1.png")
    found = run(capsys, tmp_path / "data")
    assert found["twice"].startswith("2 pictures") and "leaked" not in found


# Errors:


def test_more_than_half_broken_is_an_error_after_the_report(tmp_path, capsys):
    folder = write(tmp_path / "cars", 4)
    for path in files(folder)[1:]:
        path.write_bytes(b"no picture")
    assert f"3 of 3 pictures for train cannot be used, the first of them {files(folder)[1]}: it is no picture" in (
        complaint(capsys, folder)
    )
    assert not list(folder.parent.glob("here/*"))


def test_folders_that_are_not_data_sets(tmp_path, capsys, paired_folder):
    assert "no folder 'nowhere', here or below datasets/: name one that exists" in complaint(capsys, "nowhere")
    (tmp_path / "empty").mkdir()
    assert "has no pictures" in complaint(capsys, tmp_path / "empty")
    write(tmp_path / "half" / "trainA", 2)
    assert "side B has no pictures" in complaint(capsys, tmp_path / "half")
    for path in (paired_folder / "val").iterdir():
        path.unlink()
    assert "has no pictures in" in complaint(capsys, paired_folder)
    (write_idx(tmp_path / "letters") / "train-images-idx3-ubyte").write_bytes(b"x")
    assert "train-images-idx3-ubyte" in complaint(capsys, tmp_path / "letters")


def test_a_sheet_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").touch()
    sheet = tmp_path / "file" / "sheet.png"
    assert "sheet.png' cannot be written" in complaint(capsys, write(tmp_path / "cars", 5), "--sheet", sheet)


def test_check_needs_no_keras(tmp_path):
    write(tmp_path / "cars", 3)
    codes, lines, errors = datasets_without_frameworks(".", ["check", "../cars"])
    assert codes == [0] and not errors and lines[0].endswith(layouts.SINGLE)
    assert sheet("cars-check.png")


# Real data sets:

REAL = {
    "edges2shoes": (layouts.PAIRS, {"train": "782 pictures", "val": "213 pictures", "sizes": "all 512x256"}),
    "facades": (layouts.PAIRS, {"train": "400 pictures", "val": "100 pictures", "modes": "RGB 500"}),
    "horse2zebra": (layouts.UNPAIRED, {"train A": "300 pictures", "test B": "140 pictures", "modes": "RGB 859, L 1"}),
    "apple2banana": (layouts.UNPAIRED, {"train A": "75 pictures", "train B": "73 pictures"}),
    "cifar10": (layouts.CLASSES, {"train": "5000 pictures", "test": "1000 pictures", "sizes": "all 32x32"}),
    "mnist": (layouts.IDX, {"train": "60000 pictures", "test": "10000 pictures", "modes": "L 70000"}),
    "cars64": (layouts.SINGLE, {"train": "450 pictures", "test": "50 pictures", "sizes": "all 64x64"}),
}


LARGE = ("edges2shoes", "horse2zebra", "cifar10", "mnist")  # whose pictures take seconds to read


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in REAL])
def test_real_data_sets_are_detected(shared, name, capsys, monkeypatch):
    monkeypatch.setattr(check, "REPORTED_EVERY", 10**9)
    layout, expected = REAL[name]
    found = run(capsys, shared(f"data/{name}"))
    assert found["is"] == layout
    assert {title: found[title] for title in expected} == expected
    assert not {"broken", "twice", "leaked"} & set(found)
    assert ("--direction BtoA" in found["next"][0]) == (name == "facades")
    assert np.asarray(sheet(f"{name}-check.png")).std() > 30

"""Paired data sets made of photos and of two folders: `python -m keras_gan.datasets`."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import datasets_without_frameworks

from keras_gan.data.paired import DataLoader
from keras_gan.datasets import make_pairs, preparation
from keras_gan.datasets.__main__ import main
from keras_gan.datasets.edges import edges
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.pixels import halves


def photo(number, height=24, width=31):
    """A colour picture of noise, different for each number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8))


def write(folder, count, ending="png", **size):
    """Writes this number of photos to the folder. Returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        photo(number, **size).save(folder / f"{number:02}.{ending}")
    return folder


def written(out):
    """The files in a folder and its subfolders, including hidden ones."""
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def saved(path):
    """The picture in a file, without conversion."""
    with Image.open(path) as image:
        return image.copy()


def pixels(image):
    return np.asarray(image).astype(int)


def complaint(capsys, *arguments):
    """The one line a command prints before it exits with code 2, without the lines on broken pictures."""
    with pytest.raises(SystemExit) as done:
        main([str(a) for a in arguments])
    assert done.value.code == 2
    output = capsys.readouterr()
    assert "Made" not in output.out
    lines = [line for line in output.err.splitlines() if not line.startswith("skipping ")]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


# The left halves:


def test_gray_is_the_weighted_mean_of_the_colours():
    found = pixels(preparation.gray(photo(0)))
    assert np.abs(found - pixels(photo(0)) @ [0.299, 0.587, 0.114]).max() <= 0.5 + 1e-2


def disc(inside, outside, size=64, radius=20):
    """A disc in the middle, in uint8 colours."""
    y, x = np.indices((size, size)) - (size - 1) / 2
    return Image.fromarray(np.where((np.hypot(y, x) < radius)[..., np.newaxis], inside, outside).astype("uint8"))


def lines(image):
    """The mask of edges of an image, bool (height, width)."""
    found = edges(image)
    assert found.mode == "L" and found.size == image.size
    assert set(np.unique(found)) <= {0, 255}
    return np.asarray(found) == 0


def test_the_edge_of_a_disc_is_one_thin_closed_line_in_place():
    found = lines(disc([200, 60, 40], [255, 255, 255]))
    y, x = np.nonzero(found)
    distance = np.hypot(y - 31.5, x - 31.5)
    assert np.abs(distance - 20).max() < 1.5
    directions = np.degrees(np.arctan2(y - 31.5, x - 31.5)) // 10
    assert len(set(directions)) == 36  # all around
    assert 2 * np.pi * 20 * 0.85 < found.sum() < 2 * np.pi * 20 * 1.1  # thin


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_is_one_line_of_a_pixel(turned):
    step = np.zeros((40, 50, 3), "uint8")
    step[:, 20:] = 120
    found = lines(Image.fromarray(step.swapaxes(0, 1) if turned else step))
    found = found.T if turned else found
    assert (found.sum(axis=1) == 1).all() and set(np.nonzero(found)[1]) <= {19, 20}


@pytest.mark.parametrize("red, green, blue", [(180, 90, 90), (90, 180, 90), (90, 90, 180), (180, 44, 90)])
def test_edges_of_any_colour_are_found(red, green, blue):
    assert lines(disc([red, green, blue], [90, 90, 90])).sum() > 100  # the last one has the same gray


@pytest.mark.parametrize("noise", [0, 3])
def test_a_flat_picture_has_no_lines(noise):
    flat = 130 + np.random.default_rng(0).normal(0, noise, (80, 80, 3))
    assert not lines(Image.fromarray(flat.astype("uint8"))).any()


@pytest.mark.parametrize("image", [Image.new("RGB", (1, 1)), Image.new("RGB", (1, 40)), Image.new("L", (30, 2), 9)])
def test_the_smallest_pictures_do_not_fail(image):
    assert not lines(image).any()


def scene():
    """Rectangles of many colours, smooth shades and a little noise."""
    rng = np.random.default_rng(1)
    canvas = np.linspace(120, 200, 128)[:, None, None] * np.ones((128, 128, 3))
    for _ in range(8):
        (top, left), (height, width) = rng.integers(0, 90, 2), rng.integers(15, 50, 2)
        canvas[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return (canvas + rng.normal(0, 2, canvas.shape)).clip(0, 255)


def overlap(found, other):
    """The share of these lines at most a pixel away from the other ones."""
    return (found & thick(other, 1)).sum() / found.sum()


@pytest.mark.parametrize("brightness, least", [(0.5, 0.98), (0.2, 0.98), (0.08, 0.95)])
def test_a_dark_picture_has_the_lines_of_a_bright_one(brightness, least):
    bright, dark = (lines(Image.fromarray((b * scene()).astype("uint8"))) for b in (1, brightness))
    assert bright.sum() > 500
    assert min(overlap(bright, dark), overlap(dark, bright)) > least


def test_long_faint_lines_are_kept_and_short_faint_ones_removed():
    canvas = np.full((128, 128, 3), 255, "uint8")
    canvas[10:50, 20:60] = 0
    canvas[80:] = 225
    canvas[100:110, 30:40] = 195
    found = lines(Image.fromarray(canvas))
    assert found[78:82].any(axis=0).mean() > 0.9
    assert not found[82:].any()
    assert found[:78].sum() > 140


def test_strong_texture_gives_fewer_lines_than_an_isolated_outline():
    noise = np.random.default_rng(0).normal(0, 30, (128, 128, 3))
    textured = pixels(disc([90] * 3, [220] * 3, size=128, radius=40)) + np.where(np.arange(128) < 20, noise.T, 0).T
    found = lines(Image.fromarray(textured.clip(0, 255).astype("uint8")))
    ring = np.abs(np.hypot(*(np.indices((128, 128)) - 63.5)) - 40) < 2
    assert (found & ring).sum() > 0.85 * 2 * np.pi * 40
    assert found[:20].mean() < 0.06


def test_lines_of_a_large_picture_are_proportionally_wide():
    small, large = disc([10] * 3, [240] * 3, 256, 80), disc([10] * 3, [240] * 3, 770, 240)
    found = lines(large)
    blocks = found[:768, :768].reshape(256, 3, 256, 3)
    assert (blocks.any(axis=(1, 3)) == blocks.all(axis=(1, 3))).all()
    assert 2.4 < found.sum() / 3 / lines(small).sum() < 3.6


def test_edges_resemble_edges2shoes(shared):
    near = np.zeros(4)
    for path in sorted(shared("data/edges2shoes/val").glob("*.jpg"))[:100:10]:
        theirs, shoe = halves(saved(path))
        theirs, ours = np.asarray(theirs.convert("L")) < 128, lines(shoe)
        near += (ours & thick(theirs)).sum(), ours.sum(), (theirs & thick(ours)).sum(), theirs.sum()
    precision, recall = near[0] / near[1], near[2] / near[3]
    assert precision > 0.75 and recall > 0.8


def thick(found, reach=2):
    """The mask of pixels within this distance of a line."""
    wide = np.pad(found, reach)
    return np.lib.stride_tricks.sliding_window_view(wide, (2 * reach + 1,) * 2).any(axis=(2, 3))


# Folders:


@pytest.mark.parametrize("kind", ["gray", "edges"])
def test_pairs_are_twice_as_wide_with_the_photo_on_the_right(tmp_path, kind):
    made = make_pairs.make_pairs(kind, write(tmp_path / "photos", 12), tmp_path / "new" / "out")
    assert made == (tmp_path / "new" / "out", 10, 2, 0)
    names = [f"val/{i:02}.png" if i % 10 == 0 else f"train/{i:02}.png" for i in range(12)]
    assert written(made.folder) == sorted(names)
    for number, name in enumerate(names):
        left, right = halves(saved(made.folder / name))
        assert right.mode == "RGB" and (pixels(right) == pixels(photo(number))).all()
        assert (pixels(left) == pixels(preparation.KINDS[kind](photo(number)).convert("RGB"))).all()


@pytest.mark.parametrize("test", ["val", "test"])
def test_splits_of_the_photos_are_kept(tmp_path, test):
    for split, count in (("train", 11), (test, 3)):
        write(tmp_path / "photos" / split, count)
    write(tmp_path / "photos", 2)  # beside train: not used
    made = make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "out")
    assert made[1:] == (11, 3, 0)
    assert written(made.folder) == [
        *(f"train/{i:02}.png" for i in range(11)),
        *(f"val/{i:02}.png" for i in range(3)),
    ]


@pytest.mark.parametrize("kind", ["gray", "edges"])
def test_size_applies_to_each_half_and_lines_stay_lines(tmp_path, kind):
    made = make_pairs.make_pairs(
        kind, write(tmp_path / "photos", 2, height=70, width=90), tmp_path / "out", size=(48, 32)
    )
    left, right = halves(saved(made.folder / "train" / "01.png"))
    assert left.size == right.size == (32, 48)
    if kind == "edges":
        assert set(np.unique(left)) == {0, 255}
    resized = photo(1, 70, 90).resize((32, 48), Image.Resampling.BICUBIC)
    assert (pixels(right) == pixels(resized)).all()


def test_photos_of_any_kind(tmp_path):
    """EXIF rotation, transparency, 16 bits, palette, CMYK and gray."""
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(folder / "turned.jpg", exif=exif)
    Image.new("RGBA", (9, 8), (0, 0, 0, 0)).save(folder / "clear.v2.png")
    Image.fromarray(np.full((8, 8), 40000, "uint16")).save(folder / "deep.png")
    Image.new("P", (8, 8)).save(folder / "palette.gif")
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(folder / "print.tif")
    make_pairs.make_pairs("gray", folder, tmp_path / "out")
    found = {path.stem: saved(path) for path in (tmp_path / "out").rglob("*.png")}
    assert {name: image.size for name, image in found.items()} == {
        "turned": (40, 40),
        "clear.v2": (18, 8),
        "deep": (16, 8),
        "palette": (16, 8),
        "print": (16, 8),
    }
    assert {image.mode for image in found.values()} == {"RGB"}
    assert np.unique(found["clear.v2"]) == [255]
    assert np.unique(found["deep"]) == [40000 // 257]


def test_the_result_can_be_loaded(tmp_path):
    make_pairs.make_pairs("gray", write(tmp_path / "photos", 12), tmp_path / "out")
    loader = DataLoader(tmp_path / "out", img_res=(24, 31), seed=0).batches(10)
    A, B = loader[0]
    assert A.shape == B.shape == (10, 24, 31, 3)
    assert np.abs(A - (B @ np.array([0.299, 0.587, 0.114], "float32"))[..., np.newaxis]).max() < 0.01
    assert len(loader.test) == 2 and not loader.skipped


def test_joined_folders(tmp_path):
    folder_B = write(tmp_path / "B", 11, height=20, width=16)
    folder_A = tmp_path / "A"
    folder_A.mkdir()
    for number in range(11):
        Image.new("RGB", (40, 50), (20 * number, 0, 0)).save(folder_A / f"{number:02}.bmp")
    made = make_pairs.join_folders(folder_A, folder_B, tmp_path / "out")
    assert made[1:] == (9, 2, 0)
    for number in range(11):
        (path,) = (tmp_path / "out").rglob(f"{number:02}.png")
        left, right = halves(saved(path))
        assert left.size == (16, 20) and (pixels(left) == [20 * number, 0, 0]).all()
        assert (pixels(right) == pixels(photo(number, 20, 16))).all()
    made = make_pairs.join_folders(folder_A, folder_B, tmp_path / "out8", size=(8, 10))
    assert saved(made.folder / "train" / "01.png").size == (20, 8)


def test_joined_folders_keep_their_splits(tmp_path):
    for side, test in (("A", "test"), ("B", "val")):
        write(tmp_path / side / "train", 3)
        write(tmp_path / side / test, 2)
    made = make_pairs.join_folders(tmp_path / "A", tmp_path / "B", tmp_path / "out")
    assert made[1:] == (3, 2, 0)


# Errors:


def label_map(cells=6, side=8):
    """Squares of three colours, and those colours."""
    colours = np.array([(200, 0, 0), (0, 0, 200), (0, 200, 0)], "uint8")
    places = np.random.default_rng(0).integers(0, 3, (cells, cells))
    pixels = colours[places].repeat(side, axis=0).repeat(side, axis=1)
    return Image.fromarray(pixels), {tuple(colour) for colour in colours.tolist()}


def test_label_maps_keep_their_colours(tmp_path):
    image, colours = label_map()
    for number in range(3):
        (tmp_path / "A").mkdir(exist_ok=True)
        image.save(tmp_path / "A" / f"{number:02}.png")
    write(tmp_path / "B", 3)
    make_pairs.join_folders(tmp_path / "A", tmp_path / "B", tmp_path / "out", size=(20, 30))
    make_pairs.make_pairs("gray", tmp_path / "A", tmp_path / "made", size=(20, 30))
    for folder, side in (("out", 0), ("made", 1)):
        for path in (tmp_path / folder).rglob("*.png"):
            found = pixels(halves(saved(path))[side])
            assert {tuple(colour) for colour in found.reshape(-1, 3).tolist()} == colours


def test_files_of_few_bits_are_warned_of_and_stretched(tmp_path, capsys):
    (tmp_path / "cells").mkdir()
    for number in range(3):
        values = np.arange(4096).reshape(64, 64).astype("uint16")
        Image.fromarray(values).save(tmp_path / "cells" / f"{number}.png")
    main(["pairs", "--from", "gray", str(tmp_path / "cells"), str(tmp_path / "dark")])
    assert "white is 65535, so the pictures are nearly black: --value-range 0,4095 or auto" in capsys.readouterr().err
    for value_range in ("0,4095", "auto"):
        out = tmp_path / value_range
        main(["pairs", "--from", "gray", str(tmp_path / "cells"), str(out), "--value-range", value_range])
        assert not capsys.readouterr().err
        assert pixels(saved(next((out / "train").iterdir()))).max() == 255


def test_broken_pictures_are_named_skipped_and_counted(tmp_path, capsys):
    folder = write(tmp_path / "photos", 12)
    (folder / "03.png").write_bytes(b"no picture")
    whole = (folder / "05.png").read_bytes()
    (folder / "05.png").write_bytes(whole[: len(whole) // 2])
    main(["pairs", "--from", "gray", str(folder), str(tmp_path / "my out")])
    output = capsys.readouterr()
    errors = output.err.splitlines()
    assert len(errors) == 2
    assert errors[0] == f"skipping {folder / '03.png'}: it is no picture (1 skipped so far)"
    assert errors[1].startswith(f"skipping {folder / '05.png'}: ") and errors[1].endswith("(2 skipped so far)")
    assert output.out.splitlines() == [
        f"Made 10 pairs in {tmp_path / 'my out'}: 8 in train, 2 in val, skipped 2 broken.",
        f"Next: python -m keras_gan.datasets check '{tmp_path / 'my out'}'",
        f"Then: python -m keras_gan.pix2pix --dataset '{tmp_path / 'my out'}' --quick",
    ]
    assert len(written(tmp_path / "my out")) == 10


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_pair_with_a_broken_half_is_skipped(tmp_path, capsys, side):
    for name in ("A", "B"):
        write(tmp_path / name, 4)
    (tmp_path / side / "02.png").write_bytes(b"no picture")
    assert make_pairs.join_folders(tmp_path / "A", tmp_path / "B", tmp_path / "out")[1:] == (2, 1, 1)
    assert f"skipping {tmp_path / side / '02.png'}: it is no picture" in capsys.readouterr().err


@pytest.mark.parametrize("existed", [False, True])
def test_more_than_half_broken_is_an_error_that_leaves_nothing_behind(tmp_path, capsys, existed):
    folder, out = write(tmp_path / "photos", 12), tmp_path / "out"
    if existed:
        out.mkdir()
        (out / "notes.txt").touch()
    for number in range(4, 11):
        (folder / f"{number:02}.png").write_bytes(b"no picture")
    text = complaint(capsys, "pairs", "--from", "gray", folder, out)
    assert f"more than half of 12 pictures cannot be used, the first of them {folder / '04.png'}: it is no" in text
    assert written(tmp_path / "out") == ["notes.txt"] if existed else not out.exists()
    for number in range(4, 11):
        shutil.copy(folder / "00.png", folder / f"{number:02}.png")
    main(["pairs", "--from", "gray", str(folder), str(out)])


def test_a_split_without_an_intact_picture_is_an_error(tmp_path, capsys):
    folder = write(tmp_path / "photos", 4)
    (folder / "00.png").write_bytes(b"no picture")
    text = complaint(capsys, "pairs", "--from", "edges", folder, tmp_path / "out")
    assert f"no picture for val can be used, the last of them {folder / '00.png'}" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["", "train", "val", "test"])
def test_an_output_folder_with_pictures_is_an_error(tmp_path, capsys, place):
    write(tmp_path / "out" / place, 1)
    text = complaint(capsys, "pairs", "--from", "gray", write(tmp_path / "photos", 3), tmp_path / "out")
    assert f"{tmp_path / 'out'} has pictures already, {tmp_path / 'out' / place / '00.png'} among them" in text
    assert len(written(tmp_path / "out")) == 1


@pytest.mark.parametrize("out", ["photos", "photos/sub/out", "other/../photos", "link/out"])
def test_an_output_folder_inside_the_input_is_an_error(tmp_path, capsys, out):
    photos = write(tmp_path / "photos", 3)
    (tmp_path / "link").symlink_to(photos)
    write(tmp_path / "other", 3)
    before = written(tmp_path)
    for command in (["pairs", "--from", "gray", photos], ["join", tmp_path / "other", photos]):
        assert f"is inside the input folder {photos}" in complaint(capsys, *command, tmp_path / out)
    assert "is inside" in complaint(capsys, "join", photos, tmp_path / "other", tmp_path / out)
    assert written(tmp_path) == before
    make_pairs.make_pairs("gray", photos, photos / ".." / "out")


def test_names_that_would_collide(tmp_path, capsys):
    folder = write(tmp_path / "photos", 3)
    photo(0).save(folder / "01.bmp")
    text = complaint(capsys, "pairs", "--from", "gray", folder, tmp_path / "out")
    assert f"{folder / '01.bmp'} and {folder / '01.png'} would become the same file" in text
    assert "same file" in complaint(capsys, "join", folder, write(tmp_path / "B", 3), tmp_path / "out")


@pytest.mark.parametrize("name", ["photos", "photos/train"])
def test_no_pictures(tmp_path, capsys, name):
    (tmp_path / name).mkdir(parents=True)
    text = complaint(capsys, "pairs", "--from", "gray", tmp_path / "photos", tmp_path / "out")
    assert f"no pictures in {tmp_path / 'photos'} or {tmp_path / 'photos' / 'train'}; expected" in text
    assert not (tmp_path / "out").exists()


def test_only_one_picture(tmp_path, capsys):
    text = complaint(capsys, "pairs", "--from", "gray", write(tmp_path / "photos", 1), tmp_path / "out")
    assert "photos has only 00: one is needed to train and another one to test" in text


def test_a_missing_folder(tmp_path, capsys):
    assert "no folder 'nowhere'" in complaint(capsys, "pairs", "--from", "gray", "nowhere", tmp_path / "out")
    with pytest.raises(NotFoundError):
        make_pairs.join_folders(write(tmp_path / "A", 2), tmp_path / "B", tmp_path / "out")


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_written(tmp_path, capsys, out):
    (tmp_path / "file").touch()
    text = complaint(capsys, "pairs", "--from", "gray", write(tmp_path / "photos", 3), tmp_path / out)
    assert f"folder '{tmp_path / out}' cannot be written: " in text
    assert (tmp_path / "file").is_file()


def test_a_full_disk_is_not_reported_as_a_broken_picture(tmp_path, capsys, monkeypatch):
    def write_bytes(path, content):
        assert any(folder.name.startswith(".unfinished.") for folder in path.parents)
        path.touch()
        raise OSError(28, "No space left on device", str(path))

    folder = write(tmp_path / "photos", 3)
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    text = complaint(capsys, "pairs", "--from", "gray", folder, tmp_path / "out")
    assert f"folder '{tmp_path / 'out'}' cannot be written: No space left on device: make room, then try again." in text
    assert not (tmp_path / "out").exists()


def test_unmatched_pictures_are_named(tmp_path, capsys):
    folder_A, folder_B = write(tmp_path / "A", 9), write(tmp_path / "B", 4)
    photo(0).save(folder_B / "other.png")
    text = complaint(capsys, "join", folder_A, folder_B, tmp_path / "out")
    alone = ", ".join(str(folder_A / f"{i:02}.png") for i in (4, 5, 6))
    assert f"pictures without a match of the same name, 6 in all: {alone} and 3 more; add" in text
    for number in range(4, 9):
        (folder_A / f"{number:02}.png").unlink()
    text = complaint(capsys, "join", folder_A, folder_B, tmp_path / "out")
    assert f"pictures without a match of the same name, 1 in all: {folder_B / 'other.png'}; add" in text
    assert not (tmp_path / "out").exists()


def test_folders_with_and_without_splits_cannot_be_joined(tmp_path, capsys):
    folder_A, folder_B = write(tmp_path / "A", 4), write(tmp_path / "B" / "train", 3).parent
    write(folder_B / "val", 1)
    for folders in ((folder_A, folder_B), (folder_B, folder_A)):
        text = complaint(capsys, "join", *folders, tmp_path / "out")
        assert f"{folder_B} has a test split (val or test) and {folder_A} has none" in text


def test_a_folder_is_not_joined_with_itself(tmp_path, capsys):
    folder = write(tmp_path / "A", 3)
    (tmp_path / "link").symlink_to(folder)
    assert "A and B are the same folder" in complaint(capsys, "join", folder, tmp_path / "link", tmp_path / "out")


FAULTS = {
    "no command": ([], "the following arguments are required: COMMAND"),
    "an unknown command": (["pear"], "invalid choice: 'pear'"),
    "no kind": (["pairs", "a", "b"], "the following arguments are required: --from"),
    "an unknown kind": (["pairs", "--from", "sketch", "a", "b"], "invalid choice: 'sketch'"),
    "no out": (["join", "a", "b"], "the following arguments are required: OUT"),
    "no size": (["join", "a", "b", "c", "--size", "big"], "'big' is not a size; write 256 or 192x256 (height x width)"),
    "a size of nothing": (["join", "a", "b", "c", "--size", "0"], "'0' is not a size"),
    "three sides": (["join", "a", "b", "c", "--size", "4x4x3"], "'4x4x3' is not a size"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mistyped_command_is_one_line(capsys, fault):
    arguments, message = FAULTS[fault]
    assert message in complaint(capsys, *arguments)


@pytest.mark.parametrize("size", [(0, 4), (4, 4.5), 4, (4, 4, 3), "4"])
def test_a_bad_size_from_python(tmp_path, size):
    with pytest.raises(BadValueError):
        make_pairs.make_pairs("gray", write(tmp_path / "photos", 2), tmp_path / "out", size=size)
    assert not (tmp_path / "out").exists()


def test_a_bad_kind_from_python(tmp_path):
    with pytest.raises(BadValueError, match="pairs are made from gray or edges, not 'sketch'"):
        make_pairs.make_pairs("sketch", write(tmp_path / "photos", 2), tmp_path / "out")


def test_ctrl_c_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    def read(path, *how):
        if path.stem == "03":
            assert written(tmp_path / "out")
            raise KeyboardInterrupt
        return photo(0)

    monkeypatch.setattr(make_pairs, "read_picture", read)
    with pytest.raises(SystemExit) as done:
        main(["pairs", "--from", "gray", str(write(tmp_path / "photos", 5)), str(tmp_path / "out")])
    assert done.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text, size", [("64", (64, 64)), ("48x64", (48, 64)), ("48X64", (48, 64))])
def test_sizes_are_height_by_width(tmp_path, text, size):
    out = tmp_path / "out"
    main(["pairs", "--from", "gray", str(write(tmp_path / "photos", 2)), str(out), "--size", text])
    assert saved(out / "val" / "00.png").size == (2 * size[1], size[0])


# The command:


def test_the_command_and_its_help_need_no_keras(tmp_path):
    write(tmp_path / "photos", 3, ending="jpg")
    codes, lines, errors = datasets_without_frameworks(
        tmp_path, ["pairs", "--from", "edges", "photos", "out"], ["pairs", "--help"]
    )
    assert codes == [0, 0] and not errors
    assert lines[:3] == [
        "Made 3 pairs in out: 2 in train, 1 in val.",
        "Next: python -m keras_gan.datasets check out",
        "Then: python -m keras_gan.pix2pix --dataset out --quick",
    ]
    assert written(tmp_path / "out") == ["train/01.png", "train/02.png", "val/00.png"]
    text = "\n".join(lines[3:])
    assert "--from {gray,edges}" in text and "every tenth picture by name" in text

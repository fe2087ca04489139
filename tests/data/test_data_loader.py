import numpy as np
import pytest
from PIL import Image

from keras_gan import DataLoader
from keras_gan.images.sources import read_picture


def drawn(**options):
    return DataLoader("drawn_shoes", **{"img_res": (32, 32), "seed": 0} | options)


def names(A):
    """The numbers of the pictures in a batch from `paired_folder`, by their brightness."""
    return [round((float(a[0, 0, 0]) + 1) * 127.5 - 100) // 20 for a in A]


def test_load_data_splits_resizes_and_scales(paired_folder):
    A, B = DataLoader(paired_folder, (8, 12)).load_data(batch_size=4)
    assert A.shape == B.shape == (4, 8, 12, 3) and A.dtype == B.dtype == np.float32
    for a, b in zip(A, B, strict=True):
        value = a[0, 0, 0]
        assert -1 <= value <= 1
        np.testing.assert_allclose(a, np.broadcast_to([value, -1, -1], a.shape), atol=1e-6)
        np.testing.assert_allclose(b, np.broadcast_to([-1, -1, value], b.shape), atol=1e-6)


def test_an_epoch_holds_every_pair_once_in_another_order_each_time(paired_folder):
    loader = DataLoader(paired_folder, (16, 16), seed=4)
    epochs = [[names(A) for A, _ in loader.load_batch(2)] for _ in range(6)]
    assert loader.n_batches == 3
    assert all([len(batch) for batch in epoch] == [2, 2, 1] for epoch in epochs)
    assert all(sorted(sum(epoch, [])) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({str(epoch) for epoch in epochs}) > 1
    repeated = DataLoader(paired_folder, (16, 16), seed=4)
    assert [[names(A) for A, _ in repeated.load_batch(2)] for _ in range(6)] == epochs
    other = DataLoader(paired_folder, (16, 16), seed=5)
    assert [[names(A) for A, _ in other.load_batch(2)] for _ in range(6)] != epochs


def test_fit_sees_the_same_batches_in_whatever_order_threads_ask_for_them():
    loader = drawn().batches(3)
    forward = [loader[i] for i in range(4)]
    for i in reversed(range(4)):
        np.testing.assert_array_equal(loader[i], forward[i])
    assert len(loader) == loader.n_batches == 334


def test_shorter_epochs_still_cover_all_pairs(paired_folder):
    loader = DataLoader(paired_folder, (16, 16), seed=1).batches(2, steps_per_epoch=2)
    seen = []
    for _ in range(3):
        seen += [names(loader[i][0]) for i in range(len(loader))]
        loader.on_epoch_end()
    assert sorted(sum(seen[:3], [])) == sorted(sum(seen[3:], [])) == [0, 1, 2, 3, 4]


def test_flips_are_shared_by_both_halves_and_only_for_training(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 16, 3), dtype=np.uint8)
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        Image.fromarray(pixels).save(tmp_path / split / "0.png")
    loader = DataLoader(tmp_path, (8, 8), seed=0)
    original_A, original_B = pixels[:, :8] / 127.5 - 1, pixels[:, 8:] / 127.5 - 1
    flips = set()
    for _ in range(20):
        for A, B in loader.load_batch():
            flipped = np.allclose(A[0], original_A[:, ::-1], atol=1e-6)
            flips.add(flipped)
            step = -1 if flipped else 1
            np.testing.assert_allclose(A[0], original_A[:, ::step], atol=1e-6)
            np.testing.assert_allclose(B[0], original_B[:, ::step], atol=1e-6)
        A, B = loader.load_data(is_testing=True)
        np.testing.assert_allclose(A[0], original_A, atol=1e-6)
        np.testing.assert_allclose(B[0], original_B, atol=1e-6)
    assert flips == {True, False}


def test_resizing_is_antialiased_and_leaves_contrast_alone(tmp_path):
    """A fine checkerboard becomes uniform gray, and dim pictures stay dim (the post's imresize stretched contrast)."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 100 + 50
    image = Image.fromarray(np.hstack([board, np.full((64, 64), 60)]).astype("uint8"))
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        image.save(tmp_path / split / "0.png")
    A, B = DataLoader(tmp_path, (16, 16)).load_data(is_testing=True)
    np.testing.assert_allclose(A, 100 / 127.5 - 1, atol=3 / 127.5)
    np.testing.assert_allclose(B, 60 / 127.5 - 1, atol=1e-6)


def test_imread_and_load_img(paired_folder):
    loader = DataLoader(paired_folder, (10, 20))
    picture = loader.imread(paired_folder / "train" / "0.png")
    assert picture.shape == (16, 32, 3) and picture.dtype == np.float32
    assert picture[0, 0].tolist() == [100, 0, 0] and picture[0, -1].tolist() == [0, 0, 100]
    loaded = loader.load_img(str(paired_folder / "train" / "0.png"))
    assert loaded.shape == (1, 10, 20, 3) and loaded.min() == -1


def test_gray_pictures_for_gray_networks():
    A, B = drawn(channels=1).load_data(2)
    assert A.shape == B.shape == (2, 32, 32, 1)


# File formats.

KINDS = {
    "gray": lambda: Image.new("L", (8, 4), 200),
    "palette": lambda: Image.new("RGB", (8, 4), (200, 200, 200)).quantize(),
    "16 bits": lambda: Image.fromarray(np.full((4, 8), 200 * 257, np.uint16)),
    "alpha": lambda: Image.new("RGBA", (8, 4), (200, 200, 200, 255)),
    "gray with alpha": lambda: Image.new("LA", (8, 4), (200, 255)),
    "one bit": lambda: Image.new("1", (8, 4), 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_png_becomes_colour(tmp_path, kind):
    KINDS[kind]().save(tmp_path / "x.png")
    image = read_picture(tmp_path / "x.png")
    assert image.mode == "RGB" and image.size == (8, 4)
    assert image.getpixel((3, 2)) == ((255,) * 3 if kind == "one bit" else (200,) * 3)
    assert read_picture(tmp_path / "x.png", channels=1).mode == "L"


def test_transparency_becomes_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (4, 4), (0, 0, 0, 128)).save(tmp_path / "half.png")
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([10, 20, 30])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert read_picture(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)
    assert read_picture(tmp_path / "half.png").getpixel((0, 0)) == (127, 127, 127)
    assert read_picture(tmp_path / "palette.png").getpixel((0, 0)) == (255, 255, 255)


def test_cmyk_and_exif_rotation(tmp_path):
    Image.new("CMYK", (8, 4), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=95)
    red, green, blue = read_picture(tmp_path / "cmyk.jpg").getpixel((3, 2))
    assert red > 200 and green < 80 and blue < 80
    rotated = Image.new("RGB", (4, 8))
    exif = rotated.getexif()
    exif[0x0112] = 6  # rotated by 90 degrees
    rotated.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").size == (8, 4)


# Errors.


BROKEN = ["text", "empty", "truncated", "odd"]


def write_broken(folder, kinds):
    whole = (folder / "0.png").read_bytes()
    contents = {"text": b"not a picture", "empty": b"", "truncated": whole[: len(whole) // 2]}
    for kind in kinds:
        if kind == "odd":
            Image.new("RGB", (31, 16)).save(folder / "odd.png")
        else:
            (folder / f"{kind}.png").write_bytes(contents[kind])


def test_broken_pictures_are_named_counted_and_skipped(paired_folder, capsys):
    write_broken(paired_folder / "train", BROKEN)
    loader = DataLoader(paired_folder, (16, 16), seed=0).batches(3)
    complaints = capsys.readouterr().err
    for number, name in enumerate(sorted(BROKEN), 1):
        assert f"{name}.png" in complaints and f"({number} skipped so far)" in complaints
    assert "width of 31 is odd, so it has no two equal halves" in complaints
    assert loader.n_batches == 2
    assert sorted(sum((names(loader[i][0]) for i in range(2)), [])) == [0, 1, 2, 3, 4]


def test_a_picture_that_breaks_later_is_replaced_and_named_once(paired_folder, capsys):
    loader = DataLoader(paired_folder, (16, 16), seed=0).batches(5)
    (paired_folder / "train" / "2.png").write_bytes(b"gone")
    for _ in range(2):
        assert sorted(names(loader[0][0])) == [0, 1, 3, 3, 4]
    assert capsys.readouterr().err.count("2.png") == 1


def test_more_than_half_broken_is_an_error_before_training(paired_folder):
    for number in range(3):
        (paired_folder / "train" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"3 of 5 pictures cannot be used, the first of them .*0\.png: "):
        DataLoader(paired_folder).batches(1)


@pytest.mark.parametrize("width", [1, 31])
def test_pictures_of_odd_width_are_an_error(paired_folder, width):
    for path in (paired_folder / "train").iterdir():
        Image.new("RGB", (width, 16)).save(path)
    with pytest.raises(ValueError, match=f"its width of {width} is odd, so it has no two equal halves"):
        DataLoader(paired_folder).batches(1)


def test_a_missing_data_set_names_what_exists_and_the_layout(paired_folder, monkeypatch):
    monkeypatch.chdir(paired_folder.parent)
    (paired_folder.parent / "datasets" / "mine").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"no data set 'shoos': .*datasets/mine, drawn_shoes, drawn_fruit; expected pairs"
    ):
        DataLoader("shoos")


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_split_is_named(paired_folder, split):
    for path in (paired_folder / split).iterdir():
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(ValueError, match=rf"no pictures in .*{split}"):
        DataLoader(paired_folder)


def test_val_falls_back_to_test(paired_folder):
    (paired_folder / "val").rename(paired_folder / "test")
    assert len(DataLoader(paired_folder).test) == 2


def test_hidden_files_are_ignored_and_extensions_match_in_any_case(paired_folder):
    folder = paired_folder / "train"
    (folder / "0.png").rename(folder / "0.PNG")
    (folder / "._1.png").write_bytes(b"finder")
    (folder / ".DS_Store").write_bytes(b"finder")
    assert len(DataLoader(paired_folder).train) == 5


def test_names_are_looked_up_below_datasets(paired_folder, monkeypatch, capsys):
    monkeypatch.chdir(paired_folder.parent)
    (paired_folder.parent / "datasets").mkdir()
    paired_folder.rename(paired_folder.parent / "datasets" / "edges2shoes")
    assert DataLoader("edges2shoes").dataset_name == DataLoader().dataset_name == "edges2shoes"
    assert not capsys.readouterr().out


def test_the_default_without_edges2shoes_is_drawn_shoes_with_a_notice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert DataLoader().dataset_name == "drawn_shoes"
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and "drawn_shoes" in line and "download edges2shoes" in line


@pytest.mark.parametrize("name", ["batch_size", "steps_per_epoch"])
def test_zero_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be .* not 0"):
        drawn(**{name: 0})
    with pytest.raises(ValueError, match=f"{name} must be .* not 0"):
        drawn().batches(**{"batch_size": 1} | {name: 0})


def test_the_real_shoes_load(shared):
    loader = DataLoader(shared("data/edges2shoes"), (64, 64)).batches(4)
    assert (len(loader.train), len(loader.test)) == (782, 213)
    A, B = loader[0]
    assert A.shape == B.shape == (4, 64, 64, 3)
    assert A.mean() > B.mean()  # A has thin lines on white


def test_photos_beside_arrays_in_another_folder_keep_their_brightness(tmp_path):
    for number in range(10):
        for side in "AB":
            (tmp_path / side).mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), "white").save(tmp_path / "A" / f"{number}.png")
        np.save(tmp_path / "B" / f"{number}.npy", np.ones((8, 8, 3), "float32"))
    loader = DataLoader(tmp_path / "A", dataset_B=tmp_path / "B", img_res=(8, 8))
    A, B = loader.load_data(2)
    assert (A == 1).all() and (B == 1).all()

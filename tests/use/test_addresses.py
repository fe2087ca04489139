"""Addresses such as s3:// where only a file or folder will do: refused, not taken for a folder named `s3:`."""

from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image
from support import sharded
from support.commands import check_complaint, run_here

from keras_gan.errors import BadValueError, check_here

#: The module and its words. RUN is a trained Pix2Pix, NOISE a DCGAN, WHERE the address.
COMMANDS = {
    "translate to": ("translate.__main__", "RUN", "photos", "--output", "WHERE"),
    "translate from": ("translate.__main__", "RUN", "WHERE", "--output", "out"),
    "generate": ("generate.__main__", "NOISE", "--count", "1", "--output", "WHERE"),
    "export": ("export", "RUN", "--format", "savedmodel", "--output", "WHERE"),
    "pairs": ("datasets.__main__", "pairs", "--from", "gray", "photos", "WHERE"),
    "download": ("datasets.__main__", "download", "facades", "--output", "WHERE"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with a folder of photos."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for number in range(3):
        Image.new("RGB", (32, 32), (number, 80, 160)).save(f"photos/{number}.png")
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_an_address_is_refused_in_one_line(name, here, saved, capsys):
    module, *words = COMMANDS[name]
    known = {"WHERE": "s3://bucket/made", "RUN": saved("pix2pix")[1], "NOISE": saved("dcgan")[1]}
    with pytest.raises(SystemExit) as stop:
        import_module(f"keras_gan.{module}").main([str(known.get(word, word)) for word in words])
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, "is an address")
    assert [path.name for path in here.iterdir()] == ["photos"]


def test_training_goes_to_no_address(here, capsys):
    with pytest.raises(SystemExit):
        run_here("gan", "--output", "gs://bucket/run", "--epochs", "1")
    check_complaint(capsys.readouterr().err, "'gs://bucket/run' is an address")
    with pytest.raises(BadValueError, match="is an address"):
        check_here(Path("gs://bucket/run"))
    assert [path.name for path in here.iterdir()] == ["photos"]


def test_shards_are_translated_by_ray_alone(here, saved, capsys):
    sharded.tar(here / "x/000.tar", sharded.singles(2))
    for given in ("x", "x/000.tar", "x/{000..001}.tar"):
        with pytest.raises(SystemExit):
            import_module("keras_gan.translate.__main__").main([str(saved("pix2pix")[1]), given, "--output", "out"])
        check_complaint(capsys.readouterr().err, f"'{given}' are shards: add --engine ray")


def test_pictures_are_no_shards_because_a_data_set_has_their_name(here, saved):
    sharded.tar(here / "datasets/photos/000.tar", sharded.singles(2))
    import_module("keras_gan.translate.__main__").main([str(saved("pix2pix")[1]), "photos", "--output", "out"])
    assert len(list(Path("out").iterdir())) == 3


def test_a_folder_of_such_a_name_and_a_drive_are_no_addresses(here):
    for place in ("C:/runs", "runs/a:/b", "a folder", here):
        check_here(place)
    Path("s3:").mkdir()
    check_here("s3:/runs")

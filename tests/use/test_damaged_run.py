"""`evaluate` and `translate` with a damaged run end in their usual result or in one line."""

import random
import shutil

import pytest
from support.commands import translate_here
from support.runs import save_run

from keras_gan.errors import UserError
from keras_gan.evaluate import evaluate
from keras_gan.report.run_files import read_record, save_record

pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_flipped_bit_changes_no_figure_and_no_picture(paired_folder, tmp_path, capsys):
    save_run(tmp_path / "whole", "pix2pix")
    config = read_record(tmp_path / "whole" / "config.json")
    config["arguments"] |= {"dataset_name": str(paired_folder)}
    save_record(tmp_path / "whole" / "config.json", config)
    save_record(tmp_path / "whole" / "data.json", {"train": {str(paired_folder / "train/0.png"): "1 1"}})

    def figures_of(run):
        return evaluate(run, extractor=lambda pictures: pictures.mean(axis=(1, 2)))[1]["directions"]

    def picture_of(run):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        code = translate_here(run, paired_folder / "val/0.png", "--output", tmp_path / "out")
        return [path.read_bytes() for path in (tmp_path / "out").rglob("*.png")] if code == 0 else code

    figures, picture = figures_of(tmp_path / "whole"), picture_of(tmp_path / "whole")
    seed = random.SystemRandom().randrange(2**32)
    chance, refused = random.Random(seed), 0
    print("flips by seed", seed)
    for number in range(60):
        run = tmp_path / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", run)
        path = run / ("models/generator.keras" if number % 2 else chance.choice(("config.json", "data.json")))
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            assert figures_of(run) == figures
        except UserError as error:
            assert "\n" not in str(error)
            refused += 1
        capsys.readouterr()
        found = picture_of(run)
        printed = capsys.readouterr().err
        assert found == picture or (found == 2 and printed.splitlines()[-1].startswith("error: "))
        assert "Traceback" not in printed
    print(refused, "of 60 refused")

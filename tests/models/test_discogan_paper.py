"""The model of the DiscoGAN paper, and its two baselines."""

import numpy as np
import pytest

from keras_gan import DiscoGANPaper

pytestmark = pytest.mark.usefixtures("eagerly")


def small(game="discogan", **options):
    return DiscoGANPaper((32, 32, 3), gf=4, df=4, game=game, dataset_name="drawn_shoes", **options)


@pytest.fixture(scope="module")
def gan():
    """A shared model for tests that work with any weights."""
    return small(seed=0)


@pytest.fixture
def pair(batch):
    """A batch of both domains in [0, 1], the paper's value range."""
    return [(side + 1) / 2 for side in batch()]


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_networks_of_the_paper_at_64():
    gan = DiscoGANPaper(dataset_name="drawn_shoes")
    assert trainable(gan.g_AB) == 5_513_856
    assert trainable(gan.d_A) == 2_765_568
    assert gan.d_A.output_shape == (None, 1, 1, 1) and gan.data_loader.value_range == (0, 1)
    fake = gan.g_AB(np.zeros((1, 64, 64, 3)))
    assert np.min(fake) >= 0 and np.max(fake) <= 1


def test_networks_and_outputs_of_each_game(gan, pair, monkeypatch):
    features = [f"features_{side}_{i}" for side in "AB" for i in (1, 2, 3)]
    paper, back, forth = gan, small("recongan"), small("gan")
    assert paper.combined.output_names == ["valid_A", "valid_B", "reconstr_A", "reconstr_B", *features]
    assert back.combined.output_names == ["valid_B", "reconstr_A", *features[3:]]
    assert forth.combined.output_names == ["valid_B", *features[3:]]
    names = [[network.name for network in gan.networks] for gan in (paper, back, forth)]
    assert names == [["g_AB", "g_BA", "d_A", "d_B"], ["g_AB", "g_BA", "d_B"], ["g_AB", "d_B"]]
    monkeypatch.setattr(forth.g_BA, "predict_on_batch", None)  # which "gan" does not train
    assert list(forth.translations(*pair)) == ["A", "A to B"] and list(back.translations(*pair)) == [
        "A",
        "A to B",
        "and back",
    ]


def test_no_pair_has_both_halves_in_the_training_set(gan):
    loader = gan.data_loader
    assert loader.value_range == (0, 1)
    assert {half.picture for half in loader.train_A}.isdisjoint(half.picture for half in loader.train_B)


def test_every_third_iteration_trains_only_the_discriminators(gan, pair):
    gan.iteration.assign(0)
    moved = []
    for _ in range(4):
        before = [network.get_weights() for network in gan.networks]
        gan.train_on_batch(*pair)
        after = [network.get_weights() for network in gan.networks]
        moved.append([not all(map(np.array_equal, a, b)) for a, b in zip(before, after, strict=True)])
    generators, discriminators = [True, True, False, False], [False, False, True, True]
    assert moved == [discriminators, generators, generators, discriminators]


def test_weights_and_curriculum_are_arguments():
    numbers = {"valid_weight": 0.3, "features_weight": 0.4, "starting_rate": 0.2, "default_rate": 0.6}
    gan = small(**numbers, gan_curriculum=5)
    for iteration, rate in ((4, 0.2), (5, 0.6)):
        gan.iteration.assign(iteration)
        gan.before_step()
        weights = {kind: float(variable) for kind, variable in gan.weights_now.items()}
        expected = {"valid": 0.3 * (1 - rate), "features": 0.4 * (1 - rate), "reconstr": rate}
        assert weights == pytest.approx(expected)


def test_the_weight_of_the_round_trip_rises_to_one_half(gan, pair):
    for iteration, rate in ((1, 0.01), (9_999, 0.01), (10_000, 0.5)):
        gan.iteration.assign(iteration)
        logs = gan.train_on_batch(*pair, return_dict=True)
        if iteration % 3:  # the generators' turn
            kinds = ("valid", "features", "reconstr")
            terms = {kind: sum(v for name, v in logs.items() if name.startswith(kind)) for kind in kinds}
            expected = (1 - rate) * (0.1 * terms["valid"] + 0.9 * terms["features"]) + rate * terms["reconstr"]
            decay = logs["g_loss"] - expected  # 0.5e-5 of the squares of all kernels
            assert 0 < decay < 0.01
        assert float(gan.weights_now["reconstr"]) == pytest.approx(rate)


def test_reconstructions_are_scored_by_squared_error(gan, pair):
    A, _ = pair
    gan.iteration.assign(1)
    back = np.asarray(gan.g_BA(gan.g_AB(A, training=True), training=True))
    logs = gan.train_on_batch(*pair, return_dict=True)
    np.testing.assert_allclose(logs["reconstr_A_loss"], np.mean((back - A) ** 2), rtol=1e-3)


def test_invalid_values_are_named():
    with pytest.raises(ValueError, match="game must be one of discogan, recongan, gan, not 'cogan'"):
        small("cogan")
    with pytest.raises(ValueError, match="image size 72x64: height and width must be multiples of 16"):
        DiscoGANPaper((72, 64, 3), dataset_name="drawn_shoes")

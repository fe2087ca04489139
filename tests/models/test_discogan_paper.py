"""The game of the DiscoGAN paper, and those that it is compared with."""

import numpy as np
import pytest

from keras_gan import DiscoGANPaper

pytestmark = pytest.mark.usefixtures("eagerly")


def small(game="discogan", **options):
    return DiscoGANPaper((32, 32, 3), gf=4, df=4, game=game, dataset_name="drawn_shoes", **options)


@pytest.fixture(scope="module")
def gan():
    """For tests to which it does not matter what it has learned."""
    return small(seed=0)


@pytest.fixture
def pair(batch):
    """A batch of both domains in the range of the paper's pictures."""
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


def test_who_plays_and_for_what(gan):
    features = [f"features_{side}_{i}" for side in "AB" for i in (1, 2, 3)]
    paper, back, forth = gan, small("recongan"), small("gan")
    assert paper.combined.output_names == ["valid_A", "valid_B", "reconstr_A", "reconstr_B", *features]
    assert back.combined.output_names == ["valid_B", "reconstr_A", *features[3:]]
    assert forth.combined.output_names == ["valid_B", *features[3:]]
    names = [[network.name for network in gan.networks] for gan in (paper, back, forth)]
    assert names == [["g_AB", "g_BA", "d_A", "d_B"], ["g_AB", "g_BA", "d_B"], ["g_AB", "d_B"]]


def test_no_picture_meets_its_partner(gan):
    loader = gan.data_loader
    assert loader.value_range == (0, 1)
    assert {half.picture for half in loader.train_A}.isdisjoint(half.picture for half in loader.train_B)


def test_every_third_iteration_is_the_discriminators(gan, pair):
    gan.iteration.assign(0)
    moved = []
    for _ in range(4):
        before = [network.get_weights() for network in gan.networks]
        gan.train_on_batch(*pair)
        after = [network.get_weights() for network in gan.networks]
        moved.append([not all(map(np.array_equal, a, b)) for a, b in zip(before, after, strict=True)])
    generators, discriminators = [True, True, False, False], [False, False, True, True]
    assert moved == [discriminators, generators, generators, discriminators]


def test_coming_back_counts_little_at_first_and_half_later(gan, pair):
    for iteration, rate in ((1, 0.01), (9_999, 0.01), (10_000, 0.5)):
        gan.iteration.assign(iteration)
        logs = gan.train_on_batch(*pair, return_dict=True)
        if iteration % 3:  # not the discriminators'
            kinds = ("valid", "features", "reconstr")
            terms = {kind: sum(v for name, v in logs.items() if name.startswith(kind)) for kind in kinds}
            expected = (1 - rate) * (0.1 * terms["valid"] + 0.9 * terms["features"]) + rate * terms["reconstr"]
            decay = logs["g_loss"] - expected  # 0.5e-5 of the squares of all kernels
            assert 0 < decay < 0.01
        assert float(gan.weights_now["reconstr"]) == pytest.approx(rate)


def test_reconstructions_are_compared_by_squares(gan, pair):
    A, _ = pair
    gan.iteration.assign(1)
    back = np.asarray(gan.g_BA(gan.g_AB(A, training=True), training=True))
    logs = gan.train_on_batch(*pair, return_dict=True)
    np.testing.assert_allclose(logs["reconstr_A_loss"], np.mean((back - A) ** 2), rtol=1e-3)


def test_bad_values_are_named():
    with pytest.raises(ValueError, match="game must be one of discogan, recongan, gan, not 'cogan'"):
        small("cogan")
    with pytest.raises(ValueError, match="image size 72x64: height and width must be multiples of 16"):
        DiscoGANPaper((72, 64, 3), dataset_name="drawn_shoes")

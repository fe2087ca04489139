"""Losses of a model on a batch, without training."""


def scores(gan, A, B):
    """The loss of `combined`, as `loss`, and its terms, as `OUTPUT_loss`."""
    gan.combined.reset_metrics()
    return gan.combined.test_on_batch([A, B], gan.generator_targets([A, B]), return_dict=True)

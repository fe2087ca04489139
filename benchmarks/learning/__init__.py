"""The experiments by name."""

from learning import colouring, latent, paired, toy, unpaired

EXPERIMENTS = paired.EXPERIMENTS | unpaired.EXPERIMENTS | colouring.EXPERIMENTS | latent.EXPERIMENTS | toy.EXPERIMENTS

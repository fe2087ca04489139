"""A page to draw on: `python -m keras_gan.demo`."""

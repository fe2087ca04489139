"""A web page to try a generator: `python -m keras_gan.demo`."""

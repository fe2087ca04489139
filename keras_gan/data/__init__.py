"""Loaders: pictures as batches."""

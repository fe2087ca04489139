"""Loaders: read pictures and yield batches."""

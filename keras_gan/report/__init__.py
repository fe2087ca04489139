"""Monitoring of a run: history, sample grids, curves, TensorBoard, an HTML report."""

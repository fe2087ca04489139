"""What shows a run to people: figures, grids, curves, a page."""

"""Training in a run folder."""

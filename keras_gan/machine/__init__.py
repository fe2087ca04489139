"""What the machine gives: memory, installed packages, Ctrl-C, and the Ray cluster that it belongs to."""

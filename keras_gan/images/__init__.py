"""Pictures: reading, scaling, drawing and saving them."""

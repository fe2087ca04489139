"""Reading, scaling, drawing and saving images."""

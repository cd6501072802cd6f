"""Pictures: opened, cut to squares, turned into arrays and back, arranged in grids, saved."""

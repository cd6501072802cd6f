"""One door for pictures: opened, cut to squares, turned into numbers, laid in grids, saved."""

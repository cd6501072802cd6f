"""Studies: the paper's comparisons, their variants, their tables and their reports."""

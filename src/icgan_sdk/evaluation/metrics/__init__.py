"""Metrics: what an evaluation measures, one file each, all in one table."""

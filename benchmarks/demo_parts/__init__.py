"""Visitors of the demo, honest and hostile, and what its process takes."""

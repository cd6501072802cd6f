"""Telling a caller how far a long piece of work is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how many pictures are done, and how many there are."""

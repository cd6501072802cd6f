"""What this machine lets the process use."""

import os


def usable_cores() -> int:
    """Processor cores that the process may use: those it is bound to, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

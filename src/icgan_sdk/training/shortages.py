"""Errors for what a machine lacks: memory, or a compiler."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from icgan_sdk.errors import ResourceError

NO_MEMORY = ("DefaultCPUAllocator", "out of memory", "Unable to allocate", "can't allocate memory")
"""Parts of the messages by which torch and numpy say it; only for GPUs there is a type."""

NO_COMPILER = {"InvalidCxxCompiler", "InductorError", "BackendCompilerFailed", "TritonMissing"}
"""Types of torch.compile's errors, which live in private modules."""


@contextmanager
def naming_shortages(stage: str) -> Iterator[None]:
    """Turn a lack of memory or of a compiler into an error that names the settings to change.

    Args:
        stage: The stage that runs in the context.

    Raises:
        ResourceError: If there is too little memory, or no compiler.
    """
    try:
        yield
    except (RuntimeError, MemoryError, OSError) as error:
        kinds = {type(e).__name__ for e in (error, error.__cause__, error.__context__)}
        if kinds & NO_COMPILER:
            raise ResourceError(
                f"stage {stage}: torch.compile finds no working compiler here: leave out "
                "run.compile"
            ) from error
        if _is_no_memory(error):
            raise ResourceError(
                f"stage {stage}: out of memory: lower {stage}.batch_size, the networks' widths "
                "(model.generator_width …) or the size of the pictures"
            ) from error
        raise


def _is_no_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(part in str(error) for part in NO_MEMORY)

"""Hostile pictures uploaded to the running demo: a picture that is read, or a message."""

import atexit
import contextlib
import random
from pathlib import Path

from demo_parts.serving import serving
from demo_parts.visitor import RefusedError, Visitor

from fault_parts.mutation import mutate
from fault_parts.pictures import save_model, seeds
from fault_parts.rounds import Round


def make(folder: Path) -> Round:
    """Rounds that damage one picture's file and upload it."""
    save_model(folder / "model")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    server = stack.enter_context(serving(str(folder / "model")))
    visitor, kinds = Visitor(server.address, "model"), seeds()

    def upload_one(chance: random.Random) -> str:
        kind, data = mutate(chance.choice(kinds), chance)
        try:
            visitor.upload(f"picture.{chance.choice(['png', 'jpg', 'bin'])}", data)
        except RefusedError as refusal:
            if not str(refusal):
                raise
            return f"{kind}: refused"
        return f"{kind}: read"

    return upload_one

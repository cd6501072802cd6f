from collections import Counter
from typing import Any

from icgan_sdk.engines.engine import Engine


def counted(engine: Engine) -> Counter[str]:
    """How often an engine is called from now on, by method."""
    calls: Counter[str] = Counter()

    def count(name: str) -> None:
        method = getattr(engine, name)

        def counting(*arguments: Any) -> Any:
            calls[name] += 1
            return method(*arguments)

        setattr(engine, name, counting)

    for name in ("encode", "read", "decode", "change", "paint", "refine"):
        count(name)
    return calls

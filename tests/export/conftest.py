from typing import Any

import pytest

from icgan_sdk.export import exporting
from icgan_sdk.export.graphs import Graph, make_graphs


@pytest.fixture
def only_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports write what an engine runs, and not the whole edit in one: half the time."""

    def make(*arguments: Any, **options: Any) -> list[Graph]:
        return make_graphs(*arguments, **options)[:-1]

    monkeypatch.setattr(exporting, "make_graphs", make)

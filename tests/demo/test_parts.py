"""What several tabs of the page are made of."""

from typing import Any

import gradio as gr
import pytest
from PIL import Image

from icgan_sdk import IcGAN
from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.parts import Slot, picture_slot, when_switched
from tests.demo.conftest import building


@pytest.fixture
def exhibits(tiny: IcGAN) -> dict[str, Exhibit]:
    def examples(colour: str) -> tuple[Image.Image, ...]:
        return tuple(Image.new("RGB", (16, 16), colour) for _ in range(2))

    return {name: Exhibit(tiny, "", examples(name)) for name in ("red", "blue")}


def switched(exhibits: dict[str, Exhibit], *own: bool) -> tuple[list[Slot], dict[Any, Any]]:
    """Slots, some with the visitor's own picture, and what becomes of them with the blue model."""
    with building(), gr.Blocks(analytics_enabled=False) as page:
        choice = gr.Dropdown(list(exhibits), value="red")
        slots = [picture_slot(f"Picture {i}", exhibits, choice, i) for i in range(len(own))]
        when_switched(exhibits, choice, *slots)
        handler = list(page.fns.values())[-1]
        wishes = {choice: "blue"} | {s.own: is_own for s, is_own in zip(slots, own, strict=True)}
        assert {component._id for component in handler.inputs} == {c._id for c in wishes}
        assert handler.fn is not None
        return slots, handler.fn(wishes)


def test_another_model_changes_all_pictures_at_once(exhibits: dict[str, Exhibit]) -> None:
    slots, updates = switched(exhibits, False, False)
    for slot in slots:
        assert updates[slot.picture] is exhibits["blue"].examples[slot.first]
        with Image.open(updates[slot.source]) as shown:
            assert shown.getpixel((0, 0)) == (0, 0, 255)
        assert len(updates[slot.gallery].value) == 2


def test_the_visitors_own_pictures_stay(exhibits: dict[str, Exhibit]) -> None:
    (first, second), updates = switched(exhibits, True, False)
    assert not {first.picture, first.source} & updates.keys()
    assert {second.picture, second.source, first.gallery, second.gallery} == updates.keys()

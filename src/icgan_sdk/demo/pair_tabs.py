"""The tabs that work on two pictures: interpolation and exchange of attributes."""

from collections.abc import Mapping

import gradio as gr
from PIL import Image

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.parts import (
    LIVE,
    SEEN,
    WORK,
    Slot,
    picture_output,
    picture_slot,
    shown,
    when_switched,
)
from icgan_sdk.demo.uploads import as_messages, invert

STEPS = (3, 12)
USUAL_STEPS = 8


def _two_slots(exhibits: Mapping[str, Exhibit], choice: gr.Dropdown) -> tuple[Slot, Slot]:
    slots = []
    with gr.Row(elem_classes="pair"):
        for first, label in enumerate(("First picture", "Second picture")):
            with gr.Column(min_width=160):
                slots.append(picture_slot(label, exhibits, choice, first))
    return slots[0], slots[1]


def interpolation_tab(exhibits: Mapping[str, Exhibit], choice: gr.Dropdown, tab: gr.Tab) -> None:
    """From one picture to another in a row of steps.

    Args:
        exhibits: The models by name.
        choice: Which of them is chosen.
        tab: The tab this stands in; opening it shows the examples' way.
    """
    a, b = _two_slots(exhibits, choice)
    steps = gr.Slider(*STEPS, USUAL_STEPS, step=1, label="How many pictures", buttons=[])
    row = gr.Gallery(
        format="png",
        label="From the first to the second",
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=["download_all"],
        elem_classes="way",
    )

    def interpolate(
        name: str, first: Image.Image | None, second: Image.Image | None, count: int
    ) -> list[str]:
        if first is None or second is None:
            return []
        with as_messages():
            model = exhibits[name].model
            ends = invert(model, first), invert(model, second)
            frames = model.interpolate(*ends, steps=count)
        return [shown(frame, f"{number:02}") for number, frame in enumerate(frames, 1)]

    inputs = [choice, a.picture, b.picture, steps]
    for arrive in (tab.select, when_switched(exhibits, choice, a, b), a.arrived, b.arrived):
        arrive(interpolate, inputs, row, **SEEN, **WORK)
    steps.input(interpolate, inputs, row, **SEEN, **WORK, **LIVE)


def swap_tab(exhibits: Mapping[str, Exhibit], choice: gr.Dropdown, tab: gr.Tab) -> None:
    """Two pictures, and each with the other's attributes.

    Args:
        exhibits: The models by name.
        choice: Which of them is chosen.
        tab: The tab this stands in; opening it shows the examples swapped.
    """
    a, b = _two_slots(exhibits, choice)
    with gr.Row(elem_classes=["results", "traded"]):
        first_swapped = picture_output("First, changed")
        second_swapped = picture_output("Second, changed")

    def swap(
        name: str, first: Image.Image | None, second: Image.Image | None
    ) -> tuple[str | None, str | None]:
        if first is None or second is None:
            return None, None
        with as_messages():
            model = exhibits[name].model
            ends = invert(model, first), invert(model, second)
            swapped = model.swap_attributes(*ends)
        return shown(swapped[0], "first_swapped"), shown(swapped[1], "second_swapped")

    for arrive in (tab.select, when_switched(exhibits, choice, a, b), a.arrived, b.arrived):
        arrive(
            swap,
            [choice, a.picture, b.picture],
            [first_swapped, second_swapped],
            **SEEN,
            **WORK,
        )

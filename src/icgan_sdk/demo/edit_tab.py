"""The tab that edits one picture live."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block
from PIL import Image

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.controls import Controls
from icgan_sdk.demo.parts import (
    LIVE,
    WORK,
    picture_output,
    picture_slot,
    shown,
    when_switched,
)
from icgan_sdk.demo.uploads import as_messages, invert
from icgan_sdk.editing.encoded import find_detail
from icgan_sdk.facade import Inversion

WHOLE = "whole"
DETAILS = (
    ("the change on the photo", "photo"),
    ("the generated picture", "generated"),
    ("the whole photo", WHOLE),
)
REFINE = (("off", 0), ("50 steps", 50), ("200 steps", 200))

Values = dict[Block, Any]
"""Values that components hold or are to hold, as Gradio passes them."""


class EditTab:
    """A picture, what the model makes of it, its edit, and the controls of every model.

    Only the chosen model's controls are visible. The picture and what E_y read in it are kept in
    the visitor's session.

    Args:
        exhibits: The models by name.
        choice: Which of them is chosen.
        page: The page, whose opening shows the first picture.
    """

    def __init__(
        self, exhibits: Mapping[str, Exhibit], choice: gr.Dropdown, page: gr.Blocks
    ) -> None:
        self._exhibits = exhibits
        self._choice = choice
        self._panels: dict[str, gr.Column] = {}
        self._controls: dict[str, Controls] = {}
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                self._slot = picture_slot("Your picture", exhibits, choice)
                self._add_options()
            with gr.Column(scale=8, min_width=320):
                with gr.Row(elem_classes="results"):
                    self._original = picture_output("Original")
                    self._reconstruction = picture_output("Reconstruction")
                    self._edited = picture_output("Edited")
                for name, exhibit in exhibits.items():
                    with gr.Column(visible=name == choice.value) as self._panels[name]:
                        self._controls[name] = Controls(exhibit.model.config.attributes)
        self._components = [c for x in self._controls.values() for c in x.components]
        self._found, self._refined = gr.State(None), gr.State(None)
        self._listen(page)

    def _add_options(self) -> None:
        with gr.Group():
            self._detail = gr.Radio(
                DETAILS, value=self._usual_detail(self._choice.value), label="The edit shows"
            )
            self._refine = gr.Radio(REFINE, value=0, label="Refine the reconstruction (slow)")
            self._exaggerate = gr.Checkbox(label="Let sliders go to 2 (exaggerate)")
        self._reset = gr.Button("Reset the edit")

    def _usual_detail(self, name: str) -> str:
        return find_detail("auto", self._exhibits[name].model.config)

    def _listen(self, page: gr.Blocks) -> None:
        inputs = [self._choice, self._slot.picture, self._refine]
        outputs = [self._found, self._refined, self._original, self._reconstruction]
        wishes = {self._choice, self._refined, self._detail, *self._components}
        self._choice.input(
            self._choose,
            self._choice,
            [*self._panels.values(), self._detail],
            queue=False,
            api_visibility="private",
        )
        switched = when_switched(self._exhibits, self._choice, self._slot)
        for number, arrive in enumerate((self._slot.arrived, switched, page.load)):
            arrive(
                self._read,
                inputs,
                [*outputs, *self._components],
                show_progress="minimal",
                api_name=f"read_{number}",
                api_visibility="undocumented",
                **WORK,
            ).then(
                self._edit,
                wishes,
                self._edited,
                show_progress="hidden",
                api_visibility="private",
                **WORK,
            )
        gr.on(
            [self._detail.input, *(component.input for component in self._components)],
            self._edit,
            wishes,
            self._edited,
            api_name="edit",
            api_visibility="undocumented",
            **WORK,
            **LIVE,
        )
        self._refine.input(
            self._reconstruct,
            [self._found, self._refine],
            [self._refined, self._reconstruction],
            api_visibility="private",
            **WORK,
        ).then(self._edit, wishes, self._edited, api_visibility="private", **WORK)
        self._exaggerate.input(
            self._reach,
            {self._exaggerate, *self._components},
            self._components,
            queue=False,
            api_visibility="private",
        ).then(self._edit, wishes, self._edited, api_visibility="private", **WORK)
        self._reset.click(
            self._show_scores,
            [self._choice, self._found],
            self._components,
            api_visibility="private",
        ).then(self._edit, wishes, self._edited, api_visibility="private", **WORK)

    def _choose(self, name: str) -> Values:
        panels: Values = {
            panel: gr.Column(visible=name == other) for other, panel in self._panels.items()
        }
        return panels | {self._detail: self._usual_detail(name)}

    def _read(self, name: str, picture: Image.Image | None, refine: int) -> Values:
        if picture is None:
            gone = (self._found, self._refined, self._original, self._reconstruction)
            return dict.fromkeys(gone)
        with as_messages():
            found = invert(self._exhibits[name].model, picture)
            refined, drawn = self._reconstruct(found, refine)
            return {
                self._found: found,
                self._refined: refined,
                self._original: shown(found.square, "original"),
                self._reconstruction: drawn,
                **self._controls[name].show(found.scores),
            }

    def _edit(self, values: Values) -> str | None:
        name: str = values[self._choice]
        picture: Inversion | None = values[self._refined]
        attributes = self._exhibits[name].model.attributes
        if picture is None or picture.scores.keys() != set(attributes):
            return None  # no picture yet, or not yet read by this model
        wanted = self._controls[name].wanted(picture.scores, values)
        detail = values[self._detail]
        with as_messages():
            whole = detail == WHOLE
            edited = picture.paste_back(wanted) if whole else picture.edit(wanted, detail=detail)
        return shown(edited, "edited")

    def _reconstruct(
        self, found: Inversion | None, refine: int
    ) -> tuple[Inversion | None, str | None]:
        if found is None:
            return None, None
        with as_messages():
            refined = found.refined(refine)
            return refined, shown(refined.reconstruct(), "reconstruction")

    def _reach(self, values: Values) -> Values:
        exaggerate = bool(values[self._exaggerate])
        reached = (x.reach(exaggerate, values) for x in self._controls.values())
        return {slider: update for updates in reached for slider, update in updates.items()}

    def _show_scores(self, name: str, found: Inversion | None) -> Values:
        return self._controls[name].show(found.scores) if found is not None else {}

"""What stands on the tab that edits one picture."""

from collections.abc import Mapping

import gradio as gr

from icgan_sdk.demo import faces
from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.controls import Controls
from icgan_sdk.demo.history import History
from icgan_sdk.demo.parts import picture_output, picture_slot
from icgan_sdk.editing.latents import find_detail

WHOLE = "whole"
DETAILS = (
    ("the whole photo", WHOLE),
    ("the square that the model sees", "photo"),
    ("the generated picture", "generated"),
)
REFINE = (("off", 0), ("20 steps", 20), ("100 steps", 100))

COMPARE = """<label>Before <input type="range" min="0" max="100" value="0"
  oninput="this.closest('.compare').style.setProperty('--shown', this.value + '%')"></label>"""
"""Lays the original over the edited picture, from the left."""

NO_FACE = "**No face was found in this picture.** Choose one that shows a face from the front."


def usual_detail(exhibit: Exhibit) -> str:
    """What an edit by a model shows unless it is chosen."""
    detail = find_detail("auto", exhibit.model.config)
    return WHOLE if detail == "photo" else detail


class EditLayout:
    """A picture, its edit, what the model makes of it, and the controls of every model.

    Only the chosen model's controls are visible. Must be made inside a Gradio layout.

    Args:
        exhibits: The models by name.
        choice: Which of them is chosen.
    """

    def __init__(self, exhibits: Mapping[str, Exhibit], choice: gr.Dropdown) -> None:
        self.panels: dict[str, gr.Column] = {}
        self.controls: dict[str, Controls] = {}
        with gr.Row(elem_classes="edit"):
            with gr.Column(scale=3, min_width=280):
                self.slot = picture_slot("Your picture", exhibits, choice)
                self.marked = picture_output("Faces", visible=False)
                self.face = gr.Radio(
                    faces.choices(()), value=faces.LARGEST, label="Face", visible=False
                )
                self.note = gr.Markdown(NO_FACE, visible=False, elem_classes="note")
            with gr.Column(scale=5, min_width=300, elem_classes="results"):
                with gr.Column(elem_classes="compare"):
                    self.edited = picture_output("Edited", height=420, buttons=["fullscreen"])
                    self.original = picture_output("Original", height=420, buttons=["fullscreen"])
                    gr.HTML(COMPARE, elem_classes="slide")
                self._add_buttons()
            with gr.Column(scale=5, min_width=300, elem_classes="controls"):
                for name, exhibit in exhibits.items():
                    with gr.Column(visible=name == choice.value) as self.panels[name]:
                        self.controls[name] = Controls(
                            exhibit.model.config.attributes, exhibit.model.quality
                        )
                self._add_options(usual_detail(exhibits[choice.value]))
        self.components = [c for x in self.controls.values() for c in x.components]
        self.found, self.refined = gr.State(None), gr.State(None)
        self.history = History(gr.State([]), gr.State({}))

    def _add_buttons(self) -> None:
        with gr.Row(elem_classes="buttons"):
            self.undo = gr.Button("Undo", min_width=60)
            self.reset = gr.Button("Reset", min_width=60)
            self.link = gr.Button("Copy link", min_width=60)
            self.save = gr.Button("Download", min_width=60, variant="primary")
        self.address = gr.Textbox(visible=False)
        self.file = gr.DownloadButton(visible="hidden", elem_id="full-size")

    def _add_options(self, detail: str) -> None:
        with gr.Accordion("More", open=False):
            self.detail = gr.Radio(DETAILS, value=detail, label="The edit shows")
            self.exaggerate = gr.Checkbox(label="Let sliders go to 2 (exaggerate)")
            self.reconstruction = picture_output("Reconstruction")
            self.refine = gr.Radio(REFINE, value=0, label="Refine the reconstruction (slow)")

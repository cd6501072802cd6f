"""The tab that edits one picture live."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency
from PIL import Image

from icgan_sdk.demo import faces
from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.controls import Controls
from icgan_sdk.demo.faces import Found
from icgan_sdk.demo.full_size import full_size
from icgan_sdk.demo.parts import (
    LIVE,
    WORK,
    Upload,
    Values,
    picture_output,
    picture_slot,
    shown,
    when_switched,
)
from icgan_sdk.demo.uploads import as_messages
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

SAVE = "() => setTimeout(() => document.querySelector('#full-size').click(), 300)"
KEEP_LINK = """(words) => {
  const link = location.origin + location.pathname + words;
  history.replaceState(null, '', link);
  navigator.clipboard?.writeText(link);
}"""


class EditTab:
    """A picture, what the model makes of it, its edit, and the controls of every model.

    Only the chosen model's controls are visible. The picture and what E_y read in it are kept in
    the visitor's session, and so are the settings that one can go back to.

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
        with gr.Row(elem_classes="edit"):
            with gr.Column(scale=3, min_width=300):
                self._slot = picture_slot("Your picture", exhibits, choice)
                self._marked = picture_output("Faces", visible=False)
                self._face = gr.Radio(
                    faces.choices(()), value=faces.LARGEST, label="Face", visible=False
                )
                self._note = gr.Markdown(NO_FACE, visible=False, elem_classes="note")
            with gr.Column(scale=5, min_width=320, elem_classes="results"):
                with gr.Column(elem_classes="compare"):
                    self._edited = picture_output("Edited", height=420)
                    self._original = picture_output("Original", height=420)
                    gr.HTML(COMPARE, elem_classes="slide")
                self._add_buttons()
            with gr.Column(scale=5, min_width=320):
                for name, exhibit in exhibits.items():
                    with gr.Column(visible=name == choice.value) as self._panels[name]:
                        self._controls[name] = Controls(exhibit.model.config.attributes)
                self._add_options()
        self._components = [c for x in self._controls.values() for c in x.components]
        self._found, self._refined = gr.State(Found()), gr.State(Found())
        self._past, self._words = gr.State([]), gr.State({})
        self._listen(page)

    def _add_buttons(self) -> None:
        with gr.Row(elem_classes="buttons"):
            self._undo = gr.Button("Undo", min_width=80, size="sm")
            self._reset = gr.Button("Reset the edit", min_width=80, size="sm")
            self._link = gr.Button("Copy link", min_width=80, size="sm")
            self._save = gr.Button("Download full size", min_width=80, size="sm")
        self._address = gr.Textbox(visible=False)
        self._file = gr.DownloadButton(visible="hidden", elem_id="full-size")

    def _add_options(self) -> None:
        with gr.Accordion("More", open=False):
            self._detail = gr.Radio(
                DETAILS, value=self._usual_detail(self._choice.value), label="The edit shows"
            )
            self._exaggerate = gr.Checkbox(label="Let sliders go to 2 (exaggerate)")
            self._reconstruction = picture_output("Reconstruction")
            self._refine = gr.Radio(REFINE, value=0, label="Refine the reconstruction (slow)")

    def _usual_detail(self, name: str) -> str:
        detail = find_detail("auto", self._exhibits[name].model.config)
        return WHOLE if detail == "photo" else detail

    def _listen(self, page: gr.Blocks) -> None:
        self._listen_to_pictures(page)
        wishes: set[Block] = {self._choice, self._refined, self._detail, *self._components}
        edit: dict[str, Any] = {"fn": self._edit, "inputs": wishes, "outputs": self._edited}
        gr.on(
            [component.input for component in self._components],
            **edit,
            api_name="edit",
            api_visibility="undocumented",
            **WORK,
            **LIVE,
        ).then(
            self._remember,
            {self._choice, self._past, *self._components},
            [self._past, self._words],
            queue=False,
            api_visibility="private",
        )
        self._detail.input(
            self._show_original,
            [self._found, self._detail],
            self._original,
            queue=False,
            api_visibility="private",
        ).then(**edit, api_visibility="private", **WORK)
        self._refine.input(
            self._reconstruct,
            [self._found, self._refine],
            [self._refined, self._reconstruction],
            api_visibility="private",
            **WORK,
        ).then(**edit, api_visibility="private", **WORK)
        self._exaggerate.input(
            self._reach,
            {self._exaggerate, *self._components},
            self._components,
            queue=False,
            api_visibility="private",
        ).then(**edit, api_visibility="private", **WORK)
        for button, act in ((self._undo, self._go_back), (self._reset, self._begin_anew)):
            button.click(
                act,
                [self._choice, self._found, self._past],
                [self._past, self._words, *self._components],
                queue=False,
                api_visibility="private",
            ).then(**edit, api_visibility="private", **WORK)
        self._link.click(
            self._to_link, wishes, self._address, queue=False, api_visibility="private"
        ).then(None, self._address, None, js=KEEP_LINK)
        self._save.click(
            self._full_size,
            wishes | {self._slot.picture, self._slot.upload, self._face},
            self._file,
            api_name="full_size",
            api_visibility="undocumented",
            **WORK,
        ).success(None, None, None, js=SAVE)

    def _listen_to_pictures(self, page: gr.Blocks) -> None:
        inputs = [
            self._choice, self._slot.picture, self._refine, self._detail, self._face, self._words
        ]  # fmt: skip
        outputs = [
            self._found, self._refined, self._original, self._reconstruction, *self._components,
            self._marked, self._face, self._note, *self._panels.values(), self._past, self._words,
        ]  # fmt: skip
        self._choice.input(
            self._choose,
            self._choice,
            [*self._panels.values(), self._detail],
            queue=False,
            api_visibility="private",
        )
        # The old result must not stand beside the new picture while that is read.
        self._slot.source.input(
            lambda: (None, None), None, [self._original, self._edited],
            queue=False, api_visibility="private",
        )  # fmt: skip
        switched = when_switched(self._exhibits, self._choice, self._slot)
        opened = page.load(_words_of, None, self._words, queue=False, api_visibility="private")
        arrivals: tuple[Callable[..., Dependency], ...] = (
            self._slot.arrived, switched, opened.then, self._face.input
        )  # fmt: skip
        for number, arrive in enumerate(arrivals):
            arrive(
                self._read,
                inputs,
                outputs,
                show_progress="minimal",
                api_name=f"read_{number}",
                api_visibility="undocumented",
                **WORK,
            ).then(
                self._edit,
                {self._choice, self._refined, self._detail, *self._components},
                self._edited,
                show_progress="hidden",
                api_visibility="private",
                **WORK,
            )

    def _choose(self, name: str) -> Values:
        panels: Values = {
            panel: gr.Column(visible=name == other) for other, panel in self._panels.items()
        }
        return panels | {self._detail: self._usual_detail(name)}

    def _read(
        self,
        name: str,
        picture: Image.Image | None,
        refine: int,
        detail: str,
        face: str,
        words: dict[str, str],
    ) -> Values:
        with as_messages():
            model = self._exhibits[name].model
            found = Found() if picture is None else faces.look(model, picture, face)
            refined, drawn = self._reconstruct(found, refine)
        several = picture is not None and bool(found.faces)
        updates: Values = {
            self._found: found,
            self._refined: refined,
            self._original: self._show_original(found, detail),
            self._reconstruction: drawn,
            self._marked: gr.Image(
                shown(faces.marked(picture, found.faces), "faces") if picture and several else None,
                visible=several,
            ),
            self._face: gr.Radio(faces.choices(found.faces), visible=several),
            self._note: gr.Markdown(visible=picture is not None and found.first is None),
            self._panels[name]: gr.Column(visible=found.first is not None),
            self._past: [],
            self._words: words,
        }
        if found.first is not None:
            controls, scores = self._controls[name], found.first.scores
            updates |= controls.show(scores, words)
            updates[self._past] = [controls.snapshot(controls.start(scores, words))]
        return updates

    def _show_original(self, found: Found, detail: str) -> str | None:
        if found.first is None:
            return None
        return shown(found.first.photo if detail == WHOLE else found.first.square, "original")

    def _edit(self, values: Values) -> str | None:
        picture: Found = values[self._refined]
        wanted = self._wanted(values, picture)
        if wanted is None or picture.first is None:
            return None  # no picture yet, or not yet read by this model
        detail = values[self._detail]
        with as_messages():
            if detail == WHOLE:
                return shown(picture.whole(wanted), "edited")
            return shown(picture.first.edit(wanted, detail=detail), "edited")

    def _wanted(self, values: Values, picture: Found) -> dict[str, float] | None:
        """The edit that is asked for; None where the picture is not read by the chosen model."""
        name: str = values[self._choice]
        read = picture.first.scores if picture.first is not None else {}
        if read.keys() != set(self._exhibits[name].model.attributes):
            return None
        return self._controls[name].wanted(read, values)

    def _asked(self, values: Values) -> dict[str, float]:
        """The edit that is asked for, of a picture that is there."""
        wanted = self._wanted(values, values[self._refined])
        if wanted is None:
            raise gr.Error("There is no edit yet.", print_exception=False)
        return wanted

    def _reconstruct(self, found: Found, refine: int) -> tuple[Found, str | None]:
        if found.first is None:
            return found, None
        with as_messages():
            refined = found.refined(refine)
            assert refined.first is not None  # as there was one before
            return refined, shown(refined.first.reconstruct(), "reconstruction")

    def _reach(self, values: Values) -> Values:
        exaggerate = bool(values[self._exaggerate])
        reached = (x.reach(exaggerate, values) for x in self._controls.values())
        return {slider: update for updates in reached for slider, update in updates.items()}

    def _remember(self, values: Values) -> tuple[list[list[object]], dict[str, str]]:
        now = self._controls[values[self._choice]].snapshot(values)
        past: list[list[object]] = values[self._past]
        # A slider's way is one step.
        if len(past) > 1 and len({*_moved(past[-2], past[-1]), *_moved(past[-1], now)}) == 1:
            past = past[:-1]
        return [*past, now][-KEPT_STEPS:], {}

    def _go_back(self, name: str, found: Found, past: list[list[object]]) -> Values:
        del found
        if len(past) < 2:
            return {self._past: past, self._words: {}}
        restored = self._controls[name].restored(past[-2])
        return {self._past: past[:-1], self._words: {}, **restored}

    def _begin_anew(self, name: str, found: Found, past: list[list[object]]) -> Values:
        if found.first is None:
            return {self._past: past, self._words: {}}
        controls = self._controls[name]
        start = controls.start(found.first.scores)
        return {
            self._past: [*past, controls.snapshot(start)][-KEPT_STEPS:],
            self._words: {},
            **controls.show(found.first.scores),
        }

    def _to_link(self, values: Values) -> str:
        self._asked(values)
        scores = values[self._refined].first.scores
        words = self._controls[values[self._choice]].to_query(scores, values)
        gr.Info("The link is in the address bar, and copied where the browser lets it.")
        return f"?{urlencode(words)}"

    def _full_size(self, values: Values) -> gr.DownloadButton:
        name: str = values[self._choice]
        wanted = self._asked(values)
        picture, upload = values[self._slot.picture], values[self._slot.upload]
        if picture is None:  # taken away meanwhile
            raise gr.Error("There is no picture.", print_exception=False)
        detail = values[self._detail]
        with as_messages():
            path = full_size(
                self._exhibits[name].model,
                upload or Upload(None, "picture.png"),
                picture,
                wanted,
                face=values[self._face],
                detail="auto" if detail == WHOLE else detail,
                whole=detail == WHOLE,
            )
        return gr.DownloadButton(value=str(path))


KEPT_STEPS = 100
"""Settings that one can go back to."""


def _words_of(request: gr.Request) -> dict[str, str]:
    """What the page's address asks for."""
    return {str(name): str(word) for name, word in request.query_params.items()}


def _moved(before: list[object], after: list[object]) -> set[int]:
    """Which components' values differ, by number."""
    pairs = zip(before, after, strict=True)
    return {number for number, (old, new) in enumerate(pairs) if old != new}

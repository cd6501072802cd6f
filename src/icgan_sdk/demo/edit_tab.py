"""The tab that edits one picture live."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency
from PIL import Image

from icgan_sdk.demo import faces
from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.edit_layout import WHOLE, EditLayout, usual_detail
from icgan_sdk.demo.full_size import full_size
from icgan_sdk.demo.history import Past, opened_link, to_link, told_what_is_known
from icgan_sdk.demo.parts import LIVE, QUICK, WORK, Upload, Values, shown, when_switched
from icgan_sdk.demo.uploads import as_messages
from icgan_sdk.editing import Inversion

SAVE = "() => setTimeout(() => document.querySelector('#full-size').click(), 300)"
KEEP_LINK = """(words) => {
  const link = location.origin + location.pathname + words;
  history.replaceState(null, '', link);
  navigator.clipboard?.writeText(link);
}"""
FORGET = """() => {
  history.replaceState(null, '', location.pathname);
  const before = document.querySelector('.slide input');
  before.value = 0;
  before.dispatchEvent(new Event('input'));
}"""
"""Takes back what the server doesn't know: the link in the address bar, and *Before*."""


class EditTab:
    """Edits one picture as its controls say.

    The picture and what E_y read in it are kept in the visitor's session, and so are the settings
    that one can go back to.

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
        self._on = EditLayout(exhibits, choice)
        on = self._on
        self._wishes: set[Block] = {choice, on.refined, on.detail, *on.components}
        self._edit_event: dict[str, Any] = {
            "fn": self._edit,
            "inputs": self._wishes,
            "outputs": on.edited,
            "show_progress": "minimal",
            **WORK,
        }
        self._listen_to_pictures(page)
        self._listen_to_controls()
        self._listen_to_options()
        self._listen_to_buttons()

    def _listen_to_pictures(self, page: gr.Blocks) -> None:
        on = self._on
        inputs = [self._choice, on.slot.picture, on.refine, on.detail, on.face, on.history.words]
        outputs = [
            on.found, on.refined, on.original, on.reconstruction, *on.components, on.marked,
            on.face, on.note, *on.panels.values(), *on.history,
        ]  # fmt: skip
        shown_with_model = [*on.panels.values(), on.detail]
        self._choice.change(self._choose, self._choice, shown_with_model, **QUICK)
        # The old result must not stand beside the new picture while that is read.
        on.slot.source.input(lambda: (None, None), None, [on.original, on.edited], **QUICK)
        switched = when_switched(self._exhibits, self._choice, on.slot)
        opened = page.load(self._open, None, [on.history.words, self._choice], **QUICK)
        arrivals: tuple[Callable[..., Dependency], ...] = (
            on.slot.arrived, switched, opened.then, on.face.input
        )  # fmt: skip
        for number, arrive in enumerate(arrivals):
            arrive(
                self._read,
                inputs,
                outputs,
                show_progress="minimal",
                show_progress_on=on.edited,
                api_name=f"read_{number}",
                api_visibility="undocumented",
                **WORK,
            ).then(**self._edit_event, api_visibility="private")

    def _listen_to_controls(self) -> None:
        on = self._on
        gr.on(
            [component.input for component in on.components],
            **self._edit_event,
            **LIVE,
            api_name="edit",
            api_visibility="undocumented",
        ).then(
            self._remember,
            {self._choice, on.history.past, *on.components},
            [*on.history],
            **QUICK,
        )

    def _listen_to_options(self) -> None:
        on = self._on
        on.detail.input(self._show_original, [on.found, on.detail], on.original, **QUICK).then(
            **self._edit_event, api_visibility="private"
        )
        on.refine.input(
            self._reconstruct,
            [on.found, on.refine],
            [on.refined, on.reconstruction],
            show_progress="minimal",
            show_progress_on=[on.edited, on.reconstruction],
            api_visibility="private",
            **WORK,
        ).then(**self._edit_event, api_visibility="private")
        on.exaggerate.input(
            self._reach, {on.exaggerate, *on.components}, on.components, **QUICK
        ).then(**self._edit_event, api_visibility="private")

    def _listen_to_buttons(self) -> None:
        on = self._on
        on.undo.click(
            self._go_back,
            [self._choice, on.history.past],
            [*on.history, *on.components],
            **QUICK,
        ).then(**self._edit_event, api_visibility="private")
        on.reset.click(
            self._begin_anew,
            [self._choice, on.found, on.history.past],
            [
                *on.history, *on.components, on.refined, on.reconstruction, on.original,
                on.detail, on.exaggerate, on.refine,
            ],
            **QUICK,
        ).then(**self._edit_event, api_visibility="private").then(None, js=FORGET)  # fmt: skip
        on.link.click(self._to_link, self._wishes, on.address, **QUICK).then(
            None, on.address, None, js=KEEP_LINK
        )
        on.save.click(
            self._full_size,
            self._wishes | {on.slot.picture, on.slot.upload, on.face},
            on.file,
            show_progress="minimal",
            show_progress_on=on.edited,
            api_name="full_size",
            api_visibility="undocumented",
            **WORK,
        ).success(None, None, None, js=SAVE)

    def _choose(self, name: str) -> Values:
        panels: Values = {
            panel: gr.Column(visible=name == other) for other, panel in self._on.panels.items()
        }
        return panels | {self._on.detail: usual_detail(self._exhibits[name])}

    def _open(self, request: gr.Request) -> tuple[dict[str, str], str]:
        return opened_link(request, list(self._exhibits))

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
            found, all_faces = (None, ()) if picture is None else faces.look(model, picture, face)
            refined, drawn = self._reconstruct(found, refine)
        on, several = self._on, len(all_faces) > 1
        updates: Values = {
            on.found: found,
            on.refined: refined,
            on.original: self._show_original(found, detail),
            on.reconstruction: drawn,
            on.marked: gr.Image(
                shown(faces.marked(picture, all_faces), "faces") if picture and several else None,
                visible=several,
            ),
            on.face: gr.Radio(faces.choices(all_faces), visible=several),
            on.note: gr.Markdown(visible=picture is not None and found is None),
            on.panels[name]: gr.Column(visible=found is not None),
            on.history.past: [],
            on.history.words: words,
        }
        if found is not None:
            controls, scores = on.controls[name], found.scores
            words = updates[on.history.words] = told_what_is_known(controls, words)
            updates |= controls.show(scores, words)
            updates[on.history.past] = [controls.snapshot(controls.start(scores, words))]
        return updates

    def _show_original(self, found: Inversion | None, detail: str) -> str | None:
        if found is None:
            return None
        return shown(found.photo if detail == WHOLE else found.square, "original")

    def _edit(self, values: Values) -> str | None:
        found: Inversion | None = values[self._on.refined]
        wanted = self._wanted(values, found)
        if wanted is None or found is None:
            return None  # no picture yet, or not yet read by this model
        detail = values[self._on.detail]
        with as_messages():
            if detail == WHOLE:
                return shown(found.paste_back(wanted), "edited")
            return shown(found.edit(wanted, detail=detail), "edited")

    def _wanted(self, values: Values, found: Inversion | None) -> dict[str, float] | None:
        """The edit that is asked for; None where the picture is not read by the chosen model."""
        name: str = values[self._choice]
        read = found.scores if found is not None else {}
        if read.keys() != set(self._exhibits[name].model.attributes):
            return None
        return self._on.controls[name].wanted(read, values)

    def _asked(self, values: Values) -> dict[str, float]:
        """The edit that is asked for, of a picture that is there."""
        wanted = self._wanted(values, values[self._on.refined])
        if wanted is None:
            raise gr.Error("There is no edit yet.", print_exception=False)
        return wanted

    def _reconstruct(
        self, found: Inversion | None, refine: int
    ) -> tuple[Inversion | None, str | None]:
        if found is None:
            return None, None
        with as_messages():
            refined = found.refined(refine)
            return refined, shown(refined.reconstruct(), "reconstruction")

    def _reach(self, values: Values) -> Values:
        exaggerate = bool(values[self._on.exaggerate])
        reached = (x.reach(exaggerate, values) for x in self._on.controls.values())
        return {slider: update for updates in reached for slider, update in updates.items()}

    def _remember(self, values: Values) -> Values:
        history, controls = self._on.history, self._on.controls[values[self._choice]]
        return history.remembered(controls, values, values[history.past])

    def _go_back(self, name: str, past: Past) -> Values:
        return self._on.history.gone_back(self._on.controls[name], past)

    def _begin_anew(self, name: str, found: Inversion | None, past: Past) -> Values:
        on, detail = self._on, usual_detail(self._exhibits[name])
        options: Values = {on.detail: detail, on.exaggerate: False, on.refine: 0}
        if found is None:
            return {on.history.past: past, **options}
        refined, drawn = self._reconstruct(found, 0)
        return {
            on.refined: refined,
            on.reconstruction: drawn,
            on.original: self._show_original(found, detail),
            **on.history.begun_anew(on.controls[name], found.scores, past),
            **options,
        }

    def _to_link(self, values: Values) -> str:
        self._asked(values)
        scores = values[self._on.refined].scores
        gr.Info("The link is in the address bar, and copied where the browser lets it.")
        name: str = values[self._choice]
        model = None if name == next(iter(self._exhibits)) else name
        return to_link(self._on.controls[name], scores, values, model)

    def _full_size(self, values: Values) -> gr.DownloadButton:
        on, name = self._on, values[self._choice]
        wanted = self._asked(values)
        picture, upload = values[on.slot.picture], values[on.slot.upload]
        if picture is None:  # taken away meanwhile
            raise gr.Error("There is no picture.", print_exception=False)
        detail = values[on.detail]
        with as_messages():
            path = full_size(
                self._exhibits[name].model,
                upload or Upload(None, "picture.png"),
                picture,
                wanted,
                face=values[on.face],
                detail="auto" if detail == WHOLE else detail,
                whole=detail == WHOLE,
            )
        return gr.DownloadButton(value=str(path))

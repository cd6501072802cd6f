"""What several tabs are made of, and how their handlers run."""

import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency
from gradio.utils import get_upload_folder
from PIL import Image

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.uploads import accept_upload

EXAMPLE = "example"
"""How the files of examples are named, which thus aren't taken for a visitor's own."""

RESTORED = "restored"
"""How the file of a picture is named that stays because the next one can't be read."""

KEPT_FILES = 2000
"""Pictures shown lately; each of up to 2 MB."""

TOLD = frozenset({"icc_profile", "transparency", "qtables", "subsampling"})
"""What Pillow notes of a picture and no metadata are: how pixels are meant, and compressed."""

_SHOWN: deque[Path] = deque()

AT_ONCE = 2
"""Pictures in the networks at the same time; the rest wait in the queue."""


Values = dict[Block, Any]
"""Values that components hold or are to hold, as Gradio passes them."""


class Work(TypedDict):
    """Options of handlers that run the networks: all wait in one queue."""

    concurrency_id: str
    concurrency_limit: int


class Live(TypedDict):
    """Options of what follows a slider: while one result is made, only the last wish is kept."""

    trigger_mode: Literal["always_last"]


class Seen(TypedDict):
    """Options of handlers that take their time: a spinner turns on what they make."""

    show_progress: Literal["minimal"]
    api_visibility: Literal["private"]


class Quick(TypedDict):
    """Options of handlers that are done at once, and with nothing to be seen of it."""

    queue: bool
    show_progress: Literal["hidden"]
    api_visibility: Literal["private"]


WORK: Work = {"concurrency_id": "networks", "concurrency_limit": AT_ONCE}
LIVE: Live = {"trigger_mode": "always_last"}
SEEN: Seen = {"show_progress": "minimal", "api_visibility": "private"}
QUICK: Quick = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def shown(picture: Image.Image, name: str) -> str:
    """A file of its own for a picture that goes to the page.

    Gradio would name the file by its content and write it anew each time, and so under the eyes of
    whoever fetches the same picture at that moment.

    Args:
        picture: What to show.
        name: What the file's name begins with, when it is downloaded too.

    Returns:
        The file, in Gradio's folder: it is deleted as Gradio's own are, or when there are
        KEPT_FILES newer ones.
    """
    path = kept(f"{name}-{secrets.token_hex(8)}.png")
    bare(picture).save(path, compress_level=1)  # a whole photo would take longer than its edit
    return str(path)


def bare(picture: Image.Image) -> Image.Image:
    """A picture that says nothing beside its pixels, as all that leaves the demo.

    Visitors pass on what they download: not where a photo was taken, by whom and with what. Colours
    stay as they are meant, and a JPEG as good as it was. An orientation has been applied.
    """
    silent = picture.copy()
    silent.info = {key: value for key, value in picture.info.items() if key in TOLD}
    return silent


def kept(name: str, folder: str = "") -> Path:
    """Where a file goes that the page shows or gives; it is deleted as `shown` says.

    Args:
        name: Of the file.
        folder: Of its own, for a name that others may have too; "": none.
    """
    path = _shown_folder() / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    _SHOWN.append(path)
    while len(_SHOWN) > KEPT_FILES:
        old = _SHOWN.popleft()
        old.unlink(missing_ok=True)
        if old.parent != _shown_folder():
            with suppress(OSError):
                old.parent.rmdir()
    return path


def _shown_folder() -> Path:
    return Path(get_upload_folder()).resolve() / "shown"


class Upload(NamedTuple):
    """A visitor's file.

    Attributes:
        path: Where it lies; None: an example, of which there is no file.
        name: What the visitor calls it, a bare name.
    """

    path: Path | None
    name: str


@dataclass(frozen=True)
class Slot:
    """A place for a visitor's picture.

    Attributes:
        picture: The session's picture, a PIL image or None.
        own: Whether the picture is the visitor's, a bool.
        upload: The visitor's file, an `Upload`; None of examples.
        source: Where it is shown and put in.
        gallery: The examples.
        first: The example that is there from the start.
        arrived: Attach a listener to "there is another picture, or none".
    """

    picture: gr.State
    own: gr.State
    upload: gr.State
    source: gr.Image
    gallery: gr.Gallery
    first: int
    arrived: Callable[..., Dependency]


def picture_slot(
    label: str, exhibits: Mapping[str, Exhibit], choice: gr.Dropdown, first: int = 0
) -> Slot:
    """An input with the chosen model's examples under it.

    Args:
        label: Of the input.
        exhibits: The models by name.
        choice: Which of them is chosen.
        first: The example that is there from the start.
    """
    examples = next(iter(exhibits.values())).examples
    picture, own, upload = gr.State(examples[first]), gr.State(False), gr.State(None)
    source = gr.Image(
        examples[first],
        format="png",
        label=label,
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        elem_classes=["picture", "source"],
        alt_text=label,
    )
    gallery = gr.Gallery(
        list(examples),
        format="png",
        label=f"Examples: {label.lower()}",
        show_label=False,
        height="auto",
        allow_preview=False,
        interactive=False,
        object_fit="cover",
        buttons=[],
        elem_classes="examples",
    )

    def accept(payload: dict[str, object] | None) -> Values:
        accepted = accept_upload(payload)
        if accepted is None or payload is None:
            return {picture: None, own: False, upload: None}
        path = Path(str(payload["path"])).resolve()
        if path.parent == _shown_folder() and path.name.startswith(RESTORED):
            return {picture: accepted}
        is_own = not (path.parent == _shown_folder() and path.name.startswith(EXAMPLE))
        name = Path(str(payload.get("orig_name") or "picture.png")).name
        return {picture: accepted, own: is_own, upload: Upload(path, name) if is_own else None}

    def restore(last: Image.Image | None) -> str | None:
        return None if last is None else shown(last, RESTORED)

    def pick(name: str, event: gr.SelectData) -> str:
        if event.index not in range(len(exhibits[name].examples)):
            raise gr.Error("There is no such example.", print_exception=False)
        return shown(exhibits[name].examples[event.index], EXAMPLE)

    # Not `input`, which comes with the old picture when it is taken away.
    accepted = source.change(
        accept,
        source,
        [picture, own, upload],
        preprocess=False,
        show_progress="hidden",
        api_name=f"accept_{label.replace(' ', '_').lower()}",
        api_visibility="undocumented",
        concurrency_id="decoding",  # all slots together
        concurrency_limit=AT_ONCE,
    )
    accepted.failure(restore, picture, source, **QUICK)
    gallery.select(pick, choice, source, **QUICK)
    return Slot(picture, own, upload, source, gallery, first, accepted.success)


def when_switched(
    exhibits: Mapping[str, Exhibit], choice: gr.Dropdown, *slots: Slot
) -> Callable[..., Dependency]:
    """Let another model bring its own examples; pictures that are the visitor's own stay.

    All slots change at once, so that no model is given a picture that was there for another.

    Args:
        exhibits: The models by name.
        choice: Which of them is chosen.
        slots: What a tab has.

    Returns:
        Attach a listener to "another model is chosen, and its examples are shown".
    """

    def switch(values: Values) -> Values:
        examples, updates = exhibits[values[choice]].examples, Values()
        for slot in slots:
            files = [shown(picture, EXAMPLE) for picture in examples]
            updates[slot.gallery] = gr.Gallery(files)
            if not values[slot.own]:
                updates[slot.source] = files[slot.first]
                updates[slot.picture] = examples[slot.first]
        return updates

    switched = choice.change(
        switch,
        {choice, *(slot.own for slot in slots)},
        [part for slot in slots for part in (slot.gallery, slot.source, slot.picture)],
        **QUICK,
    )
    return switched.success


def picture_output(
    label: str,
    *,
    height: int = 260,
    visible: bool = True,
    buttons: Sequence[Literal["download", "fullscreen"]] = ("download", "fullscreen"),
) -> gr.Image:
    """A picture the page shows, with buttons to see it larger and to download it."""
    return gr.Image(
        format="png",
        label=label,
        interactive=False,
        buttons=list(buttons),
        height=height,
        visible=visible,
        min_width=160,
        elem_classes="picture",
        alt_text=label,
    )

"""The way back through a visitor's settings, and the links that hold them."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import gradio as gr
from gradio.blocks import Block

from icgan_sdk.demo.controls import Controls
from icgan_sdk.demo.parts import Values

KEPT_STEPS = 100
"""Settings that one can go back to."""

MODEL = "model"
"""How a link names the model."""

OTHERS = re.compile(r"_|utm_|\w+clid$")
"""What Gradio, and those who pass links on, add to them."""

Past = list[list[object]]
"""Snapshots of the controls, the present one last."""


class History(NamedTuple):
    """What the session keeps of a visitor's settings.

    Attributes:
        past: Where they can go back to, a `Past`.
        words: What the page's address asks for and no picture has been given yet, by name.
    """

    past: gr.State
    words: gr.State

    def remembered(self, controls: Controls, values: Mapping[Block, object], past: Past) -> Values:
        """Updates after a change; a slider's way is one step."""
        now = controls.snapshot(values)
        if len(past) > 1 and len({*_moved(past[-2], past[-1]), *_moved(past[-1], now)}) == 1:
            past = past[:-1]
        return {self.past: [*past, now][-KEPT_STEPS:], self.words: {}}

    def gone_back(self, controls: Controls, past: Past) -> Values:
        """Updates that undo the last step, if there is one."""
        if len(past) < 2:
            return {self.past: past, self.words: {}}
        return {self.past: past[:-1], self.words: {}, **controls.restored(past[-2])}

    def begun_anew(self, controls: Controls, scores: Mapping[str, float], past: Past) -> Values:
        """Updates that take all changes back, which can be undone."""
        start = controls.start(scores)
        past = [*past, controls.snapshot(start)][-KEPT_STEPS:]
        shown = controls.show(scores) | controls.reach(False, start)
        return {self.past: past, self.words: {}, **shown}


def to_link(
    controls: Controls,
    scores: Mapping[str, float],
    values: Mapping[Block, object],
    model: str | None,
) -> str:
    """The part of an address that holds what was changed, and the model where it is named."""
    named = {MODEL: model} if model else {}
    return f"?{urlencode(named | controls.to_query(scores, values))}"


def opened_link(request: gr.Request, models: Sequence[str]) -> tuple[dict[str, str], str]:
    """What the page's address asks for, by name, and the model that is to do it."""
    words = {str(name): str(word) for name, word in request.query_params.items()}
    words = {name: word for name, word in words.items() if not OTHERS.match(name)}
    return words, words.pop(MODEL) if words.get(MODEL) in models else models[0]


def told_what_is_known(controls: Controls, words: Mapping[str, str]) -> dict[str, str]:
    """The words that mean something here; of others a message says so."""
    unknown = {name: word for name, word in words.items() if not controls.from_query({name: word})}
    if unknown:
        listed = ", ".join(f"{name}={word}" for name, word in unknown.items())
        gr.Warning(f"This link asks for what can't be done here: {html.escape(listed[:200])}")
    return {name: word for name, word in words.items() if name not in unknown}


def _moved(before: list[object], after: list[object]) -> set[int]:
    """Which components' values differ, by number."""
    pairs = zip(before, after, strict=True)
    return {number for number, (old, new) in enumerate(pairs) if old != new}

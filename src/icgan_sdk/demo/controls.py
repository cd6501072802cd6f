"""Sliders and choices for the attributes of one model."""

import re
from collections.abc import Mapping, Sequence

import gradio as gr
from gradio.blocks import Block

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.attributes import MAX_PRESENCE, AttributeSet
from icgan_sdk.demo.parts import Values

KEEP, NONE = "keep", "none"
"""Choices of a group beside its members; attributes can't be confused with them, see `_member`."""

STRENGTH = ".strength"
"""What is added to a group's name for its slider."""

NUMBER = re.compile(r"\d(\.\d+)?")

LIKELY = 0.6
"""Score from which a group's likeliest member is named."""

SHOWN_DIGITS = 2
"""Sliders show scores rounded; one that is moved by less counts as not moved."""


WORDS = {
    "Heavy_Makeup": "Make-up",
    "Male": "Masculine",
    "Mouth_Slightly_Open": "Open mouth",
    "No_Beard": "Clean-shaven",
    "Wearing_Hat": "Hat",
}
"""Attributes that people call otherwise than their data do."""

NOT_REAL, ADDED, TAKEN_AWAY = "not real yet", "adding: not real yet", "removing: not real yet"
"""What is said of edits that are known not to look real."""

FIRST = "hair_color"
"""The group that stands first: what most want to try, and what looks best."""


def title(name: str) -> str:
    """``"Wavy_Hair"`` as people write it: ``"Wavy hair"``."""
    words = WORDS.get(name, name).replace("_", " ").strip()
    return words[:1].upper() + words[1:].lower()


def titles(members: Sequence[str]) -> list[str]:
    """Of a group's members, without the word that ends all of them: ``"Wavy"``, ``"Straight"``."""
    ends = {name.rpartition("_")[2] for name in members}
    shared = f"_{ends.pop()}" if len(ends) == 1 else ""
    return [title(name.removesuffix(shared)) for name in members]


class Controls:
    """One slider for each attribute, one choice for each exclusive group.

    A group is a choice because its members exclude each other: "as it is", a member, or none of
    them. Beside it a slider says how strongly the member comes in, unless the members are classes.

    Must be made inside a Gradio layout, where the components then stand.

    What is known not to look real says so, and stands last.

    Args:
        attributes: The model's.
        quality: Of its edits, if that was measured.
    """

    def __init__(self, attributes: AttributeSet, quality: Quality | None = None) -> None:
        self._attributes, self._quality = attributes, quality
        self.choices: dict[str, gr.Radio] = {}
        self.strengths: dict[str, gr.Slider] = {}
        self.sliders: dict[str, gr.Slider] = {}
        for group, members in sorted(attributes.groups.items(), key=lambda g: g[0] != FIRST):
            with gr.Accordion(title(group), elem_classes="group"):
                self._add_group(group, members)
        grouped = {member for members in attributes.groups.values() for member in members}
        single = self._best_first([name for name in attributes.names if name not in grouped])
        with (
            gr.Accordion("More features", visible=bool(single)),
            gr.Row(elem_classes="sliders"),
        ):
            for name in single:
                label = f"{title(name)}{self._mark(name, 1.0, 0.0)}"
                self.sliders[name] = _slider(label, 0.0, "feature")

    def _add_group(self, group: str, members: Sequence[str]) -> None:
        one_hot = self._attributes.one_hot
        labels = dict(zip(members, titles(members), strict=True))
        shown = [
            (f"{labels[name]}{self._mark(name, 1.0)}", _member(name))
            for name in self._best_first(members, 1.0)
        ]
        choices = [("As it is", KEEP), *shown]
        if not one_hot:
            choices.append(("None of these", NONE))
        self.choices[group] = gr.Radio(
            choices, value=KEEP, label=title(group), info=" ", container=False
        )
        if not one_hot:
            self.strengths[group] = _slider("Strength", 1.0, "strength")

    def _best_first(self, names: Sequence[str], *presences: float) -> list[str]:
        return sorted(names, key=lambda name: bool(self._mark(name, *(presences or (1.0, 0.0)))))

    def _mark(self, name: str, *presences: float) -> str:
        """What stands beside an attribute whose edits to these presences don't look real."""
        short = [p for p in presences if self._quality and self._quality.falls_short(name, p)]
        if not short:
            return ""
        only = len(short) < len(presences)
        return f" ({TAKEN_AWAY if short[0] == 0 and only else ADDED if only else NOT_REAL})"

    @property
    def components(self) -> list[gr.Radio | gr.Slider]:
        """All of them."""
        return [*self.choices.values(), *self.strengths.values(), *self.sliders.values()]

    def start(self, scores: Mapping[str, float], words: Mapping[str, str] | None = None) -> Values:
        """What the components hold before anything is changed.

        Args:
            scores: As `IcGAN.predict_attributes` gives them.
            words: What a link asks for.
        """
        values: Values = dict.fromkeys(self.choices.values(), KEEP)
        values |= dict.fromkeys(self.strengths.values(), 1.0)
        values |= {slider: _shown(scores[name]) for name, slider in self.sliders.items()}
        return values | self.from_query(words or {})

    def show(self, scores: Mapping[str, float], words: Mapping[str, str] | None = None) -> Values:
        """Updates that put everything back to what E_y read, or to what a link asks for."""
        start = self.start(scores, words)
        updates = self.restored(self.snapshot(start))
        for group, choice in self.choices.items():
            reading = self._reading(group, scores)
            updates[choice] = gr.Radio(value=str(start[choice]), info=reading)
        return updates

    def snapshot(self, values: Mapping[Block, object]) -> list[object]:
        """The components' values, to go back to."""
        return [values[component] for component in self.components]

    def restored(self, snapshot: Sequence[object]) -> Values:
        """Updates that bring a snapshot back."""
        updates: Values = {}
        for component, value in zip(self.components, snapshot, strict=True):
            beyond = isinstance(component, gr.Slider) and _number(value) > 1.0
            updates[component] = (
                gr.Slider(value=_number(value), maximum=MAX_PRESENCE) if beyond else value
            )
        return updates

    def to_query(
        self, scores: Mapping[str, float], values: Mapping[Block, object]
    ) -> dict[str, str]:
        """What was changed, as the words of a link.

        Args:
            scores: What E_y read, where everything started.
            values: Of all components.
        """
        start, named = self.start(scores), self._by_name()
        return {
            name: str(values[component]).removeprefix("=")
            for name, component in named.items()
            if values[component] != start[component]
        }

    def from_query(self, words: Mapping[str, str]) -> Values:
        """What a link changes; words that mean nothing here are left out."""
        values: Values = {}
        for name, component in self._by_name().items():
            word = words.get(name)
            if word is None:
                continue
            if isinstance(component, gr.Radio):
                members = (*self._attributes.groups[name], NONE)
                if word in members:
                    values[component] = NONE if word == NONE else _member(word)
            elif NUMBER.fullmatch(word):
                values[component] = min(float(word), MAX_PRESENCE)
        return values

    def _by_name(self) -> dict[str, gr.Radio | gr.Slider]:
        strengths = {f"{group}{STRENGTH}": s for group, s in self.strengths.items()}
        return {**self.choices, **strengths, **self.sliders}

    def _reading(self, group: str, scores: Mapping[str, float]) -> str:
        members = self._attributes.groups[group]
        name, score = max(
            zip(titles(members), (scores[member] for member in members), strict=True),
            key=lambda pair: pair[1],
        )
        return f"Looks like: {name.lower()}" if score >= LIKELY else " "

    def reach(self, exaggerate: bool, values: Mapping[Block, object]) -> dict[Block, object]:
        """Updates that let sliders go beyond "present", or not, and then take back those that do.

        Args:
            exaggerate: Whether they may.
            values: Of all components.
        """
        maximum = MAX_PRESENCE if exaggerate else 1.0
        return {
            slider: gr.Slider(maximum=maximum, value=min(_number(values[slider]), maximum))
            for slider in (*self.strengths.values(), *self.sliders.values())
        }

    def wanted(
        self, scores: Mapping[str, float], values: Mapping[Block, object]
    ) -> dict[str, float]:
        """The edit that the components' values ask for: only what was moved.

        Args:
            scores: What E_y read, where everything started.
            values: Of all components.

        Returns:
            Presences by attribute, for `IcGAN.edit`.
        """
        wanted = {}
        for name, slider in self.sliders.items():
            value = _number(values[slider])
            if value != _shown(scores[name]):
                wanted[name] = value
        for group, choice in self.choices.items():
            members = self._attributes.groups[group]
            chosen = values[choice]
            if chosen == NONE:
                wanted |= dict.fromkeys(members, 0.0)
            strength = values[self.strengths[group]] if group in self.strengths else 1.0
            wanted |= {m: _number(strength) for m in members if chosen == _member(m)}
        return wanted


def _slider(label: str, value: float, kind: str) -> gr.Slider:
    return gr.Slider(
        0.0, 1.0, value, step=0.01, label=label, buttons=[], min_width=160, elem_classes=kind
    )


def _shown(score: float) -> float:
    return round(score, SHOWN_DIGITS)


def _member(name: str) -> str:
    return f"={name}"


def _number(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise gr.Error("A slider has no number.", print_exception=False)
    return float(value)

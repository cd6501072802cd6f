"""What sliders and choices ask for."""

from functools import cache

import gradio as gr
import pytest
from gradio.blocks import Block
from hypothesis import given, settings
from hypothesis import strategies as st

from icgan_sdk.artefacts.quality import Quality
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.demo.controls import KEEP, NONE, Controls, title
from tests.demo.conftest import building

FACES = AttributeSet(
    ("Male", "Smiling", "Black_Hair", "Blond_Hair"), {"hair_color": ("Black_Hair", "Blond_Hair")}
)
SCORES = {"Male": 0.123, "Smiling": 0.5, "Black_Hair": 0.8, "Blond_Hair": 0.1}


@cache
def controls_of(attributes: AttributeSet, quality: Quality | None = None) -> Controls:
    with building(), gr.Blocks(analytics_enabled=False):
        return Controls(attributes, quality)


def shown(controls: Controls, scores: dict[str, float]) -> dict[Block, object]:
    """The components' values after `show`."""
    values = controls.show(scores)
    return values | dict.fromkeys(controls.choices.values(), KEEP)


@settings(deadline=None)  # the first call builds the components
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_nothing_moved_asks_for_nothing(scores: list[float]) -> None:
    controls = controls_of(FACES)
    read = dict(zip(FACES.names, scores, strict=True))
    assert controls.wanted(read, shown(controls, read)) == {}


def test_only_what_was_moved_is_asked_for() -> None:
    controls = controls_of(FACES)
    values = shown(controls, SCORES) | {controls.sliders["Smiling"]: 0.75}
    assert controls.wanted(SCORES, values) == {"Smiling": 0.75}


@pytest.mark.parametrize(
    ("choice", "strength", "wanted"),
    [
        ("Blond", 1.0, {"Blond_Hair": 1.0}),
        ("Blond", 0.4, {"Blond_Hair": 0.4}),
        ("None of these", 1.0, {"Black_Hair": 0.0, "Blond_Hair": 0.0}),
        ("As it is", 0.4, {}),
    ],
)
def test_a_group_is_a_choice_with_a_strength(
    choice: str, strength: float, wanted: dict[str, float]
) -> None:
    controls = controls_of(FACES)
    group = controls.choices["hair_color"]
    value = next(entry[1] for entry in group.choices if entry[0] == choice)
    values = shown(controls, SCORES) | {group: value, controls.strengths["hair_color"]: strength}
    assert controls.wanted(SCORES, values) == wanted
    assert set(controls.sliders) == {"Male", "Smiling"}


def test_classes_have_neither_none_nor_strength() -> None:
    controls = controls_of(AttributeSet.classes("digit", "012"))
    labels = [label for label, _ in controls.choices["digit"].choices]
    assert labels == ["As it is", "0", "1", "2"]
    assert not controls.strengths
    assert not controls.sliders


@pytest.mark.parametrize("name", [KEEP, NONE])
def test_attributes_may_be_named_like_the_choices_beside_them(name: str) -> None:
    attributes = AttributeSet.classes("kind", (name, "other"))
    controls = controls_of(attributes)
    group = controls.choices["kind"]
    scores = {name: 0.0, "other": 1.0}
    value = next(value for label, value in group.choices if label == title(name))
    assert controls.wanted(scores, shown(controls, scores) | {group: value}) == {name: 1.0}


def test_sliders_exaggerate_when_asked() -> None:
    controls = controls_of(FACES)
    sliders: list[Block] = [*controls.sliders.values(), *controls.strengths.values()]
    values: dict[Block, object] = dict.fromkeys(sliders, 0.5)
    values[sliders[0]] = 1.7
    for wish, maximum, first in ((True, 2.0, 1.7), (False, 1.0, 1.0)):
        updates = controls.reach(wish, values)
        assert set(updates) == set(sliders)
        assert {getattr(update, "maximum", None) for update in updates.values()} == {maximum}
        assert [getattr(updates[s], "value", None) for s in sliders[:2]] == [first, 0.5]


def test_titles() -> None:
    assert title("Wearing_Hat") == "Hat"
    assert title("hair_color") == "Hair color"
    assert title("7") == "7"


def test_what_does_not_look_real_says_so_and_stands_last() -> None:
    attributes = AttributeSet(
        ("Male", "Hat", "Smiling", "Bald", "Bangs"), {"hairline": ("Bald", "Bangs")}
    )
    quality = Quality({"Male": 0.1, "Hat": 0.1, "Bald": 0.0}, {"Male": 0.1, "Smiling": 0.2})
    controls = controls_of.__wrapped__(attributes, quality)
    assert [slider.label for slider in controls.sliders.values()] == [
        "Masculine (not real yet)",
        "Hat (adding: not real yet)",
        "Smiling (removing: not real yet)",
    ]
    choices = [label for label, _ in controls.choices["hairline"].choices]
    assert choices == ["As it is", "Bangs", "Bald (not real yet)", "None of these"]
    assert list(controls.sliders) == ["Male", "Hat", "Smiling"]
    better = Quality({"Male": 0.1, "Hat": 0.9}, {"Smiling": 0.9})
    assert list(controls_of.__wrapped__(attributes, better).sliders) == ["Hat", "Smiling", "Male"]

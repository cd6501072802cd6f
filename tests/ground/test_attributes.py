import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from icgan_sdk.attributes import (
    MAX_PRESENCE,
    AttributeSet,
)
from icgan_sdk.celeba import CELEBA_ATTRIBUTES, CELEBA_GROUPS, PAPER_ATTRIBUTES
from icgan_sdk.errors import AttributeValueError, ConfigError, UnknownAttributeError

PAPER = AttributeSet.celeba()
DIGITS = AttributeSet.classes("digit", "0123456789")
vectors = st.lists(st.floats(-1.5, 1.5), min_size=len(PAPER), max_size=len(PAPER))
edits = st.dictionaries(st.sampled_from(PAPER.names), st.floats(0, MAX_PRESENCE), max_size=5)


def test_the_papers_18_attributes_and_the_original_codes_groups() -> None:
    assert len(CELEBA_ATTRIBUTES) == 40
    assert len(PAPER) == 18
    assert PAPER.names == PAPER_ATTRIBUTES
    assert PAPER.groups == CELEBA_GROUPS
    assert set(PAPER_ATTRIBUTES) < set(CELEBA_ATTRIBUTES)


def test_a_selection_keeps_only_groups_with_a_choice() -> None:
    chosen = AttributeSet.celeba(["Bald", "Black_Hair", "Gray_Hair"])
    assert chosen.groups == {"hair_color": ("Black_Hair", "Gray_Hair")}
    with pytest.raises(UnknownAttributeError, match=r"did you mean 'Bald'\?"):
        AttributeSet.celeba(["Bold"])


def test_sets_are_hashable_equal_by_value_and_can_be_pickled_and_copied() -> None:
    assert copy.deepcopy(PAPER) == PAPER
    again = pickle.loads(pickle.dumps(PAPER))
    assert again == PAPER
    assert hash(again) == hash(PAPER)
    assert again != DIGITS


@pytest.mark.parametrize(
    "change",
    [
        lambda groups: groups.update(other=()),
        lambda groups: groups.pop("hair_color"),
        lambda groups: groups.popitem(),
        lambda groups: groups.setdefault("other", ()),
        lambda groups: groups.clear(),
        lambda groups: groups.__setitem__("other", ()),
        lambda groups: groups.__delitem__("hair_color"),
        lambda groups: groups.__ior__({"other": ()}),
    ],
)
def test_groups_stay(change: Callable[[Any], object]) -> None:
    attributes = AttributeSet.celeba()
    with pytest.raises(TypeError, match="can't be changed"):
        change(attributes.groups)
    assert attributes == PAPER


@pytest.mark.parametrize("attributes", [PAPER, DIGITS, AttributeSet()])
def test_sets_survive_json(attributes: AttributeSet) -> None:
    assert AttributeSet.from_dict(json.loads(json.dumps(attributes.to_dict()))) == attributes


@pytest.mark.parametrize("plain", [{"attributes": 5}, {"groups": []}, {"groups": {"g": None}}])
def test_values_of_the_wrong_type_are_refused(plain: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a value has the wrong type"):
        AttributeSet.from_dict(plain)


@pytest.mark.parametrize(
    ("names", "groups", "one_hot", "problem"),
    [
        (("a", "a"), {}, False, "names repeat: a"),
        (("a", ""), {}, False, "non-empty strings"),
        (("a",), {"g": ("b",)}, False, "'b' is not an attribute"),
        (("a", "b"), {"g": ("a",), "h": ("a", "b")}, False, "'a' is in several groups"),
        (("a", "b"), {"a": ("a", "b")}, False, "'a' names a group and an attribute"),
        (("a", "b"), {"g": ("b", "a")}, True, "one group of them all, in order"),
    ],
)
def test_inconsistent_sets_are_refused(
    names: tuple[str, ...], groups: dict[str, tuple[str, ...]], one_hot: bool, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        AttributeSet(names, groups, one_hot)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"repeat.*not an attribute"):
        AttributeSet(("a", "a"), {"g": ("b",)})


def test_groups_take_a_members_name_and_attributes_a_number() -> None:
    assert DIGITS.resolve({"digit": 7}) == {"7": 1.0}
    assert PAPER.resolve({"hair_color": "Blond_Hair", "Smiling": True, "Bangs": 0.25}) == {
        "Blond_Hair": 1.0,
        "Smiling": 1.0,
        "Bangs": 0.25,
    }


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        ({"Eyeglases": 1}, UnknownAttributeError, "did you mean 'Eyeglasses'?"),
        ({"hair_colour": "Blond_Hair"}, UnknownAttributeError, "did you mean 'hair_color'?"),
        ({"hair_color": "Blonde_Hair"}, UnknownAttributeError, "did you mean 'Blond_Hair'?"),
        ({7: 1}, UnknownAttributeError, "unknown attribute 7"),
        ({"Smiling": -0.1}, AttributeValueError, "out of range"),
        ({"Smiling": 2.1}, AttributeValueError, "out of range"),
        ({"Smiling": float("nan")}, AttributeValueError, "out of range"),
        ({"Smiling": "yes"}, AttributeValueError, "Smiling='yes' is no number"),
        ({"Smiling": None}, AttributeValueError, "out of range"),
        (
            {"hair_color": "Gray_Hair", "Gray_Hair": 0.5},
            AttributeValueError,
            "asked for with two values",
        ),
        (
            {"Blond_Hair": 1, "hair_color": "Gray_Hair"},
            AttributeValueError,
            "Blond_Hair and Gray_Hair exclude each other (hair_color)",
        ),
    ],
)
def test_wrong_edits_say_what_was_wrong(
    edit: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        PAPER.resolve(edit)
    assert message in str(caught.value)


def test_siblings_recede_as_a_member_comes() -> None:
    hair = AttributeSet(("Black", "Blond", "Hat"), {"hair": ("Black", "Blond")})
    before = [1.0, -0.5, 0.3]
    assert hair.apply(before, {"Blond": 1.0}) == [-1.0, 1.0, 0.3]
    assert hair.apply(before, {"Blond": 0.5}) == [0.0, 0.0, 0.3]
    assert hair.apply(before, {"Blond": 0.0}) == [1.0, -1.0, 0.3]
    assert hair.apply(before, {"Blond": 1.0, "Black": 1.0}) == [1.0, 1.0, 0.3]
    assert hair.apply(before, {"Hat": 2.0}) == [1.0, -0.5, 3.0]


@given(vectors, edits)
def test_apply_sets_what_is_named_and_leaves_the_rest(
    y: list[float], presences: dict[str, float]
) -> None:
    after = dict(zip(PAPER.names, PAPER.apply(y, presences), strict=True))
    touched = {m for name in presences for m in PAPER.group_of(name)} | set(presences)
    for name, before in zip(PAPER.names, y, strict=True):
        if name in presences:
            assert after[name] == pytest.approx(2 * presences[name] - 1)
        elif name not in touched:
            assert after[name] == before
        else:  # moves towards absent, never past it
            assert min(before, -1.0) - 1e-9 <= after[name] <= max(before, -1.0) + 1e-9


@given(vectors, edits)
def test_applying_an_edit_of_whole_values_twice_changes_nothing_more(
    y: list[float], presences: dict[str, float]
) -> None:
    whole = {name: float(round(v)) for name, v in presences.items()}
    once = PAPER.apply(y, whole)
    assert PAPER.apply(once, whole) == pytest.approx(once)


@given(edits)
def test_resolve_keeps_plain_numbers(presences: dict[str, float]) -> None:
    present = [name for name, presence in presences.items() if presence >= 1]
    assume(all(len({*members} & {*present}) < 2 for members in PAPER.groups.values()))
    assert PAPER.resolve(presences) == presences


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_digit_replaces_the_other(before: int, after: int) -> None:
    y = [1.0 if i == before else -1.0 for i in range(10)]
    edited = DIGITS.apply(y, DIGITS.resolve({"digit": after}))
    assert edited == [1.0 if i == after else -1.0 for i in range(10)]

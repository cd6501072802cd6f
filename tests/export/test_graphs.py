"""The edit of y on tensors against `AttributeSet.apply`."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.export.graphs import set_presences, sibling_matrix

NAMES = tuple("abcdefg")


@st.composite
def attribute_sets(draw: st.DrawFn) -> AttributeSet:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    members = draw(st.permutations(names))
    first, second = sorted(draw(st.lists(st.integers(0, len(names)), min_size=2, max_size=2)))
    groups = {"one": tuple(members[:first]), "two": tuple(members[first:second])}
    return AttributeSet(names, {g: m for g, m in groups.items() if m})


@settings(deadline=None)
@given(st.data())
def test_presences_are_set_as_attribute_sets_do(data: st.DataObject) -> None:
    attributes = data.draw(attribute_sets())
    n = len(attributes)
    numbers = st.floats(-3, 3, width=32)
    rows = data.draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=3))
    edits = [
        data.draw(st.dictionaries(st.sampled_from(attributes.names), st.floats(0, 2, width=32)))
        for _ in rows
    ]
    # What is not named must not matter, whatever stands there.
    presences = torch.tensor([[e.get(a, float("nan")) for a in attributes.names] for e in edits])
    named = torch.tensor([[a in e for a in attributes.names] for e in edits])
    found = set_presences(torch.tensor(rows), presences, named, sibling_matrix(attributes))
    expected = [attributes.apply(row, edit) for row, edit in zip(rows, edits, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=2e-6)
    untouched = ~named & ~(named[:, None, :] & sibling_matrix(attributes)).any(2)
    assert torch.equal(found[untouched], torch.tensor(rows)[untouched])

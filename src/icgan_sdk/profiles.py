"""What is special about a model of aligned faces, in one place: its `FaceProfile`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from icgan_sdk.frozen import FrozenDict

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in the pixels of an aligned frame."""


@dataclass(frozen=True, eq=False)
class FaceProfile:
    """How faces are aligned, and what is known of their attributes; a model's config names it.

    Models of anything else have none, and nothing of this happens to them.

    Attributes:
        name: What configs call it.
        frame: Width and height of the aligned pictures, pixels.
        landmarks: Where left eye, right eye, nose and the mouth's corners lie in the frame, (x, y).
        chip: What the face-recognition network sees of the frame.
        other_person: Attributes whose edits show somebody else: another sex is another person.
        inverted: Attributes that the paper's variations invert instead of setting them.
        only_with: Attributes that are added only to pictures labelled with another attribute.
        regions: The boxes of the frame that an edit of an attribute may change.
        skin: The boxes of the frame that show skin alone: cheeks and forehead.
        keep_skin: Attributes whose edits leave the skin's brightness as it is.
        words: Other words for an attribute, and whether they mean that it is present.
    """

    name: str
    frame: tuple[int, int]
    landmarks: tuple[tuple[float, float], ...]
    chip: Box
    other_person: frozenset[str] = frozenset()
    inverted: frozenset[str] = frozenset()
    only_with: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    skin: tuple[Box, ...] = ()
    keep_skin: frozenset[str] = frozenset()
    words: Mapping[str, tuple[str, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("only_with", "regions", "words"):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))

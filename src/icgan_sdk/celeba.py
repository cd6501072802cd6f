"""CelebA: its attributes and their groups, and the profile of its aligned faces."""

from collections.abc import Mapping
from types import MappingProxyType

from icgan_sdk.profiles import Box, FaceProfile

CELEBA_ATTRIBUTES = tuple(
    """5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose
    Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee
    Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard
    Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair
    Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie
    Young""".split()  # noqa: SIM905
)
"""All 40 attributes of CelebA, in the order of its label file."""

PAPER_ATTRIBUTES = tuple(
    """Bald Bangs Black_Hair Blond_Hair Brown_Hair Bushy_Eyebrows Eyeglasses Gray_Hair Heavy_Makeup
    Male Mouth_Slightly_Open Mustache Pale_Skin Receding_Hairline Smiling Straight_Hair Wavy_Hair
    Wearing_Hat""".split()  # noqa: SIM905
)
"""The 18 attributes of the IcGAN paper, in the original code's order."""

CELEBA_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hairline": ("Bald", "Bangs", "Receding_Hairline"),
        "hair_color": ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"),
        "hair_texture": ("Straight_Hair", "Wavy_Hair"),
    }
)
"""The original code's exclusive groups: at most one member of each is present."""

# In CelebA's aligned pictures the eyes are at about (69, 111) and (108, 111) and the mouth at
# y = 152. Brows are at y = 100, the hairline at 75, the chin at 185, the ears at x = 45 and 133.
_HAIR: tuple[Box, ...] = ((0, 0, 178, 100), (0, 100, 48, 218), (130, 100, 178, 218))
_EYES: tuple[Box, ...] = ((26, 88, 152, 134),)
_NOSE: tuple[Box, ...] = ((58, 96, 120, 150),)
_MOUTH: tuple[Box, ...] = ((44, 120, 134, 192),)
_EARS: tuple[Box, ...] = ((12, 100, 52, 192), (126, 100, 166, 192))
_NECK: tuple[Box, ...] = ((0, 172, 178, 218),)
_HEAD: tuple[Box, ...] = ((20, 36, 158, 218),)

_SHOWN_IN = {
    # Hair may reach the edges of the frame. The face itself must stay.
    _HAIR: """Bald Bangs Black_Hair Blond_Hair Brown_Hair Gray_Hair Receding_Hairline Straight_Hair
        Wavy_Hair Wearing_Hat""",
    # The band includes the brows and the temples of glasses.
    _EYES: "Arched_Eyebrows Bags_Under_Eyes Bushy_Eyebrows Eyeglasses Narrow_Eyes",
    _NOSE: "Big_Nose Pointy_Nose",
    # From the cheeks that a smile lifts down to the chin.
    _MOUTH: """5_o_Clock_Shadow Big_Lips Double_Chin Goatee Mouth_Slightly_Open Mustache No_Beard
        Smiling Wearing_Lipstick""",
    _EARS: "Sideburns Wearing_Earrings",
    _NECK: "Wearing_Necklace Wearing_Necktie",
    # Skin, sex and age change the whole head. Only the background must stay.
    _HEAD: """Attractive Chubby Heavy_Makeup High_Cheekbones Male Oval_Face Pale_Skin Rosy_Cheeks
        Young""",
}

CELEBA = FaceProfile(
    name="celeba",
    frame=(178, 218),
    # Means of `list_landmarks_align_celeba.txt` in whole pixels, as the preprocessing of ALAE
    # (Pidhorskyi et al. 2020) quotes them; plus half a pixel, since they count pixels' centres.
    landmarks=((69.5, 111.5), (108.5, 111.5), (88.5, 136.5), (72.5, 152.5), (105.5, 152.5)),
    # What dlib cuts by the landmarks it finds, on average over pictures of the validation
    # partition. Cut so, the network knows people again as well as by each picture's own landmarks:
    # of 1,001 pairs of pictures of one person it takes 87.1 % for such (87.0 %), of pairs of two
    # persons 0.33 % (0.31 %).
    chip=(35.5, 79.2, 142.5, 186.2),
    other_person=frozenset({"Male"}),
    inverted=frozenset({"Male"}),  # as in the original code
    # Hardly any women of CelebA have these.
    only_with=dict.fromkeys(("Bald", "Mustache", "Receding_Hairline"), "Male"),
    # All attributes but Blurry, which changes every pixel.
    regions={name: boxes for boxes, names in _SHOWN_IN.items() for name in names.split()},
    skin=((48, 123, 70, 145), (108, 123, 130, 145), (64, 80, 114, 97)),
    keep_skin=frozenset(CELEBA_GROUPS["hair_color"] + CELEBA_GROUPS["hair_texture"]),
    words={
        **dict.fromkeys(("man", "men", "boy"), ("Male", True)),
        **dict.fromkeys(("moustache", "mustaches", "moustaches"), ("Mustache", True)),
        **dict.fromkeys(("fringe", "bang"), ("Bangs", True)),
        **dict.fromkeys(("beard", "bearded"), ("No_Beard", False)),
        **dict.fromkeys(("shaved", "shaven", "cleanshaven"), ("No_Beard", True)),
        **dict.fromkeys(("lipstick", "lips", "rouge"), ("Wearing_Lipstick", True)),
        **dict.fromkeys(("old", "older", "elderly", "aged", "age"), ("Young", False)),
        **dict.fromkeys(("young", "younger"), ("Young", True)),
        **dict.fromkeys(("spectacles", "specs", "sunglasses"), ("Eyeglasses", True)),
        **dict.fromkeys(("happy", "laugh", "laughing", "grin"), ("Smiling", True)),
        **dict.fromkeys(("brunette",), ("Brown_Hair", True)),
        **dict.fromkeys(("cap",), ("Wearing_Hat", True)),
        **dict.fromkeys(("female", "woman", "women", "girl"), ("Male", False)),
    },
)
"""Faces as CelebA's aligned pictures show them."""

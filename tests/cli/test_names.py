"""Attributes as people write them."""

import pytest

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.cli.names import understand
from icgan_sdk.cli.options import parse_settings, split_settings
from icgan_sdk.errors import AttributeValueError, UnknownAttributeError

CELEBA = AttributeSet.celeba()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Smiling=1", {"Smiling": 1.0}),
        ("smile=0.5", {"Smiling": 0.5}),
        ("glasses=1", {"Eyeglasses": 1.0}),
        ("blond hair=1", {"Blond_Hair": 1.0}),
        ("blond-hair=1", {"Blond_Hair": 1.0}),
        ("hair=blond", {"hair_color": "Blond_Hair"}),
        ("hair=wavy", {"hair_texture": "Wavy_Hair"}),
        ("hair color=GRAY_HAIR", {"hair_color": "Gray_Hair"}),
        ("hair_color=none", {"hair_color": None}),
        ("hat=1", {"Wearing_Hat": 1.0}),
        ("makeup=1", {"Heavy_Makeup": 1.0}),
        ("female=1", {"Male": 0.0}),
        ("Woman=0", {"Male": 1.0}),
        ("female=0.25", {"Male": 0.75}),
        ("man=1", {"Male": 1.0}),
        ("grey hair=1", {"Gray_Hair": 1.0}),
        ("haircolour=grey", {"hair_color": "Gray_Hair"}),
        ("colour=blond", {"hair_color": "Blond_Hair"}),
    ],
)
def test_one_meaning_is_taken(written: str, meant: dict[str, object]) -> None:
    assert parse_settings([written], CELEBA) == meant


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("hair=1", "hair_color or hair_texture: say hair= and one of Black_Hair, .*Wavy_Hair"),
        ("hair=purple", "hair_color or hair_texture: say hair= and one of Black_Hair"),
        ("hair=none", "or hair_color=none"),
        ("female=2", "say Male=0"),
        ("woman=si", "say Male=0"),
        ("digit=3", "the bundled model mnist has: --model mnist"),
    ],
)
def test_what_is_something_else_is_told(setting: str, message: str) -> None:
    with pytest.raises(UnknownAttributeError, match=message):
        parse_settings([setting], CELEBA)


@pytest.mark.parametrize("name", ["", "xyz", "e"])
def test_none_or_several_are_left_to_the_model(name: str) -> None:
    assert understand(name, "1", CELEBA) == (name, "1")


def test_settings_may_stand_among_the_files(tmp_path: pytest.TempPathFactory) -> None:
    assert split_settings(["a.png", "Smiling=1"], []) == (["a.png"], ["Smiling=1"])
    assert split_settings(["a.png", "1"], ["Smiling"]) == (["a.png"], ["Smiling=1"])
    assert split_settings(["a=b.png"], ["Male=1"]) == (["a=b.png"], ["Male=1"])
    assert split_settings(["a.png", "0.5"], ["Smiling"]) == (["a.png"], ["Smiling=0.5"])
    both = (["a.png"], ["Smiling=0", "Bald=.2"])
    assert split_settings(["a.png", "0", ".2"], ["Smiling", "Bald"]) == both
    assert split_settings(["x" * 300], []) == (["x" * 300], [])
    with pytest.raises(AttributeValueError, match="Smiling is set twice"):
        parse_settings(["smile=1", "Smiling=0"], CELEBA)
    with pytest.raises(AttributeValueError, match="write NAME=VALUE"):
        parse_settings(["Smiling"], CELEBA)


def test_what_was_guessed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_settings(["smile=1", "hair=blond", "bald=0", "Male=1"], CELEBA)
    told = capsys.readouterr().err
    assert "smile=1 is taken for Smiling=1" in told
    assert "hair=blond is taken for hair_color=Blond_Hair" in told
    assert told.count("taken for") == 2  # a name in other letters is no guess


def test_no_part_of_a_name_that_says_no_is_taken() -> None:
    every = AttributeSet(("No_Beard", "Oval_Face", "No_Tie"))
    assert understand("tie", "1", every) == ("tie", "1")
    assert understand("nobeard", "1", every) == ("No_Beard", "1")
    assert understand("al", "1", every) == ("al", "1")


def test_what_is_wrong_comes_before_what_was_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AttributeValueError, match="exclude each other"):
        parse_settings(["blond=1", "black=1"], CELEBA)
    with pytest.raises(AttributeValueError, match="Smiling='si' is no number"):
        parse_settings(["smile=si"], CELEBA)
    assert capsys.readouterr().err == ""

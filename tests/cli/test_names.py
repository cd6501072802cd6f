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
    ],
)
def test_one_meaning_is_taken(written: str, meant: dict[str, object]) -> None:
    assert parse_settings([written], CELEBA) == meant


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("hair=1", "hair_color or hair_texture: say what.* hair=Black_Hair"),
        ("align=none", "an option: --align none"),
        ("digit=3", "the bundled model mnist has: --model mnist"),
    ],
)
def test_what_is_something_else_is_told(setting: str, message: str) -> None:
    with pytest.raises(UnknownAttributeError, match=message):
        parse_settings([setting], CELEBA)


@pytest.mark.parametrize("name", ["beard", "", "xyz", "e"])
def test_none_or_several_are_left_to_the_model(name: str) -> None:
    assert understand(name, "1", CELEBA) == (name, "1")


def test_settings_may_stand_among_the_files(tmp_path: pytest.TempPathFactory) -> None:
    assert split_settings(["a.png", "Smiling=1"], []) == (["a.png"], ["Smiling=1"])
    assert split_settings(["a.png", "1"], ["Smiling"]) == (["a.png"], ["Smiling=1"])
    assert split_settings(["a=b.png"], ["Male=1"]) == (["a=b.png"], ["Male=1"])
    with pytest.raises(AttributeValueError, match="Smiling is set twice"):
        parse_settings(["smile=1", "Smiling=0"], CELEBA)
    with pytest.raises(AttributeValueError, match="write NAME=VALUE"):
        parse_settings(["Smiling"], CELEBA)


def test_what_was_guessed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_settings(["smile=1", "hair=blond", "blond hair=0", "Male=1"], CELEBA)
    told = capsys.readouterr().err
    assert "smile=1 is taken for Smiling=1" in told
    assert "hair=blond is taken for hair_color=Blond_Hair" in told
    assert told.count("taken for") == 2  # a name in other letters is no guess

import copy
import json
import pickle
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA
from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop, ModelConfig
from icgan_sdk.errors import ConfigError


@st.composite
def configs(draw: st.DrawFn) -> ModelConfig:
    exponent = draw(st.integers(3, 10))
    attributes = draw(
        st.sampled_from(
            [AttributeSet(), AttributeSet.celeba(), AttributeSet.classes("digit", "0123456789")]
        )
    )
    designs = ["ind", "sng", "ind_cond"] if attributes.names else ["ind"]
    layers = st.integers(0, exponent - 2)
    return ModelConfig(
        image_size=2**exponent,
        channels=draw(st.sampled_from([1, 3])),
        padding=draw(st.integers(0, 3)),
        crop=draw(st.sampled_from([None, CELEBA_CROP, PAPER_CROP])),
        attributes=attributes,
        z_dim=draw(st.integers(1, 200)),
        generator_fc=draw(st.integers(0, 64)),
        generator_y_layer=draw(layers),
        discriminator_y_layer=draw(layers),
        encoder_design=draw(st.sampled_from(designs)),
        encoder_layers=draw(st.integers(1, exponent)),
    )


def test_faces_survive_json() -> None:
    config = ModelConfig(crop=CELEBA_CROP, encoder_z_faces=True)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(configs())
def test_configs_survive_json(config: ModelConfig) -> None:
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_default_is_the_papers_model() -> None:
    config = ModelConfig()
    assert (config.image_size, config.z_dim, config.n_attributes) == (64, 100, 18)
    assert config.hidden_layers == 4


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image_size": 48}, "power of two"),
        ({"image_size": 4}, "power of two"),
        ({"image_size": 64.0}, "image_size must be a whole number"),
        ({"channels": 2}, "channels must be 1 or 3"),
        ({"padding": 32}, "padding must leave some"),
        ({"z_dim": 0}, "z_dim must be at least 1"),
        ({"z_dim": True}, "z_dim must be a whole number"),
        ({"encoder_z_fc": -1}, "encoder_z_fc must not be negative"),
        ({"encoder_layers": 0}, "encoder_layers must be at least 1"),
        ({"generator_y_layer": 5}, "generator_y_layer must be 0 to 4"),
        ({"encoder_z_faces": 1}, "encoder_z_faces must be"),
        ({"encoder_design": "both"}, "encoder_design must be one of ind, sng, ind_cond"),
        ({"z_dims": 100}, "unknown key 'z_dims'; did you mean 'z_dim'?"),
        ({"attributes": 5}, "a value has the wrong type"),
        ({"attributes": [], "groups": {}, "encoder_design": "sng"}, "without attributes"),
        ({"crop": {"frame": [10, 10], "box": [0, 0, 11, 10]}}, "leaves the frame"),
        ({"crop": {"frame": [10, 10], "box": [0, 0, 0, 10]}}, "is empty"),
        ({"crop": {"frame": [10], "box": [0, 0, 1, 1]}}, "frame needs 2 numbers"),
        ({"crop": {"size": 3}}, "a value has the wrong type"),
    ],
)
def test_wrong_configs_say_what_was_wrong(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ModelConfig.from_dict({**ModelConfig().to_dict(), **changes})
    assert problem in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"channels.*z_dim"):
        ModelConfig(channels=2, z_dim=0)


@given(st.integers(1, 2000))
def test_a_crop_scales_with_the_picture(factor: int) -> None:
    crop = Crop((178, 218), (0, 20, 178, 198))
    box = crop.scaled_to(178 * factor, 218 * factor)
    assert box == pytest.approx([v * factor for v in crop.box])
    assert box[2] <= 178 * factor


def test_a_model_names_what_is_known_of_its_faces() -> None:
    named = ModelConfig(crop=CELEBA_CROP, face_profile="celeba")
    assert named.faces is ModelConfig(crop=CELEBA_CROP).faces is CELEBA
    assert ModelConfig.from_dict(named.to_dict()) == named
    assert "face_profile" not in ModelConfig(crop=CELEBA_CROP).to_dict(), "as before it was there"
    shoes = ModelConfig(crop=CELEBA_CROP, face_profile="none")
    assert shoes.faces is None
    assert shoes.alignment is None
    assert ModelConfig.from_dict(shoes.to_dict()) == shoes
    with pytest.raises(ConfigError, match="face_profile: did you mean 'celeba'"):
        ModelConfig(face_profile="celebs")
    with pytest.raises(ConfigError, match="'celeba' needs a crop of its frame"):
        ModelConfig(face_profile="celeba")


def test_only_faces_are_inverted_by_variations() -> None:
    attributes = AttributeSet(("Male", "Laced"))
    men, laced = attributes.variations([1.0, -1.0])
    assert (men, laced) == ([1.0, -1.0], [1.0, 1.0])
    assert attributes.variations([1.0, -1.0], CELEBA.inverted)[0] == [-1.0, -1.0]


def test_configs_of_faces_can_be_copied_pickled_and_taken_apart() -> None:
    config = ModelConfig(crop=CELEBA_CROP)
    assert config.faces is CELEBA  # which was looked up before
    for again in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert again == config
        assert hash(again) == hash(config)
        assert again.faces is CELEBA
    plain = json.loads(json.dumps(asdict(config)))
    assert plain["attributes"]["groups"] == config.to_dict()["groups"]


def test_profiles_can_be_copied_pickled_and_taken_apart() -> None:
    for again in (copy.deepcopy(CELEBA), pickle.loads(pickle.dumps(CELEBA))):
        assert asdict(again) == asdict(CELEBA)
        words: Any = again.words
        with pytest.raises(TypeError, match="can't be changed"):
            words["hat"] = ("Wearing_Hat", True)

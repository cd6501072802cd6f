"""Training settings: TOML, recipes, overrides, and all problems told at once."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.train import ImagesConfig, TrainConfig, load_config, recipes
from icgan_sdk.training.recipe_files import override


def test_recipes_load() -> None:
    assert recipes() == [
        "celeba",
        "celeba128",
        "celeba_painter",
        "mnist",
        "paper",
        "poster",
    ]
    for name in recipes():
        assert load_config(name) == TrainConfig.from_dict(
            tomllib.loads(load_config(name).to_toml())
        )


def test_recipes_load_before_any_stage_is_imported() -> None:
    script = (
        "import sys; from icgan_sdk.training.recipe_files import load_config; "
        "assert load_config('celeba_painter').optional; "
        "assert 'icgan_sdk.training.stages' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_paper_recipe_is_the_papers() -> None:
    paper = load_config("paper")
    gan = paper.gan
    assert (gan.epochs, gan.batch_size, gan.learning_rate) == (25, 64, 2e-4)
    assert (gan.beta1, gan.beta2, gan.adam, gan.ema_decay) == (0.5, 0.999, "torch7", 0)
    for encoder in (paper.encoder_z, paper.encoder_y):
        assert (encoder.epochs, encoder.batch_size) == (15, 64)
        assert (encoder.learning_rate, encoder.beta1) == (1e-4, 0.1)
    assert paper.encoder_y.source == "real"


def test_poster_recipe_is_the_variant(bars: Path) -> None:
    model = load_config("poster").model_config(PreparedDataset.open(bars))
    assert (model.generator_fc, model.discriminator_width) == (1024, 128)


def test_model_follows_the_data(config: TrainConfig, bars: Path) -> None:
    model = config.model_config(PreparedDataset.open(bars))
    assert (model.image_size, model.channels, model.z_dim) == (8, 1, 3)
    assert model.attributes.names == ("bright", "left", "right")


@given(
    epochs=st.integers(1, 10**6),
    rate=st.floats(1e-9, 10),
    decay=st.floats(0, 1, exclude_max=True),
    flip=st.booleans(),
    design=st.sampled_from(["ind", "sng", "ind_cond"]),
)
def test_toml_round_trip(epochs: int, rate: float, decay: float, flip: bool, design: str) -> None:
    config = override(
        TrainConfig(),
        [
            f"gan.epochs={epochs}",
            f"gan.learning_rate={rate!r}",
            f"gan.ema_decay={decay!r}",
            f"images.flip={str(flip).lower()}",
            f"model.encoder_design={design}",
        ],
    )
    assert TrainConfig.from_dict(tomllib.loads(config.to_toml())) == config


def test_all_problems_at_once() -> None:
    plain = {
        "gan": {"epochs": 0, "beta1": 1.5, "adam": "sgd", "learning_rate": "high"},
        "images": {"flip": 1},
        "run": {"log_every": 50},
    }
    pattern = r"images\.flip.*gan\.epochs.*learning_rate.*beta1.*adam must be one of pytorch"
    with pytest.raises(ConfigError, match=pattern):
        TrainConfig.from_dict(plain)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"gan": {"epoch": 3}}, r"unknown key gan\.epoch; did you mean 'epochs'"),
        ({"gam": {}}, "unknown section 'gam'; did you mean 'gan'"),
        ({"gan": 3}, "gan must be a table"),
        ({"run": {"log_every": 3, "checkpoint_every": 10}}, "multiple"),
        ({"model": {"channels": 1}}, r"model\.channels follows from the data"),
        ({"model": {"zdim": 1}}, "unknown key 'zdim'; did you mean 'z_dim'"),
        ({"model": {"z_dim": "x"}}, "z_dim must be a whole number"),
    ],
)
def test_bad_settings(plain: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_dict(plain)


@pytest.mark.parametrize("text", ["gan.epochs", "epochs=3", "=", "data.x=1"])
def test_bad_overrides(text: str) -> None:
    with pytest.raises(ConfigError, match=r"section\.key=value"):
        override(TrainConfig(), [text])


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'mnist'"):
        load_config("mnits")
    (tmp_path / "bad.toml").write_text("[gan\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "bad.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "binary.toml")


def test_overrides_mend_a_file(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[gan]\nepochs = 0\n")
    with pytest.raises(ConfigError, match=r"gan\.epochs must be at least 1"):
        load_config(tmp_path / "bad.toml")
    assert load_config(tmp_path / "bad.toml", ["gan.epochs=2"]).gan.epochs == 2


FORMER: dict[str, dict[str, object]] = {
    "gan": {"flip": True, "shift": 0},
    "joint": {
        "emphasis": 5.0,
        "emphasis_from": 0.55,
        "critic_rate": 2.0,
        "balanced": True,
        "prior_weight": 1.0,
    },
    "generated": {"batch_norm_batches": 100},
    "encoder_z": {"flip": False, "shift": 0},
    "encoder_y": {"flip": True, "shift": 0},
}
"""What each config file of release 0.2 holds unless it was set otherwise, as far as it is gone."""


def former(**changed: Mapping[str, object]) -> dict[str, object]:
    return {section: {**values, **changed.get(section, {})} for section, values in FORMER.items()}


@pytest.mark.parametrize(
    ("changed", "images"),
    [
        ({}, ImagesConfig()),
        ({"encoder_y": {"shift": 6}, "encoder_z": {"flip": True}}, ImagesConfig(shift=6)),
        ({"gan": {"flip": False}, "encoder_y": {"flip": False}}, ImagesConfig(flip=False)),
    ],
)
def test_configs_of_earlier_releases_load(
    changed: dict[str, dict[str, object]], images: ImagesConfig
) -> None:
    config = TrainConfig.from_dict(former(**changed))
    assert config == TrainConfig(images=images)
    assert TrainConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(("alone", "shift"), [(True, 4), (True, 2), (False, 4)])
def test_painter_configs_of_earlier_releases_load(alone: bool, shift: int) -> None:
    painter = {"alone": alone, "flip": True, "shift": shift}
    plain = former() if alone else former(encoder_y={"shift": shift})
    config = TrainConfig.from_dict({**plain, "model": {"painter_size": 64}, "painter": painter})
    assert config.images == ImagesConfig(shift=shift)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"joint": {"critic_rate": 4.0}}, r"joint\.critic_rate .* it is always 2\.0"),
        ({"joint": {"balanced": False}}, r"joint\.balanced .* it is always True"),
        ({"gan": {"shift": 3}}, r"gan\.shift .* it is always 0"),
        ({"gan": {"flip": False}}, r"gan\.flip: .* images\.flip"),  # E_y's images were mirrored
        ({"encoder_z": {"flip": True}, "gan": {"flip": False}}, r"encoder_z\.flip.* images\.flip"),
        (
            {"model": {"painter_size": 64}, "painter": {"shift": 4}, "encoder_y": {"shift": 3}},
            r"encoder_y\.shift.* images\.shift",
        ),
        ({"images": {"shift": 3}, "encoder_y": {"shift": 3}}, r"encoder_y\.shift.* images\.shift"),
    ],
)
def test_what_earlier_releases_could_set_and_this_one_cannot_is_said(
    plain: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_dict(plain)

"""Training settings: TOML, recipes, overrides, and all problems told at once."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.train import TrainConfig, load_config, recipes
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
    assert paper.generated.batch_norm_batches == 100


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
            f"encoder_y.flip={str(flip).lower()}",
            f"model.encoder_design={design}",
        ],
    )
    assert TrainConfig.from_dict(tomllib.loads(config.to_toml())) == config


def test_all_problems_at_once() -> None:
    plain = {
        "gan": {"epochs": 0, "beta1": 1.5, "adam": "sgd", "flip": 1, "learning_rate": "high"},
        "run": {"log_every": 50},
    }
    pattern = r"gan\.epochs.*learning_rate.*beta1.*gan\.adam must be one of pytorch, torch7.*flip"
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

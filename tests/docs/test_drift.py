"""Tables and lists in the docs name what the package has."""

import re
from dataclasses import fields

import pytest

import icgan_sdk
from icgan_sdk import errors, train
from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.metrics.metric_table import METRICS
from icgan_sdk.training.settings import OptimiserConfig
from icgan_sdk.training.train_config import FROM_DATA
from tests.docs.scratch import ROOT

DOCS = ROOT / "docs"
SETTINGS: dict[str, type] = {
    "model": ModelConfig,
    "images": train.ImagesConfig,
    "gan": train.GANConfig,
    "joint": train.JointConfig,
    "generated": train.GeneratedConfig,
    "encoder_z": train.EncoderZConfig,
    "encoder_y": train.EncoderYConfig,
    "painter": train.PainterConfig,
    "run": train.RunConfig,
}
COMMON = {field.name for field in fields(OptimiserConfig)}


def row(page: str, key: str) -> str:
    text = (DOCS / page).read_text("utf-8")
    (found,) = re.findall(rf"^\| `{key}` \| (.*) \|$", text.split("## Settings")[-1], re.M)
    return str(found)


@pytest.mark.parametrize("section", SETTINGS)
def test_the_table_of_settings_is_complete(section: str) -> None:
    text = row("guides/training.md", section)
    named = {name.removesuffix("=") for name in re.findall(r"`([a-z0-9_]+)`", text)}
    values = {"matching", "joint", "pytorch", "torch7", "constant", "cosine", "labels", "kde"}
    values |= {"interpolation", "normal", "uniform", "dcgan", "resize", "residual", "ind", "sng"}
    values |= {"ind_cond", "real", "generated", "auto", "float32", "tf32", "bfloat16", "gan"}
    values |= {"none"}
    known = {field.name for field in fields(SETTINGS[section])} - set(FROM_DATA)
    if "as `gan` up to `schedule`" in text:
        known -= COMMON - named
    assert named - values - {"model", "schedule"} == known - {"schedule"}


def test_the_table_of_evaluation_json_is_complete() -> None:
    text = (DOCS / "guides/evaluation.md").read_text("utf-8").split("## evaluation.json")[1]
    keys = {key for cell in re.findall(r"^\| (`.*?) \|", text, re.M) for key in cell.split(", ")}
    metrics = {metric.name for metric in METRICS}
    assert {key.strip("`") for key in keys} == {"subject", "referees", "seconds", *metrics}


def test_the_tree_of_errors_is_complete() -> None:
    kinds = [e for e in vars(errors).values() if isinstance(e, type)]
    own = {e.__name__ for e in kinds if issubclass(e, (errors.IcGANError, UserWarning))}
    assert set(re.findall(r"\b\w+(?:Error|Warning)\b(?= )", errors.__doc__ or "")) >= own - {
        "IcGANError"
    }


def test_the_reference_names_what_is_exported() -> None:
    page = (DOCS / "reference/index.md").read_text("utf-8")
    others = {n for n in icgan_sdk.__all__ if n.endswith(("Error", "Warning"))}
    assert all(f"`{name}`" in page for name in set(icgan_sdk.__all__) - others)

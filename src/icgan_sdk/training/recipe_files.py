"""Reading settings: recipes by name, TOML files, and overrides of single settings."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.training.own_recipe import OWN, own_settings
from icgan_sdk.training.train_config import PLAIN, TrainConfig

RECIPES = resources.files("icgan_sdk.training") / "recipes"


def recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    return sorted(Path(f.name).stem for f in RECIPES.iterdir() if f.name.endswith(".toml"))


def load_config(
    recipe: str | Path, overrides: Sequence[str] = (), *, data: str = ""
) -> TrainConfig:
    """Read a recipe by name or a TOML file, and apply overrides.

    Args:
        recipe: A name from `recipes()`, the path of a TOML file, or "own": settings that
            `own_settings` chooses for the data.
        overrides: Settings like "gan.epochs=5". The value is written as in TOML, but strings need
            no quotes.
        data: Folder of the prepared data set; by default the one that the file names.

    Raises:
        ConfigError: If there is no such recipe or file, or a key or value doesn't fit.
        DatasetError: If the recipe is "own" and the data can't be read.
    """
    if recipe == OWN:
        if not data:
            raise ConfigError(f"the recipe {OWN!r} is chosen for data: give their prepared folder")
        chosen = own_settings(PreparedDataset.open(data)).settings
        return TrainConfig.from_dict(_overridden({"data": data, **chosen}, overrides))
    path: Traversable = Path(recipe)
    if str(recipe) in recipes():
        path = RECIPES / f"{recipe}.toml"
    if not path.is_file():
        raise ConfigError(
            f"no recipe and no TOML file {str(recipe)!r}; "
            f"{did_you_mean(str(recipe), [*recipes(), OWN])}"
        )
    try:
        # The folder of the data needn't have a name that is valid Unicode.
        plain = tomllib.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{recipe} is not valid TOML: {error}") from error
    plain.update({"data": data} if data else {})
    return TrainConfig.from_dict(_overridden(plain, overrides))


def override(config: TrainConfig, overrides: Sequence[str]) -> TrainConfig:
    """A config with single settings replaced, each written "section.key=value".

    Raises:
        ConfigError: If a setting is unknown or its value doesn't fit.
    """
    return TrainConfig.from_dict(_overridden(config.to_dict(), overrides))


def _overridden(plain: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    for text in overrides:
        key, equals, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not equals or not dot or section in PLAIN:
            raise ConfigError(f"write an override as section.key=value, not {text!r}")
        table = plain.setdefault(section, {})
        if isinstance(table, dict):  # else `from_dict` says what is wrong
            table[name] = _toml_value(value.strip())
    return plain


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text

"""All settings of a training run together, to and from plain types and TOML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

import tomli_w

from icgan_sdk.config import CELEBA_CROP, MAX_IMAGE_SIZE, ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean, raise_all
from icgan_sdk.extensions import load_plugins
from icgan_sdk.ranges import list_problems
from icgan_sdk.training.former import without_former
from icgan_sdk.training.settings import (
    EncoderYConfig,
    EncoderZConfig,
    GANConfig,
    GeneratedConfig,
    ImagesConfig,
    JointConfig,
    OptimiserConfig,
    PainterConfig,
    RunConfig,
)

FROM_DATA = ("image_size", "channels", "padding", "crop", "attributes", "groups", "one_hot")
"""Model settings that follow from the prepared data set, not from the recipe; with a painter the
data have its side, and the recipe may give the model a smaller one."""
PLAIN = ("data", "start")
"""Settings that belong to no section."""
OPTIONAL_SECTIONS: dict[str, type[OptimiserConfig]] = {"painter": PainterConfig}
"""The sections of stages that only run if the config has them; `register_stage` adds others."""

_Section = TypeVar("_Section", bound=OptimiserConfig)


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a run: the networks and every stage.

    Attributes:
        data: Folder of the prepared data set.
        start: The start model: the run begins with its networks. A bundled name or an artefact
            folder; "": the networks begin at random.
        model: Settings of ModelConfig that the recipe chooses. `model_config` adds those that
            follow from the data (image size, channels, attributes, …).
        images: How real images vary, in all stages.
        gan: Stage 1.
        joint: Stage 1 with the method "joint".
        generated: Stage 2.
        encoder_z: Stage 3.
        encoder_y: Stage 4.
        run: Seed, device, precision, records.
        optional: Sections of optional stages, by name. Such a stage only runs if its section is
            there. In a TOML file these sections stand beside the others.

    Raises:
        ConfigError: If values don't fit; the message lists all problems.
    """

    data: str = ""
    start: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    images: ImagesConfig = field(default_factory=ImagesConfig)
    gan: GANConfig = field(default_factory=GANConfig)
    joint: JointConfig = field(default_factory=JointConfig)
    generated: GeneratedConfig = field(default_factory=GeneratedConfig)
    encoder_z: EncoderZConfig = field(default_factory=EncoderZConfig)
    encoder_y: EncoderYConfig = field(default_factory=EncoderYConfig)
    run: RunConfig = field(default_factory=RunConfig)
    optional: Mapping[str, OptimiserConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems: list[str] = []
        own_sections = {name: getattr(self, name) for name in _section_types()}
        for name, section in {**own_sections, **self.optional}.items():
            problems += [f"{name}.{p}" for p in list_problems(section)]
        own = ("image_size",) if self.model.get("painter_size") else ()
        problems += [
            f"model.{k} follows from the data set"
            for k in self.model
            if k in FROM_DATA and k not in own
        ]
        if bool(self.model.get("painter_size")) != ("painter" in self.optional):
            problems.append("model.painter_size and the section painter need each other")
        if not problems and self.run.checkpoint_every % self.run.log_every:
            problems.append("run.checkpoint_every must be a multiple of run.log_every")
        joint = self.gan.method == "joint"
        if not problems and self.encoder_z.feature_weight and not joint:
            problems.append('encoder_z.feature_weight needs the critic of gan.method "joint"')
        if not problems and joint and self.encoder_y.source != "real":
            problems.append('gan.method "joint" needs encoder_y.source "real", as E_y comes first')
        uses_prior = joint or self.encoder_z.prior_weight
        if not problems and uses_prior and self.model.get("noise") == "uniform":
            problems.append('gan.method "joint" and encoder_z.prior_weight need normal noise')
        raise_all(problems, "training config")
        # The data aren't known yet, so the largest images, of faces. `model_config` checks again.
        largest = self.model.get("painter_size") or MAX_IMAGE_SIZE
        ModelConfig.from_dict({"image_size": largest, "crop": asdict(CELEBA_CROP), **self.model})

    def model_config(
        self, dataset: PreparedDataset, start: ModelConfig | None = None
    ) -> ModelConfig:
        """The networks' config: the recipe's sizes, else the start model's, else the paper's.

        Args:
            dataset: Decides the size, channels, crop and attributes.
            start: The config of the model that the run starts from.

        Raises:
            ConfigError: If the sizes don't fit the data.
        """
        painter_size = self.model.get("painter_size") or dataset.image_size
        if painter_size != dataset.image_size:
            raise ConfigError(
                f"model.painter_size must be the side of the prepared pictures: "
                f"{dataset.image_size}, not {painter_size}"
            )
        inherited = _sizes_of(start) if start else {}
        if not dataset.crop:
            inherited.pop("encoder_z_faces", None)  # that the crops differ says more
        if start and self.model.get("painter_size"):
            inherited["image_size"] = start.image_size
        sizes = {"image_size": dataset.image_size, **inherited, **self.model}
        from_data = {
            "channels": dataset.channels,
            "padding": dataset.padding * sizes["image_size"] // dataset.image_size,
            "crop": asdict(dataset.crop) if dataset.crop else None,
            **dataset.attributes.to_dict(),
        }
        return ModelConfig.from_dict({**sizes, **from_data})

    def section(self, name: str, kind: type[_Section]) -> _Section:
        """An optional section of the config, which must be there.

        Args:
            name: Of the section and its stage.
            kind: Its type (`Stage.settings`).
        """
        section = self.optional[name]
        assert isinstance(section, kind)  # `from_dict` makes no others
        return section

    def to_dict(self) -> dict[str, Any]:
        """Plain TOML types, one table for each section."""
        plain = {**asdict(self), "model": dict(self.model)}
        optional = plain.pop("optional")
        return {**plain, **optional}

    def to_toml(self) -> str:
        """The text of a config file; `load_config` reads it back."""
        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "TrainConfig":
        """The inverse of `to_dict`; settings left out take their defaults.

        Settings of earlier releases are left out where they change nothing.

        Raises:
            ConfigError: If a section or key is unknown, or a value doesn't fit.
        """
        load_plugins()  # their stages have sections
        plain, problems = without_former(plain)
        types = {**_section_types(), **OPTIONAL_SECTIONS}
        known = [*PLAIN, "model", *types]
        made: dict[str, Any] = {}
        for name, table in plain.items():
            if name not in known:
                problems.append(f"unknown section {name!r}; {did_you_mean(name, known)}")
            elif name in PLAIN:
                made[name] = str(table)
            elif not isinstance(table, Mapping):
                problems.append(f"{name} must be a table, not {table!r}")
            elif name == "model":
                made[name] = dict(table)
            else:
                made[name] = _make(types[name], name, table, problems)
        raise_all(problems, "training config")
        optional = {name: made.pop(name) for name in OPTIONAL_SECTIONS if name in made}
        return cls(**made, optional=optional)


def _section_types() -> dict[str, Any]:
    """The types of the sections that every config has, by name, without the plain table `model`."""
    others = (*PLAIN, "model", "optional")
    return {f.name: f.type for f in fields(TrainConfig) if f.name not in others}


def _make(kind: Any, name: str, table: Mapping[str, Any], problems: list[str]) -> Any:
    """A section from its table; unknown keys are added to the problems."""
    keys = [f.name for f in fields(kind)]
    unknown = [key for key in table if key not in keys]
    problems += [f"unknown key {name}.{key}; {did_you_mean(key, keys)}" for key in unknown]
    return None if unknown else kind(**table)


def _sizes_of(model: ModelConfig) -> dict[str, Any]:
    """What a run takes over of the model it starts from: all but its data's facts and painter."""
    return {
        name: value
        for name, value in model.to_dict().items()
        if name not in FROM_DATA and not name.startswith("painter_")
    }

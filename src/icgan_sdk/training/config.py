"""The settings of a training run: dataclasses, TOML files, named recipes, overrides."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import tomli_w

from icgan_sdk.config import MAX_IMAGE_SIZE, ModelConfig
from icgan_sdk.data import LabelMethod, PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean, raise_all

Adam = Literal["pytorch", "torch7"]
Schedule = Literal["constant", "cosine"]
GANMethod = Literal["matching", "joint"]
Precision = Literal["auto", "float32", "tf32", "bfloat16"]
RECIPES = resources.files("icgan_sdk.training") / "recipes"
FROM_DATA = ("image_size", "channels", "padding", "crop", "attributes", "groups", "one_hot")
"""Model settings that follow from the prepared data set, not from the recipe."""
PLAIN = ("data", "start")
"""Settings that stand alone, in no section."""


@dataclass(frozen=True)
class OptimiserConfig:
    """One stage's optimisation; the defaults are the paper's for the GAN.

    Attributes:
        epochs: Passes over the training partition.
        batch_size: Images a step and process.
        learning_rate: Adam's step size at the start.
        beta1: Decay of Adam's mean.
        beta2: Decay of Adam's mean square.
        adam: "pytorch", or "torch7" as the original (ε added before bias correction).
        schedule: "constant" (the original), or "cosine" to zero at the end of the stage.
    """

    epochs: int = 25
    batch_size: int = 64
    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    adam: Adam = "pytorch"
    schedule: Schedule = "constant"


@dataclass(frozen=True)
class GANConfig(OptimiserConfig):
    """Stage `gan`: generator and discriminator.

    Attributes:
        method: "matching": the paper's conditional GAN with a matching-aware discriminator;
            "joint": together with E_z and on edits of real images, by the section `joint`.
        label_sampling: Where y' of generated images comes from (paper §3.1).
        ema_decay: Decay of the generator's exponential moving average; 0: none.
        flip: Mirror half of the images.
        shift: Move images by up to this many pixels (the original's random crop); 0: off.
    """

    method: GANMethod = "matching"
    label_sampling: LabelMethod = "labels"
    ema_decay: float = 0.0
    flip: bool = True
    shift: int = 0


@dataclass(frozen=True)
class JointConfig:
    """What stage `gan` does when its method is "joint".

    Attributes:
        attribute_weight: Of the cross-entropy, summed over attributes, of what the critic reads
            off generated images.
        emphasis: How often, in the last part of the stage and in that of E_z, what an edit sets
            counts in the cross-entropy: it has to win where it goes ill with the rest.
        pixel_weight: Of the mean absolute error of rebuilt pixels, in [-1, 1] units.
        feature_weight: Of the error of rebuilt images in the critic's maps.
        z_weight: Of L_ez, ‖z − E_z(G(z, y'))‖² per dimension, which also reaches the generator.
        prior_weight: Of the distance of real images' z from N(0, 1).
        emphasis_from: Part of the stage after which that holds.
        critic_rate: The critic's learning rate over the generator's.
        warmup: Steps at the start in which the critic learns alone: for a run that starts from
            trained networks, which a critic that knows nothing would spoil.
        balanced: Draw half of the real images so that rare attributes are as frequent as others.
        augment: Show the critic moved and partly covered images (DiffAugment).
    """

    attribute_weight: float = 1.0
    emphasis: float = 5.0
    emphasis_from: float = 0.55
    pixel_weight: float = 10.0
    feature_weight: float = 2.0
    z_weight: float = 2.0
    prior_weight: float = 1.0
    critic_rate: float = 2.0
    warmup: int = 0
    balanced: bool = True
    augment: bool = False


@dataclass(frozen=True)
class GeneratedConfig:
    """Stage `generated`: the final generator, and a set of its images to judge encoders by.

    Attributes:
        batch_norm_batches: Train-mode batches that refresh the batch-norm statistics (the
            original uses 100).
        images: Size of the generated set.
    """

    batch_norm_batches: int = 100
    images: int = 10_000


@dataclass(frozen=True)
class EncoderZConfig(OptimiserConfig):
    """Stage `encoder_z`: E_z (design SNG: the one encoder) on images generated on the fly.

    Attributes:
        pixel_weight: Weight of the pixel loss ‖x − G(E_z(x), y)‖² on real images, pixels in
            [0, 1] (the original's end-to-end script); 0: none.
        feature_weight: Weight of the difference of real images from G(E_z(x), y) in the critic's
            maps (gan.method "joint" only); 0: none.
        edit_weight: Weight of the cross-entropy, summed over attributes, of what is read off real
            images after an edit, by the critic of gan.method "joint", or else by the E_y of the
            model the run starts from; 0: none.
        prior_weight: Weight of the distance of real images' z from N(0, 1); 0: none.
        flip: Mirror half of the real images.
        shift: Move real images by up to this many pixels.
    """

    epochs: int = 15
    learning_rate: float = 1e-4
    beta1: float = 0.1
    pixel_weight: float = 0.0
    feature_weight: float = 0.0
    edit_weight: float = 0.0
    prior_weight: float = 0.0
    flip: bool = False
    shift: int = 0


@dataclass(frozen=True)
class EncoderYConfig(OptimiserConfig):
    """Stage `encoder_y`: E_y on real images and their labels.

    Attributes:
        source: "real" (the paper's choice), or "generated" images with their y'.
        flip: Mirror half of the images.
        shift: Move images by up to this many pixels.
    """

    epochs: int = 15
    learning_rate: float = 1e-4
    beta1: float = 0.1
    source: Literal["real", "generated"] = "real"
    flip: bool = True
    shift: int = 0


@dataclass(frozen=True)
class PainterConfig(OptimiserConfig):
    """Stage `painter`: the painter of models with `model.painter_size`, and its critic.

    Attributes:
        alone: Train nothing else: the other networks are those of the model the run starts from.
        attribute_weight: Of what the critic reads wrong off painted photos, summed over attributes.
        encoder_weight: Of what E_y reads wrong: a second reader that the painter can't fool alone.
        emphasis: How often values that the edit sets count in both.
        part_weight: Of the scores of a photo's parts, beside that of the whole.
        mask_weight: Of the mask's mean.
        variation_weight: Of the mask's total variation: mean difference of neighbours.
        pixel_weight: Of the mean absolute change of pixels, in [-1, 1] units.
        warmup: Steps at the start in which the critic learns alone, on real photos: with a critic
            that knows nothing the painter learns to keep its mask shut.
        ramp: Steps over which these three come in after that.
        critic_rate: The critic's learning rate over the painter's.
        critic_width: Channels of the critic's first layer; doubles with each later.
        ema_decay: Decay of the painter's exponential moving average.
        flip: Mirror half of the photos.
        shift: Move photos by up to so many pixels each way.
        sample_every: Steps between sheets of edited validation photos.
    """

    epochs: int = 34
    batch_size: int = 32
    learning_rate: float = 3e-4
    beta2: float = 0.99
    alone: bool = False
    attribute_weight: float = 1 / 4
    encoder_weight: float = 1 / 6
    emphasis: float = 10.0
    part_weight: float = 1.0
    mask_weight: float = 0.5
    variation_weight: float = 1.0
    pixel_weight: float = 2.0
    warmup: int = 500
    ramp: int = 2000
    critic_rate: float = 2.0
    critic_width: int = 32
    ema_decay: float = 0.999
    flip: bool = True
    shift: int = 0
    sample_every: int = 1000


@dataclass(frozen=True)
class RunConfig:
    """What concerns the machine and the record rather than the result.

    Attributes:
        seed: Everything random follows from it.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        precision: "bfloat16" mixed precision, "float32", "tf32" (float32 with shortened products
            on NVIDIA GPUs), or "auto": bfloat16 where the hardware computes in it.
        channels_last: Memory layout of images and convolution weights; faster almost anywhere.
        compile: Compile the networks with `torch.compile`: slow to start, for long runs on GPUs.
        data_on_device: Keep the training images in a GPU's memory, if they fit into half of it.
        log_every: Steps between lines of metrics.jsonl.
        checkpoint_every: Steps between checkpoints, a multiple of `log_every`.
        tensorboard: Also write TensorBoard event files (extra `tensorboard`).
    """

    seed: int = 0
    device: str = "auto"
    precision: Precision = "auto"
    channels_last: bool = True
    compile: bool = False
    data_on_device: bool = True
    log_every: int = 50
    checkpoint_every: int = 500
    tensorboard: bool = False


@dataclass(frozen=True)
class TrainConfig:
    """A whole run: the networks' sizes and the four stages.

    Attributes:
        data: Folder of the prepared data set.
        start: Model whose networks training begins with, a bundled name or an artefact folder;
            "": they begin at random.
        model: Settings of ModelConfig that the recipe chooses; what follows from the data
            (image size, channels, attributes, …) is added by `model_config`.
        gan: Stage 1.
        joint: More of stage 1, where its method is "joint".
        generated: Stage 2.
        encoder_z: Stage 3.
        encoder_y: Stage 4.
        painter: Stage 5, of models with a painter.
        run: Seed, device, precision, records.

    Raises:
        ConfigError: If values don't fit; the message lists all problems.
    """

    data: str = ""
    start: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    gan: GANConfig = field(default_factory=GANConfig)
    joint: JointConfig = field(default_factory=JointConfig)
    generated: GeneratedConfig = field(default_factory=GeneratedConfig)
    encoder_z: EncoderZConfig = field(default_factory=EncoderZConfig)
    encoder_y: EncoderYConfig = field(default_factory=EncoderYConfig)
    painter: PainterConfig = field(default_factory=PainterConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        problems: list[str] = []
        for name in ("gan", "joint", "generated", "encoder_z", "encoder_y", "painter", "run"):
            problems += [f"{name}.{p}" for p in section_problems(getattr(self, name))]
        # With a painter the data have its side, and the model may be smaller.
        own = ("image_size",) if self.model.get("painter_size") else ()
        taken = [k for k in self.model if k in FROM_DATA and k not in own]
        problems += [f"model.{k} follows from the data set" for k in taken]
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
        # At the largest size, as the data's is not known here; `model_config` checks again.
        largest = self.model.get("painter_size") or MAX_IMAGE_SIZE
        ModelConfig.from_dict({"image_size": largest, **self.model})

    def model_config(self, dataset: PreparedDataset) -> ModelConfig:
        """The networks' config for a prepared data set.

        Raises:
            ConfigError: If the recipe's sizes don't fit the data.
        """
        side = self.model.get("image_size", dataset.image_size)
        if self.model.get("painter_size", dataset.image_size) != dataset.image_size:
            raise ConfigError(
                f"model.painter_size must be the side of the prepared pictures: "
                f"{dataset.image_size}, not {self.model['painter_size']}"
            )
        plain = ModelConfig(
            image_size=side,
            channels=dataset.channels,
            padding=dataset.padding * side // dataset.image_size,
            crop=dataset.crop,
            attributes=dataset.attributes,
            encoder_design="ind",
        ).to_dict()
        return ModelConfig.from_dict({**plain, **self.model})

    def to_dict(self) -> dict[str, Any]:
        """Plain TOML types, a table a section."""
        return {**asdict(self), "model": dict(self.model)}

    def to_toml(self) -> str:
        """The text of a config file that `load_config` reads back."""
        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "TrainConfig":
        """The inverse of `to_dict`; what is left out takes its default.

        Raises:
            ConfigError: If a section or key is unknown, or a value doesn't fit.
        """
        sections: dict[str, Any] = {}
        problems: list[str] = []
        types = {f.name: f.type for f in fields(cls)}
        for name, table in plain.items():
            if name not in types:
                problems.append(f"unknown section {name!r}; {did_you_mean(name, types)}")
            elif name in PLAIN:
                sections[name] = str(table)
            elif not isinstance(table, Mapping):
                problems.append(f"{name} must be a table, not {table!r}")
            elif name == "model":
                sections[name] = dict(table)
            else:
                section = types[name]
                known = [f.name for f in fields(section)]  # type: ignore[arg-type]
                problems += [
                    f"unknown key {name}.{k}; {did_you_mean(k, known)}"
                    for k in table
                    if k not in known
                ]
                if all(k in known for k in table):
                    sections[name] = section(**table)  # type: ignore[operator]
        raise_all(problems, "training config")
        return cls(**sections)


def section_problems(section: object) -> list[str]:
    """Type and range problems of one section, by its fields' annotations."""
    problems = []
    for f in fields(section):  # type: ignore[arg-type]
        value, name = getattr(section, f.name), f.name
        if get_origin(f.type) is Literal:
            if value not in get_args(f.type):
                problems.append(
                    f"{name} must be one of {', '.join(get_args(f.type))}, not {value!r}"
                )
        elif f.type is float:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                problems.append(f"{name} must be a number, not {value!r}")
            elif not 0 <= value < (1 if name in {"beta1", "beta2", "ema_decay"} else float("inf")):
                problems.append(f"{name} is out of range: {value!r}")
        elif type(value) is not f.type:
            problems.append(f"{name} must be {f.type.__name__}, not {value!r}")  # type: ignore[union-attr]
        elif f.type is int and value < (0 if name in {"shift", "seed", "warmup"} else 1):
            problems.append(f"{name} is out of range: {value!r}")
    return problems


def recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(Path(f.name).stem for f in RECIPES.iterdir() if f.name.endswith(".toml"))


def load_config(
    recipe: str | Path, overrides: Sequence[str] = (), *, data: str = ""
) -> TrainConfig:
    """Read a recipe by name or a TOML file, and apply overrides.

    Args:
        recipe: A name from `recipes()` or the path of a TOML file.
        overrides: Like "gan.epochs=5", the value written as in TOML (strings need no quotes).
        data: Folder of the prepared data set; by default the file's own.

    Raises:
        ConfigError: If there is no such recipe or file, or a key or value doesn't fit.
    """
    path: Traversable = Path(recipe)
    if str(recipe) in recipes():
        path = RECIPES / f"{recipe}.toml"
    if not path.is_file():
        raise ConfigError(
            f"no recipe and no TOML file {str(recipe)!r}; {did_you_mean(str(recipe), recipes())}"
        )
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{recipe} is not valid TOML: {error}") from error
    plain.update({"data": data} if data else {})
    return override(TrainConfig.from_dict(plain), overrides)


def override(config: TrainConfig, overrides: Sequence[str]) -> TrainConfig:
    """A config with single settings replaced, each written "section.key=value".

    Raises:
        ConfigError: If a setting is unknown or its value doesn't fit.
    """
    plain = config.to_dict()
    for text in overrides:
        key, equals, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not equals or not dot or section in PLAIN:
            raise ConfigError(f"write an override as section.key=value, not {text!r}")
        plain.setdefault(section, {})[name] = _toml_value(value.strip())
    return TrainConfig.from_dict(plain)


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text

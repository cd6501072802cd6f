"""Sizes and design of the networks (Tables 1 and 2), and how pictures become their input."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.errors import ConfigError, IcGANError, did_you_mean, raise_all

EncoderDesign = Literal["ind", "sng", "ind_cond"]
Noise = Literal["normal", "uniform"]
Alignment = Literal["celeba"]
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 8, 1024
MAX_ENCODER_LAYERS = 10


@dataclass(frozen=True)
class Crop:
    """The part of an aligned frame a model sees.

    A picture of any resolution with the frame's proportions is taken as the whole frame, so the
    box also holds for pictures stored smaller.

    Attributes:
        frame: Width and height of the frame, pixels.
        box: Left, top, right, bottom in the frame's pixels.

    Raises:
        ConfigError: If the box is empty or leaves the frame.
    """

    frame: tuple[int, int]
    box: tuple[int, int, int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", tuple(self.frame))
        object.__setattr__(self, "box", tuple(self.box))
        if len(self.frame) != 2 or len(self.box) != 4:
            raise ConfigError("crop: frame needs 2 numbers (width, height) and box 4")
        (width, height), (left, top, right, bottom) = self.frame, self.box
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise ConfigError(f"crop: box {self.box} is empty or leaves the frame {self.frame}")

    def scaled_to(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The box in the pixels of a picture of this size that shows the whole frame."""
        (frame_width, frame_height), (left, top, right, bottom) = self.frame, self.box
        # Multiplied before divided: a box to the frame's edge must not pass it by a rounding error.
        return (
            left * width / frame_width,
            top * height / frame_height,
            right * width / frame_width,
            bottom * height / frame_height,
        )


CELEBA_CROP = Crop(frame=(178, 218), box=(0, 20, 178, 198))
"""The usual centre square of CelebA's aligned frame."""

ALIGNMENTS: Mapping[tuple[int, int], Alignment] = {(178, 218): "celeba"}
"""How the faces lie in a frame of this size: a crop names its alignment by its frame."""

PAPER_CROP = Crop(frame=(178, 218), box=(30, 40, 168, 178))
"""The tighter square the original code cut."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the networks' shapes and what they take in and give out.

    The defaults are the paper's model: 64×64 colour pictures (Tables 1 and 2).

    Attributes:
        image_size: Side of the networks' square input and output, a power of two, 8 to 1024.
        channels: 1 (grey) or 3 (RGB).
        padding: Background pixels around the picture on each side: MNIST's 28×28 sits in 32×32
            with padding 2. Users see pictures without it.
        crop: Where in an aligned frame the training pictures were cut; None: whole pictures.
        attributes: Names and exclusive groups; none at all makes a plain DCGAN.
        z_dim: Size of z.
        noise: What the generator knows z to come from: N(0, 1), or uniform on (−1, 1).
        generator_width: Channels of the generator's last hidden layer; doubles with each earlier.
        generator_fc: Units of a fully connected layer before the first full convolution (the
            Stanford poster's variant); 0: none.
        generator_y_layer: y joins at the input (0) or the output of this hidden layer.
        discriminator_width: Channels of the discriminator's first layer; doubles with each later.
        discriminator_y_layer: y joins at the input (0) or the output of this hidden layer.
        encoder_design: "ind", two networks; "sng", one with two heads; "ind_cond", E_z sees y.
        encoder_width: Channels of the encoders' first layer; doubles with each later.
        encoder_layers: Convolutions of an encoder, each halving the side, 1 to 10; a single pixel
            stays one (as in the original at 8×8).
        encoder_z_fc: Units of E_z's hidden fully connected layer; 0: as many as features flow
            in, as the original (4096 at 64×64).
        encoder_y_fc: The same for E_y ("sng": the original uses 0 here too).
        painter_size: Side of the photos the painter paints on, image_size times a power of two; 0:
            the model has no painter.
        painter_width: Channels of the painter's largest maps; doubles with each halving.
        painter_pictures: Whether the painter looks at G's pictures of before and after.

    Raises:
        ConfigError: If values don't fit together; the message lists all problems.
    """

    image_size: int = 64
    channels: int = 3
    padding: int = 0
    crop: Crop | None = None
    attributes: AttributeSet = field(default_factory=AttributeSet.celeba)
    z_dim: int = 100
    noise: Noise = "normal"
    generator_width: int = 64
    generator_fc: int = 0
    generator_y_layer: int = 0
    discriminator_width: int = 64
    discriminator_y_layer: int = 1
    encoder_design: EncoderDesign = "ind"
    encoder_width: int = 32
    encoder_layers: int = 4
    encoder_z_fc: int = 0
    encoder_y_fc: int = 512
    painter_size: int = 0
    painter_width: int = 24
    painter_pictures: bool = True

    def __post_init__(self) -> None:
        raise_all(self._problems(), "model config")

    def _problems(self) -> list[str]:
        size = self.image_size
        integers = {f.name: getattr(self, f.name) for f in fields(self) if f.type is int}
        problems = [
            f"{k} must be a whole number, not {v!r}"
            for k, v in integers.items()
            if type(v) is not int
        ]
        if problems:
            return problems
        if not MIN_IMAGE_SIZE <= size <= MAX_IMAGE_SIZE or size & (size - 1):
            problems.append(f"image_size must be a power of two from 8 to 1024, not {size}")
            return problems
        if self.channels not in {1, 3}:
            problems.append(f"channels must be 1 or 3, not {self.channels}")
        if not 0 <= 2 * self.padding < size:
            problems.append(f"padding must leave some of the {size} pixels, not {self.padding}")
        positive = (
            "z_dim",
            "generator_width",
            "discriminator_width",
            "encoder_width",
            "encoder_layers",
            "painter_width",
        )
        problems += [
            f"{k} must be at least 1, not {integers[k]}" for k in positive if integers[k] < 1
        ]
        if integers["encoder_layers"] > MAX_ENCODER_LAYERS:
            problems.append(f"encoder_layers must be at most {MAX_ENCODER_LAYERS}")
        not_negative = ("generator_fc", "encoder_z_fc", "encoder_y_fc")
        problems += [f"{k} must not be negative" for k in not_negative if integers[k] < 0]
        for name in ("generator_y_layer", "discriminator_y_layer"):
            if not 0 <= integers[name] <= self.hidden_layers:
                problems.append(f"{name} must be 0 to {self.hidden_layers} at size {size}")
        if self.encoder_design not in get_args(EncoderDesign):
            problems.append(f"encoder_design must be one of {', '.join(get_args(EncoderDesign))}")
        if self.noise not in get_args(Noise):
            problems.append(f"noise must be one of {', '.join(get_args(Noise))}")
        if not self.attributes.names and self.encoder_design != "ind":
            problems.append("a model without attributes has encoder_design 'ind'")
        return problems + self._painter_problems()

    def _painter_problems(self) -> list[str]:
        switches = {f.name: getattr(self, f.name) for f in fields(self) if f.type is bool}
        problems = [
            f"{k} must be true or false, not {v!r}"
            for k, v in switches.items()
            if type(v) is not bool
        ]
        scale, rest = divmod(self.painter_size, self.image_size)
        if self.painter_size and (rest or scale < 1 or scale & (scale - 1)):
            problems.append(
                f"painter_size must be 0 or image_size ({self.image_size}) times a power of two, "
                f"not {self.painter_size}"
            )
        if self.painter_size > MAX_IMAGE_SIZE:
            problems.append(f"painter_size must be at most {MAX_IMAGE_SIZE}")
        if self.painter_size and not self.attributes.names:
            problems.append("a painter needs attributes to paint")
        return problems

    @property
    def n_attributes(self) -> int:
        """Size of y."""
        return len(self.attributes)

    @property
    def hidden_layers(self) -> int:
        """Hidden layers of G and of D: log2(image_size) − 2, so 4 at 64×64."""
        return int(math.log2(self.image_size)) - 2

    @property
    def alignment(self) -> Alignment | None:
        """How the faces of the training pictures were aligned, as far as the crop's frame tells."""
        return None if self.crop is None else ALIGNMENTS.get(self.crop.frame)

    @property
    def picture_size(self) -> int:
        """Side of the pictures users give and get: image_size without padding."""
        return self.image_size - 2 * self.padding

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON or TOML types; attributes spread to attributes, groups and one_hot."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        if not self.painter_size:  # files of models without one stay readable by older releases
            plain = {k: v for k, v in plain.items() if not k.startswith("painter_")}
        plain["crop"] = None if self.crop is None else asdict(self.crop)
        plain["attributes"] = list(self.attributes.names)
        plain["groups"] = {g: list(m) for g, m in self.attributes.groups.items()}
        plain["one_hot"] = self.attributes.one_hot
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "ModelConfig":
        """The inverse of `to_dict`; keys left out take their defaults.

        Raises:
            ConfigError: If a key is unknown or a value doesn't fit.
        """
        values = dict(plain)
        known = [*(f.name for f in fields(cls)), "groups", "one_hot"]
        raise_all(
            [f"unknown key {k!r}; {did_you_mean(k, known)}" for k in values if k not in known],
            "model config",
        )
        try:
            if values.get("crop") is not None:
                values["crop"] = Crop(**values["crop"])
            groups, one_hot = values.pop("groups", {}), values.pop("one_hot", False)
            if "attributes" in values:
                groups = {g: tuple(m) for g, m in groups.items()}
                values["attributes"] = AttributeSet(tuple(values["attributes"]), groups, one_hot)
            return cls(**values)
        except IcGANError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            raise ConfigError(f"model config: a value has the wrong type ({error})") from error

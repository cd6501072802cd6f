"""Sizes and designs of the networks (Tables 1 and 2), and how pictures become their input."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Annotated, Any, Literal

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA
from icgan_sdk.errors import ConfigError, IcGANError, did_you_mean, raise_all
from icgan_sdk.profiles import FaceProfile
from icgan_sdk.ranges import OneOf, PowerOfTwo, Range, field_problems

EncoderDesign = Literal["ind", "sng", "ind_cond"]
Noise = Literal["normal", "uniform"]
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 8, 1024
PAPER_ARCHITECTURE = "dcgan"
"""The convolutional networks of the paper's Tables 1 and 2."""
UNET = "unet"
"""The painter that comes with the package."""
OWN_CRITIC, PROJECTED_CRITIC = "own", "projected"
"""The critics that come with the package: one learns from the training images alone, one looks at
the features of a network that learnt ImageNet."""


@dataclass(frozen=True)
class Crop:
    """The part of an aligned frame that a model sees.

    A picture with the frame's proportions counts as the whole frame, whatever its resolution. So
    the box also fits pictures that are stored smaller.

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
        """The box in the pixels of a picture that shows the whole frame at this size."""
        (frame_width, frame_height), (left, top, right, bottom) = self.frame, self.box
        # Multiply first: a rounding error must not carry a box beyond the frame's edge.
        return (
            left * width / frame_width,
            top * height / frame_height,
            right * width / frame_width,
            bottom * height / frame_height,
        )


CELEBA_CROP = Crop(frame=CELEBA.frame, box=(0, 20, 178, 198))
"""The usual centre square of CelebA's aligned frame."""

PROFILES: Mapping[str, FaceProfile] = {CELEBA.name: CELEBA}
"""Kinds of aligned faces, by the names that configs have for them."""

PAPER_CROP = Crop(frame=CELEBA.frame, box=(30, 40, 168, 178))
"""The tighter square that the original code cuts."""


@dataclass(frozen=True)
class ModelConfig:
    """Defines the networks: their architecture, their input and their output.

    The defaults are the paper's model: 64×64 colour pictures (Tables 1 and 2).

    Attributes:
        image_size: Side of the networks' square input and output, a power of two, 8 to 1024.
        channels: 1 (grey) or 3 (RGB).
        padding: Background pixels around the picture on each side: MNIST's 28×28 sits in 32×32
            with padding 2. Users see pictures without it.
        crop: Where the training pictures were cut out of an aligned frame; None: whole pictures.
        face_profile: What is known of the aligned faces that the pictures show, a name in
            `PROFILES`; "auto": the profile of the crop's frame; "none": they show something else.
        attributes: Names and exclusive groups. Without any the model is a plain DCGAN.
        z_dim: Size of z.
        noise: The distribution of z that the generator was trained on: N(0, 1), or uniform on
            (−1, 1).
        generator: Architecture of the generator, a name in `icgan_sdk.model.build.GENERATORS`.
        generator_width: Channels of the generator's last hidden layer. Each earlier layer has
            twice as many.
        generator_fc: Units of a fully connected layer before the first full convolution (the
            Stanford poster's variant); 0: none.
        generator_y_layer: Where y joins: the input (0) or the output of this hidden layer.
        discriminator_width: Channels of the discriminator's first layer. Each later layer has
            twice as many.
        discriminator_y_layer: Where y joins: the input (0) or the output of this hidden layer.
        encoder: Architecture of the encoders, a name in `icgan_sdk.model.build.ENCODERS`.
        encoder_design: "ind", two networks; "sng", one with two heads; "ind_cond", E_z sees y.
        encoder_width: Channels of the encoders' first layer. Each later layer has twice as many.
        encoder_layers: Convolutions of an encoder, 1 to 10. Each halves the side; a single pixel
            stays one (as in the original at 8×8).
        encoder_z_width: E_z's own width; 0: encoder_width, as the design "sng" always has.
        encoder_z_layers: E_z's own number of convolutions; 0: encoder_layers, likewise.
        encoder_z_fc: Units of E_z's hidden fully connected layer; 0: as many as features flow
            in, as in the original (4096 at 64×64).
        encoder_z_faces: Whether E_z is also told what the bundled face-recognition network sees,
            see `icgan_sdk.model.FaceEncoder`; for colour pictures of aligned faces.
        encoder_y_fc: The same as encoder_z_fc for E_y (with "sng" the original uses 0 here too).
        painter_size: Side of the photos that the painter paints on: image_size times a power of
            two. 0: the model has no painter.
        painter_architecture: A name in `icgan_sdk.model.build.PAINTERS`.
        painter_width: Channels of the painter's largest maps. Each halving has twice as many.

    Raises:
        ConfigError: If values don't fit together; the message lists all problems.
    """

    image_size: Annotated[int, PowerOfTwo(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)] = 64
    channels: Annotated[int, OneOf(1, 3)] = 3
    padding: Annotated[int, Range(0)] = 0
    crop: Crop | None = None
    face_profile: str = "auto"
    attributes: AttributeSet = field(default_factory=AttributeSet.celeba)
    z_dim: Annotated[int, Range(1)] = 100
    noise: Noise = "normal"
    generator: str = PAPER_ARCHITECTURE
    generator_width: Annotated[int, Range(1)] = 64
    generator_fc: Annotated[int, Range(0)] = 0
    generator_y_layer: Annotated[int, Range(0)] = 0
    discriminator_width: Annotated[int, Range(1)] = 64
    discriminator_y_layer: Annotated[int, Range(0)] = 1
    encoder: str = PAPER_ARCHITECTURE
    encoder_design: EncoderDesign = "ind"
    encoder_width: Annotated[int, Range(1)] = 32
    encoder_layers: Annotated[int, Range(1, 10)] = 4
    encoder_z_width: Annotated[int, Range(0)] = 0
    encoder_z_layers: Annotated[int, Range(0, 10)] = 0
    encoder_z_fc: Annotated[int, Range(0)] = 0
    encoder_z_faces: bool = False
    encoder_y_fc: Annotated[int, Range(0)] = 512
    painter_size: Annotated[int, Range(0, MAX_IMAGE_SIZE)] = 0
    painter_architecture: str = UNET
    painter_width: Annotated[int, Range(1)] = 32

    def __post_init__(self) -> None:
        raise_all(self._problems(), "model config")

    def _problems(self) -> list[str]:
        found = field_problems(self)
        problems = [f"{name} {problem}" for name, problem in found.items()]
        size = self.image_size
        if not found.keys() & {"image_size", "padding"} and 2 * self.padding >= size:
            problems.append(f"padding must leave some of the {size} pixels, not {self.padding}")
        for name in ("generator_y_layer", "discriminator_y_layer"):
            fits = found.keys() & {"image_size", name} or getattr(self, name) <= self.hidden_layers
            if not fits:
                problems.append(f"{name} must be 0 to {self.hidden_layers} at size {size}")
        if not self.attributes.names and self.encoder_design != "ind":
            problems.append("a model without attributes has encoder_design 'ind'")
        if self.encoder_design == "sng" and (self.encoder_z_width or self.encoder_z_layers):
            problems.append("encoder_z_width and encoder_z_layers must be 0: 'sng' has one encoder")
        if self.face_profile not in ("auto", "none", *PROFILES):
            problems.append(
                f"face_profile: {did_you_mean(self.face_profile, ('auto', 'none', *PROFILES))}"
            )
        elif self.face_profile in PROFILES and (
            self.crop is None or self.crop.frame != PROFILES[self.face_profile].frame
        ):
            problems.append(f"face_profile {self.face_profile!r} needs a crop of its frame")
        if self.encoder_z_faces and self.encoder_design == "sng":
            problems.append("encoder_z_faces must be false: 'sng' has one encoder")
        if self.encoder_z_faces and (self.alignment is None or self.channels != 3):
            problems.append(
                "encoder_z_faces needs colour pictures of aligned faces, cut out of frames of "
                "178×218 pixels as CelebA's; set it to false for others"
            )
        if not found.keys() & {"image_size", "painter_size"}:
            problems += self._painter_problems()
        return problems

    def _painter_problems(self) -> list[str]:
        problems = []
        scale, rest = divmod(self.painter_size, self.image_size)
        if self.painter_size and (rest or scale & (scale - 1)):
            problems.append(
                f"painter_size must be 0 or image_size ({self.image_size}) times a power of two, "
                f"not {self.painter_size}"
            )
        if self.painter_size and not self.attributes.names:
            problems.append("a model without attributes has no painter")
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
    def faces(self) -> FaceProfile | None:
        """How the faces of the training pictures were aligned; None: they show no such faces."""
        if self.crop is None or self.face_profile == "none":
            return None
        fitting = (faces for faces in PROFILES.values() if faces.frame == self.crop.frame)
        return PROFILES.get(self.face_profile) or next(fitting, None)

    @property
    def alignment(self) -> str | None:
        """The name of `faces`."""
        return None if self.faces is None else self.faces.name

    @property
    def picture_size(self) -> int:
        """Side of the pictures that users give and get: image_size without padding."""
        return self.image_size - 2 * self.padding

    @cached_property
    def photo(self) -> "ModelConfig":
        """The config of a model whose pictures are this one's photos: of the painter's side.

        Itself for a model without a painter.
        """
        if not self.painter_size:
            return self
        padding = self.padding * self.painter_size // self.image_size
        return replace(self, image_size=self.painter_size, padding=padding, painter_size=0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON or TOML types; attributes spread to attributes, groups and one_hot.

        What older releases don't know is left out where a model doesn't use it, so that they
        read the config.
        """
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        if not self.painter_size:
            del plain["painter_size"], plain["painter_width"]
        if not self.painter_size or self.painter_architecture == UNET:
            del plain["painter_architecture"]
        if self.face_profile == "auto":
            del plain["face_profile"]
        for name in ("generator", "encoder"):
            if plain[name] == PAPER_ARCHITECTURE:
                del plain[name]
        for name in ("encoder_z_width", "encoder_z_layers", "encoder_z_faces"):
            if not plain[name]:
                del plain[name]
        plain["crop"] = None if self.crop is None else asdict(self.crop)
        return {**plain, **self.attributes.to_dict()}

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
            if "attributes" in values:
                values["attributes"] = AttributeSet.from_dict(values)
            for spread in ("groups", "one_hot"):
                values.pop(spread, None)
            return cls(**values)
        except IcGANError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            raise ConfigError(f"model config: a value has the wrong type ({error})") from error

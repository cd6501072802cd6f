"""What a model does with latents: encoding, decoding, and all that lies between pictures."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypedDict, Unpack

import numpy as np
from PIL.Image import Image

from icgan_sdk.attributes import resolve_edit
from icgan_sdk.checks import check_whole
from icgan_sdk.editing import Encoded, Inversion
from icgan_sdk.editing.drawing import draw_y, draw_z, source_of
from icgan_sdk.editing.encoded import present, to_pictures
from icgan_sdk.engines.engine import CHUNK
from icgan_sdk.engines.latents import Latent, check_latent, with_presences
from icgan_sdk.errors import ConfigError, ShapeError, did_you_mean
from icgan_sdk.loading import Pretrained
from icgan_sdk.photo import Align, Face, cut_photo, open_photo, place
from icgan_sdk.photo.inputs import refuse_all, refuse_shared
from icgan_sdk.pictures.arrays import Floats, picture_to_array
from icgan_sdk.pictures.opening import ImageLike, is_tensor, listed, name_of


class Placing(TypedDict, total=False):
    """How a photo becomes the square a model sees; see `IcGAN`."""

    align: Align
    face: Face


class Encoding(Placing, total=False):
    """`Placing`, and how z is found: `refine`, optimisation steps, by default none."""

    refine: int


class LatentModel(Pretrained):
    """Pictures to latents and back; the second base of `IcGAN`, where the options are explained."""

    def invert(self, image: ImageLike, **options: Unpack[Encoding]) -> Inversion:
        """Encode one picture, to edit it often.

        Args:
            image: One picture.
            **options: `align`, `face` and `refine`; see the class and `encode`.

        Raises:
            ImageError: If a file can't be read.
            ShapeError: If an array or tensor doesn't fit.
            NoFaceFoundError: If there is no such face.
            ConfigError: If an option is unknown or out of range.
        """
        refine, placing = split_options(options)
        (image,) = self._singles(image)
        if is_tensor(image):
            placed = place(image, self.config, **placing)
            return Inversion(Encoded(self._engine, placed.pixels[None]).refined(refine))
        flat, photo = open_photo(image, self.config.channels)
        name = name_of(image) or "the picture"
        refuse_all(placing.get("face", "largest"))
        (cut,) = cut_photo(flat, self.config, name=name, **placing)
        pixels = picture_to_array(cut.square, self.config.photo)[None]
        encoded = Encoded(self._engine, pixels).refined(refine)
        return Inversion(encoded, photo, None if cut.missed else cut.matrix, cut.found)

    def encode(
        self, images: ImageLike | Iterable[ImageLike], **options: Unpack[Encoding]
    ) -> Latent:
        """E_z and E_y: z [B, z_dim] and y [B, n_attributes] on the model's device.

        Args:
            images: One picture (B is 1) or several.
            **options: `align` and `face`, see the class; `refine`: optimisation steps that bring
                z's picture nearer to the given one, from E_z's start (see
                `icgan_sdk.model.refinement`); 20 do most of it.

        Raises:
            ImageError: If a file can't be read.
            ShapeError: If an array or tensor doesn't fit.
            NoFaceFoundError: If there is no such face.
            ConfigError: If an option is unknown or out of range.
        """
        from torch import from_numpy

        chunks, _ = self._encoded(images, options)
        zs, ys = zip(*((chunk.z, chunk.y) for chunk in chunks), strict=True)
        z, y = (from_numpy(np.concatenate(parts)).to(self.device) for parts in (zs, ys))
        return Latent(z, y)

    def decode(self, latent: Latent) -> list[Image]:
        """G(z, y): one picture for each row.

        Raises:
            ShapeError: If z and y don't fit the model or each other.
        """
        check_latent(latent, self.config)
        z, y = (x.detach().cpu().float().contiguous().numpy() for x in (latent.z, latent.y))
        return self._pictures(self._engine.decode(z, y))

    def with_attributes(
        self, latent: Latent, attributes: Mapping[str, object] | None = None, **named: object
    ) -> Latent:
        """A latent with its attributes changed, for `decode`.

        Args:
            latent: Of any number of pictures.
            attributes: As in `edit`.
            **named: As in `edit`.

        Raises:
            UnknownAttributeError: If there is no such attribute, group or member.
            AttributeValueError: If a value is not a number from 0 to 2, or several members of a
                group should be present.
            ShapeError: If z and y don't fit the model or each other.
        """
        check_latent(latent, self.config)
        known = self.config.attributes
        return with_presences(latent, known, resolve_edit(known, attributes, named))

    def interpolate(
        self,
        a: ImageLike | Inversion,
        b: ImageLike | Inversion,
        *,
        steps: int = 8,
        **options: Unpack[Encoding],
    ) -> list[Image]:
        """From one picture to another, linear in z and y (Figure 6a).

        Args:
            a: The first picture, or its inversion.
            b: The last picture, or its inversion.
            steps: Pictures in all, both ends' reconstructions included; at least 2.
            **options: `align`, `face` and `refine`; see the class and `encode`.
        """
        steps = check_whole("steps", steps, 2)
        weights = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
        z, y = (ends[:1] + weights * (ends[1:] - ends[:1]) for ends in self._pair(a, b, options))
        return self._pictures(self._engine.decode(z, y))

    def swap_attributes(
        self, a: ImageLike | Inversion, b: ImageLike | Inversion, **options: Unpack[Encoding]
    ) -> tuple[Image, Image]:
        """Both pictures with each other's attributes: y exchanged, z kept (Figure 6b).

        Args:
            a: A picture, or its inversion.
            b: The other.
            **options: `align`, `face` and `refine`; see the class and `encode`.
        """
        z, y = self._pair(a, b, options)
        first, second = self._pictures(self._engine.decode(z, y[::-1].copy()))
        return first, second

    def sample(
        self,
        n: int,
        attributes: Mapping[str, object] | None = None,
        *,
        seed: int | None = None,
        generator: np.random.Generator | None = None,
        **named: object,
    ) -> list[Image]:
        """Pictures from random z.

        Attributes that are not named are absent; class labels (digits), where none is named, are
        drawn at random for each picture. The same seed gives the same pictures on any device and
        runtime, as far as their arithmetic agrees.

        Args:
            n: How many.
            attributes: As in `edit`.
            seed: For the draw; None: another one each time.
            generator: A source of randomness instead of a seed.
            **named: Attributes by name.

        Raises:
            UnknownAttributeError: If there is no such attribute, group or member.
            AttributeValueError: As in `edit`.
            ConfigError: If n is below 1, or both a seed and a generator are given.
        """
        check_whole("n", n, 1)
        known = self.config.attributes
        presences = resolve_edit(known, attributes, named, ("seed", "generator"))
        source = source_of(seed, generator)
        z = draw_z(n, self.config, source)
        y = draw_y(n, self.config, source, classes=not presences)
        return self._pictures(self._engine.decode(z, present(known, y, presences)))

    def _encoded(
        self, images: object, options: Mapping[str, Any], known: type[Placing] = Encoding
    ) -> tuple[Iterator[Encoded], bool]:
        """Pictures in chunks, which are opened as they are asked for, and whether it is one."""
        refine, placing = split_options(options, known)
        named, single = named_pictures(images)
        refuse_shared(placing.get("face", "largest"), single)
        squares = (place(image, self.config, name=name, **placing) for image, name in named)
        return self._chunks((square.pixels for square in squares), refine), single

    def _chunks(self, pixels: Iterator[Floats], refine: int) -> Iterator[Encoded]:
        while chunk := list(islice(pixels, CHUNK)):
            yield Encoded(self._engine, np.stack(chunk)).refined(refine)

    def _pair(
        self, a: ImageLike | Inversion, b: ImageLike | Inversion, options: Mapping[str, Any]
    ) -> tuple[Floats, Floats]:
        """Z and y of two pictures, [2, …] each."""
        if isinstance(a, Inversion) and isinstance(b, Inversion) and options:
            raise ConfigError(
                f"{', '.join(options)}: options say how pictures are inverted, and both are "
                "already: give them to invert"
            )
        if isinstance(a, Inversion) or isinstance(b, Inversion):
            ends = [x if isinstance(x, Inversion) else self.invert(x, **options) for x in (a, b)]
            encoded = [end.encoded for end in ends]
        else:
            encoded = list(self._encoded(self._singles(a, b), options)[0])
        zs, ys = zip(*((found.z, found.y) for found in encoded), strict=True)
        widths = {(z.shape[1], y.shape[1]) for z, y in zip(zs, ys, strict=True)}
        if widths != {(self.config.z_dim, self.config.n_attributes)}:
            raise ShapeError("an inversion that another model made doesn't fit this one")
        return np.concatenate(zs), np.concatenate(ys)

    def _singles(self, *images: object) -> list[ImageLike]:
        found = []
        for image in images:
            pictures, _ = listed(image)
            if len(pictures) != 1:
                raise ShapeError(f"expected one picture here, not {len(pictures)}")
            found += pictures
        return found

    def _pictures(self, images: Floats) -> list[Image]:
        return to_pictures(images, self.config)


def named_pictures(images: object) -> tuple[list[tuple[Any, str]], bool]:
    """Pictures with what messages call them if they are no files."""
    pictures, single = listed(images)
    if any(isinstance(picture, Inversion) for picture in pictures):
        raise ShapeError("an Inversion is no picture, and edits itself: inversion.edit(Smiling=1)")
    if single:
        return [(pictures[0], "the picture")], True
    return [(picture, f"picture {n}") for n, picture in enumerate(pictures, start=1)], False


def split_options(
    options: Mapping[str, Any], known: type[Placing] = Encoding
) -> tuple[int, dict[str, Any]]:
    """The refinement steps, checked, and the other options.

    Raises:
        ConfigError: If there is no such option, or the steps are no whole number from 0.
    """
    names = list(known.__annotations__)
    for name in options:
        if name not in names:
            raise ConfigError(f"there is no option {name!r} here; {did_you_mean(name, names)}")
    placing = dict(options)
    return check_whole("refine", placing.pop("refine", 0), 0), placing

"""What a model does with latents: encoding, decoding, and all that lies between pictures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Unpack

import numpy as np
from PIL.Image import Image

from icgan_sdk.checks import check_whole
from icgan_sdk.edit_grammar import resolve_edit
from icgan_sdk.editing import Inversion
from icgan_sdk.editing.inverting import (
    Encoding,
    Inverting,
    check_options,
    inverted,
    list_pictures,
    list_singles,
)
from icgan_sdk.editing.latents import (
    Latent,
    check_latent,
    draw_y,
    draw_z,
    source_of,
    with_presences,
)
from icgan_sdk.editing.painting import present
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.pictures.arrays import Floats, to_pictures
from icgan_sdk.pictures.opening import ImageLike
from icgan_sdk.pretrained_model import PretrainedModel


class LatentModel(PretrainedModel):
    """Pictures to latents and back; the second base of `IcGAN`, where the options are explained."""

    def invert(self, image: ImageLike, **options: Unpack[Inverting]) -> Inversion:
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
        check_options(options, Inverting)
        (found,) = inverted(self._engine, list_singles(image), keep=True, **options)
        return found

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

        found, _ = self._inverted(images, options)
        zs, ys = zip(*((one.z, one.y) for one in found), strict=True)
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

    def _inverted(
        self, images: object, options: Mapping[str, Any], known: type = Encoding
    ) -> tuple[Iterator[Inversion], bool]:
        """An inversion for each picture, and whether one was given."""
        check_options(options, known)
        pictures = list_pictures(images)
        return inverted(self._engine, pictures, **options), pictures.single

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
        else:
            check_options(options, Encoding)
            ends = list(inverted(self._engine, list_singles(a, b), **options))
        zs, ys = zip(*((end.z[:1], end.y[:1]) for end in ends), strict=True)
        widths = {(z.shape[1], y.shape[1]) for z, y in zip(zs, ys, strict=True)}
        if widths != {(self.config.z_dim, self.config.n_attributes)}:
            raise ShapeError("an inversion that another model made doesn't fit this one")
        return np.concatenate(zs), np.concatenate(ys)

    def _pictures(self, images: Floats) -> list[Image]:
        return to_pictures(images, self.config)

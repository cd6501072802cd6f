"""`Inversion`: a picture that is encoded once and edited often."""

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PIL.Image import Image

from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.edit_grammar import resolve_edit
from icgan_sdk.editing.latents import Batch, Detail, Latent, find_detail, shrink
from icgan_sdk.errors import ShapeError, UnknownAttributeError
from icgan_sdk.photo import Subject, paste_changes
from icgan_sdk.photo.placement import bounds
from icgan_sdk.photo.subject import NO_PHOTO
from icgan_sdk.pictures.arrays import Floats, strip_padding, to_pictures

ELSEWHERE = {
    "refine": "call refined(steps) first",
    "paste_back": "call paste_back instead",
    "align": "give it to IcGAN.invert",
    "face": "give it to IcGAN.invert",
}
"""Options of `IcGAN.edit` that an inversion has in other places."""


class Inversion:
    """One picture with what the encoders read in it (`IcGAN.invert`).

    Faces are looked for, and the networks encode, once; every method then takes it from there. It
    can be pickled and copied; a pickle names the model that was loaded, and finds it again. Of
    several faces (``face="all"``), `paste_back` edits all; what concerns one square is of the first
    face, and `faces` gives each.

    Attributes:
        subject: The squares and where they lie in the picture.

    Args:
        batch: What goes through the networks, perhaps of other pictures too.
        subject: This picture.
        first: Number of its first square in the batch.
    """

    def __init__(self, batch: Batch, subject: Subject, first: int = 0) -> None:
        self._batch, self.subject, self._first = batch, subject, first

    def __repr__(self) -> str:
        side, n = self._config.photo.picture_size, len(self.subject.pixels)
        return f"<Inversion of a picture, {f'{n} faces, ' if n > 1 else ''}{side}×{side}>"

    @property
    def faces(self) -> tuple["Inversion", ...]:
        """Each face as an inversion of its own; itself, where there is one square."""
        subject = self.subject
        return tuple(
            Inversion(
                self._batch,
                replace(
                    subject,
                    pixels=subject.pixels[n : n + 1],
                    matrices=subject.matrices[n : n + 1],
                ),
                self._first + n,
            )
            for n in range(len(subject.pixels))
        )

    @property
    def encoded(self) -> Batch:
        """Deprecated, gone in 0.4: use `z`, `y`, `square` and the methods."""
        warnings.warn("Inversion.encoded goes: use z, y and square", DeprecationWarning, 2)
        return self._batch

    @property
    def is_cut(self) -> bool:
        """Whether the square lies where a face was found."""
        return self.subject.found

    @property
    def square(self) -> Image:
        """The square of the picture that the model sees."""
        return to_pictures(self.subject.pixels[:1], self._config.photo)[0]

    @property
    def photo(self) -> Image:
        """The whole photo as it was given, upright.

        Raises:
            ShapeError: If the picture was a tensor, which is no photo.
        """
        return self._own_photo().copy()

    @property
    def z(self) -> Floats:
        """What the attributes don't say, as E_z reads it: [N, z_dim], a row for each face."""
        return self._batch.latent[0][self._rows]

    @property
    def y(self) -> Floats:
        """The attributes as E_y reads them: [N, n_attributes], −1 absent, 1 present."""
        return self._batch.y[self._rows]

    @property
    def latent(self) -> Latent:
        """What the encoders read as tensors on the CPU: `z` and `y`."""
        from torch import from_numpy

        return Latent(from_numpy(self.z.copy()), from_numpy(self.y.copy()))

    @property
    def scores(self) -> dict[str, float]:
        """What E_y reads, as a score from 0 (absent) to 1 (present) for each attribute."""
        scores = ((self.y[0] + np.float32(1)) / np.float32(2)).clip(0, 1).tolist()
        return dict(zip(self._config.attributes.names, scores, strict=True))

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Where the photo shows what the model sees: left, top, right, bottom, in its pixels.

        None for tensors, and where a face was looked for in vain.
        """
        if self.subject.photo is None or not self.subject.matrices:
            return None
        left, top, right, bottom = bounds(self.subject.matrices[0])
        width, height = self.subject.photo.size
        return max(left, 0), max(top, 0), min(right, width), min(bottom, height)

    def opposites(self) -> dict[str, dict[str, float]]:
        """An edit for each attribute that turns it round, by what it does: "Bald", "not Male"."""
        return self._config.attributes.opposites(self.y[0].tolist())

    def edit(
        self,
        attributes: Mapping[str, object] | None = None,
        *,
        detail: Detail = "auto",
        **named: object,
    ) -> Image:
        """The square after changes, see `IcGAN.edit`."""
        return self.edited(self._presences(attributes, named, ("detail",)), detail)

    def edited(
        self, presences: Mapping[str, float], detail: Detail = "auto", amount: float = 1.0
    ) -> Image:
        """The square after a part of an edit, 0 to 1, that `AttributeSet.resolve` gave."""
        return self._picture(self._batch.edited(presences, detail, amount))

    def change(self, presences: Mapping[str, float], amount: float = 1.0) -> Floats:
        """What such an edit adds to each face's original pixels: [N, C, side, side] in [-2, 2]."""
        return strip_padding(self._batch.change(presences, amount)[self._rows], self._config.photo)

    def reconstruct(self) -> Image:
        """What the model makes of the picture without a change."""
        return self._picture(self._batch.rebuilt)

    def variations(self, *, detail: Detail = "auto") -> list[Image]:
        """Every attribute in turn, see `IcGAN.variations`."""
        if find_detail(detail, self._config) == "photo":
            edits = self.opposites().values()
            return [self.square, *(self.edited(edit, "photo") for edit in edits)]
        # A row of the paper's Figure 5: the original, its reconstruction, each attribute.
        y = self.y[0].tolist()
        inverted = self._config.faces.inverted if self._config.faces else ()
        rows = self._config.attributes.variations(y, inverted)
        ys = np.array([y, *rows], np.float32)
        drawn = self._batch.engine.decode(np.repeat(self.z[:1], len(ys), axis=0), ys)
        original = shrink(self.subject.pixels[:1], self._config.image_size)
        return to_pictures(np.concatenate([original, drawn]), self._config)

    def paste_back(
        self,
        attributes: Mapping[str, object] | None = None,
        *,
        onto: Image | None = None,
        **named: object,
    ) -> Image:
        """The whole photo at its own size with the change put into it, see `IcGAN.edit`.

        Args:
            attributes: Changes by name.
            onto: What the change is put into instead: the photo after an edit of another face.
            **named: Changes by name.

        Raises:
            ShapeError: If the picture was a tensor, which is no photo, or `onto` has another size.
        """
        return self._pasted(self._presences(attributes, named, ("onto",)), 1.0, onto)

    def towards(
        self,
        attributes: Mapping[str, object] | None = None,
        *,
        steps: int = 8,
        paste_back: bool = False,
        **named: object,
    ) -> list[Image]:
        """From the picture to an edit of it, in equal steps.

        Args:
            attributes: The edit, as in `IcGAN.edit`.
            steps: Pictures in all, both ends included; at least 2.
            paste_back: Whether each is the whole photo, or the square.
            **named: As in `IcGAN.edit`.

        Raises:
            ConfigError: If `steps` is below 2.
            ShapeError: If a tensor should be pasted back.
        """
        presences = self._presences(attributes, named, ("steps", "paste_back"))
        check_whole("steps", steps, 2)
        amounts = [step / (steps - 1) for step in range(steps)]
        if paste_back:
            return [self._pasted(presences, amount) for amount in amounts]
        return [self.edited(presences, "auto", amount) for amount in amounts]

    def refined(self, steps: int) -> "Inversion":
        """The same picture with a z whose picture comes nearer to it, see `refine_z`.

        Args:
            steps: Optimisation steps, from E_z's answer; 100 to 300 do.

        Raises:
            ConfigError: If it is no whole number from 0, or the engine knows no gradients.
        """
        batch = self._batch.refined(check_whole("steps", steps, 0))
        return Inversion(batch, self.subject, self._first)

    @property
    def _config(self) -> ModelConfig:
        return self._batch.engine.config

    @property
    def _rows(self) -> slice:
        return slice(self._first, self._first + len(self.subject.pixels))

    def _pasted(
        self, presences: Mapping[str, float], amount: float, onto: Image | None = None
    ) -> Image:
        own = self._own_photo()
        base = own if onto is None else onto
        if not isinstance(base, Image):
            raise ShapeError(f"onto must be a PIL image, not {base!r}")
        if (base.size, base.mode) != (own.size, own.mode):
            raise ShapeError(
                f"onto must be as the photo, {own.size} {own.mode}, not {base.size} {base.mode}"
            )
        photo = base.copy()
        if self.subject.matrices:
            paste_changes(photo, self.change(presences, amount), self.subject.matrices)
        return photo

    def _own_photo(self) -> Image:
        if self.subject.photo is None:
            raise ShapeError(NO_PHOTO)
        return self.subject.photo

    def _picture(self, images: Floats) -> Image:
        generated = images.shape[-1] == self._config.image_size
        shown = self._config if generated else self._config.photo
        return to_pictures(images[self._first : self._first + 1], shown)[0]

    def _presences(
        self,
        attributes: Mapping[str, object] | None,
        named: Mapping[str, object],
        options: tuple[str, ...],
    ) -> dict[str, float]:
        known = self._config.attributes
        for name in (named.keys() & ELSEWHERE.keys()) - {*known.names, *known.groups}:
            raise UnknownAttributeError(
                f"{name!r} is no attribute, and no option here: {ELSEWHERE[name]}"
            )
        return resolve_edit(known, attributes, named, options)

"""`Inversion`: a picture that is encoded once and edited often."""

from collections.abc import Mapping

from PIL.Image import Image

from icgan_sdk.attributes import resolve_edit
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.editing.encoded import Detail, Encoded, find_detail, to_pictures
from icgan_sdk.engines.latents import Latent
from icgan_sdk.errors import ShapeError, UnknownAttributeError
from icgan_sdk.photo import paste_changes
from icgan_sdk.photo.placement import Matrix, bounds
from icgan_sdk.pictures.arrays import Floats, strip_padding

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
    can be pickled and copied.

    Attributes:
        encoded: The square, as a batch of one, and what the encoders read in it.
        is_cut: Whether the square lies where a face was found.

    Args:
        encoded: A batch of one.
        photo: The whole photo, as `open_photo` keeps it; None for tensors.
        matrix: Where the square lies in it; None where a face was looked for in vain.
        is_cut: Whether it lies where a face was found.
    """

    def __init__(
        self,
        encoded: Encoded,
        photo: Image | None = None,
        matrix: Matrix | None = None,
        is_cut: bool = False,
    ) -> None:
        self.encoded, self._photo, self._matrix = encoded, photo, matrix
        self.is_cut = is_cut

    def __repr__(self) -> str:
        side = self._config.photo.picture_size
        return f"<Inversion of a picture, {side}×{side}>"

    @property
    def square(self) -> Image:
        """The square of the picture that the model sees."""
        return self._picture(self.encoded.images)

    @property
    def photo(self) -> Image:
        """The whole photo as it was given, upright.

        Raises:
            ShapeError: If the picture was a tensor, which is no photo.
        """
        return self._own_photo().copy()

    @property
    def latent(self) -> Latent:
        """What the encoders read: z [1, z_dim] and y [1, n_attributes], on the CPU."""
        from torch import from_numpy

        return Latent(from_numpy(self.encoded.z.copy()), from_numpy(self.encoded.y.copy()))

    @property
    def scores(self) -> dict[str, float]:
        """What E_y reads, as a score from 0 (absent) to 1 (present) for each attribute."""
        return self.encoded.scores()[0]

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Where the photo shows what the model sees: left, top, right, bottom, in its pixels.

        None for tensors, and where a face was looked for in vain.
        """
        if self._photo is None or self._matrix is None:
            return None
        left, top, right, bottom = bounds(self._matrix)
        width, height = self._photo.size
        return max(left, 0), max(top, 0), min(right, width), min(bottom, height)

    def opposites(self) -> dict[str, dict[str, float]]:
        """An edit for each attribute that turns it round, by what it does: "Bald", "not Male"."""
        return self._config.attributes.opposites(self.encoded.y[0].tolist())

    def edit(
        self,
        attributes: Mapping[str, object] | None = None,
        *,
        detail: Detail = "auto",
        **named: object,
    ) -> Image:
        """The square after changes, see `IcGAN.edit`."""
        presences = self._presences(attributes, named, ("detail",))
        return self._picture(self.encoded.edit(presences, detail))

    def reconstruct(self) -> Image:
        """What the model makes of the picture without a change."""
        return self._picture(self.encoded.rebuilt)

    def variations(self, *, detail: Detail = "auto") -> list[Image]:
        """Every attribute in turn, see `IcGAN.variations`."""
        if find_detail(detail, self._config) == "generated":
            return to_pictures(self.encoded.variations()[0], self._config)
        edits = self.opposites().values()
        return [self.square, *(self.edit(edit, detail=detail) for edit in edits)]

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
        return [self._picture(self.encoded.edit(presences, "auto", a)) for a in amounts]

    def refined(self, steps: int) -> "Inversion":
        """The same picture with a z whose picture comes nearer to it, see `refine_z`.

        Args:
            steps: Optimisation steps, from E_z's answer; 100 to 300 do.

        Raises:
            ConfigError: If it is no whole number from 0, or the engine knows no gradients.
        """
        encoded = self.encoded.refined(check_whole("steps", steps, 0))
        return Inversion(encoded, self._photo, self._matrix, self.is_cut)

    @property
    def _config(self) -> ModelConfig:
        return self.encoded.engine.config

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
        if self._matrix is not None:
            change = strip_padding(self.encoded.change(presences, amount), self._config.photo)
            paste_changes(photo, change, [self._matrix])
        return photo

    def _own_photo(self) -> Image:
        if self._photo is None:
            raise ShapeError("a tensor is no photo to paste back into: give a path, image or array")
        return self._photo

    def _picture(self, images: Floats) -> Image:
        return to_pictures(images, self._config)[0]

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

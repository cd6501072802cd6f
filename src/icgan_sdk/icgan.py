"""`IcGAN`: pictures in, edited pictures out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Unpack, get_args, overload

from PIL.Image import Image

from icgan_sdk.checks import check_whole
from icgan_sdk.edit_grammar import resolve_edit
from icgan_sdk.editing import Detail
from icgan_sdk.editing.editor import Editor
from icgan_sdk.editing.inverting import (
    Encoding,
    Placing,
    list_pictures,
)
from icgan_sdk.editing.latents import find_detail
from icgan_sdk.editing.notes import warn_of_quality, warn_unchanged
from icgan_sdk.editing.stream import AT_ONCE, EditResult, OnError, Streaming
from icgan_sdk.errors import ConfigError
from icgan_sdk.latent_model import LatentModel
from icgan_sdk.machine import usable_cores
from icgan_sdk.photo import Align, Face, FaceOrAll, PasteBack
from icgan_sdk.pictures.opening import ImageLike

OPTIONS = ("refine", "detail", "align", "face", "paste_back")
"""Those of an edit, which stand beside attributes."""


class IcGAN(LatentModel):
    """An Invertible Conditional GAN (Perarnau et al. 2016): encode, change y, decode.

    Pictures are PIL images, paths, files or their bytes, uint8 arrays [H, W] or [H, W, C], or
    float tensors [C, H, W] in [-1, 1]; several are any iterable of these, an array [B, H, W, C] or
    a tensor [B, C, H, W]. One picture gives one result, several a list.

    A picture becomes the square that the model knows, at its size (a tensor is that square).
    Models of aligned faces (`ModelConfig.faces`) look for a face; all others take the centre
    square. `align` and `face`, where a method has them, say how:

    | option | what is taken |
    |---|---|
    | `align="auto"` | a photo's face, turned, scaled and cut as in the training pictures; |
    | | of an aligned picture (the frame's proportions, or the model's size) the crop; |
    | | where no face is found the centre, with a `PhotoWarning` (whole photos: an error) |
    | `align="always"` | a face, whatever the size; none: NoFaceFoundError |
    | `align="none"` | the crop |
    | `face="largest"` | the largest face |
    | `face=0`, `1` … | a face by its number from the left; not so many: NoFaceFoundError |
    | `face=found` | a face that `icgan_sdk.photo.find_faces` found in the picture |
    | `face="all"` | every face, of a photo that comes back whole |

    `invert` encodes a picture for many edits; all other methods are shorthands that encode anew.
    Everything runs in eval mode and float32, without gradients, and leaves the global seeds,
    thread counts and default types alone. Many pictures go through in chunks of 64; a picture's
    result depends on its company only by the rounding of floats.

    Args:
        networks: Generator and encoders; moved to the device and set to eval mode.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" or None: the best there is.
        card: Markdown of the model card that `save_pretrained` writes.
        dtype: Precision of the weights that `save_pretrained` writes, float32 or float16.

    Raises:
        ConfigError: If there is no such device.
    """

    # Strings and arrays are iterables too, but each is one picture: the first overload takes them.
    @overload
    def reconstruct(  # type: ignore[overload-overlap]
        self, images: ImageLike, **options: Unpack[Encoding]
    ) -> Image: ...
    @overload
    def reconstruct(
        self, images: Iterable[ImageLike], **options: Unpack[Encoding]
    ) -> list[Image]: ...
    def reconstruct(
        self, images: ImageLike | Iterable[ImageLike], **options: Unpack[Encoding]
    ) -> Image | list[Image]:
        """Encode and decode without a change: what the model makes of the pictures (Figure 4)."""
        found, single = self._inverted(images, options)
        pictures = [one.reconstruct() for one in found]
        return pictures[0] if single else pictures

    @overload
    def predict_attributes(  # type: ignore[overload-overlap]
        self, images: ImageLike, **options: Unpack[Placing]
    ) -> dict[str, float]: ...
    @overload
    def predict_attributes(
        self, images: Iterable[ImageLike], **options: Unpack[Placing]
    ) -> list[dict[str, float]]: ...
    def predict_attributes(
        self, images: ImageLike | Iterable[ImageLike], **options: Unpack[Placing]
    ) -> dict[str, float] | list[dict[str, float]]:
        """What E_y reads, as a score from 0 (absent) to 1 (present) for each attribute.

        Scores are like probabilities but not calibrated: (y + 1) / 2, cut to [0, 1].
        """
        found, single = self._inverted(images, options, Placing)
        scores = [one.scores for one in found]
        return scores[0] if single else scores

    @overload
    def edit(  # type: ignore[overload-overlap]
        self,
        images: ImageLike,
        attributes: Mapping[str, object] | None = None,
        *,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: Literal[True, "auto"] = "auto",
        **named: object,
    ) -> Image: ...
    @overload
    def edit(  # type: ignore[overload-overlap]
        self,
        images: ImageLike,
        attributes: Mapping[str, object] | None = None,
        *,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: Face = "largest",
        paste_back: PasteBack = "auto",
        **named: object,
    ) -> Image: ...
    @overload
    def edit(
        self,
        images: Iterable[ImageLike],
        attributes: Mapping[str, object] | None = None,
        *,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: Literal[True, "auto"] = "auto",
        **named: object,
    ) -> list[Image]: ...
    @overload
    def edit(
        self,
        images: Iterable[ImageLike],
        attributes: Mapping[str, object] | None = None,
        *,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: Face = "largest",
        paste_back: PasteBack = "auto",
        **named: object,
    ) -> list[Image]: ...
    def edit(
        self,
        images: ImageLike | Iterable[ImageLike],
        attributes: Mapping[str, object] | None = None,
        *,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: PasteBack = "auto",
        **named: object,
    ) -> Image | list[Image]:
        """Change attributes of pictures.

        Args:
            images: One picture or several.
            attributes: Changes by name; the same as naming them (``Eyeglasses=1``), for names
                that are no Python identifiers. 0 is absent, 1 present, between are fractions, up
                to 2 exaggerates; a group takes a member's name (``digit=7``), or None for no
                member. What is not named keeps the value E_y read, but the others of an exclusive
                group recede.
            refine: Optimisation steps on z that keep the picture more recognisable.
            detail: "generated" gives G's picture; "photo" puts the change onto the original
                pixels, so that identity and background stay (without changes, the original);
                "auto" is "photo" for models with a painter, else "generated".
            align: Whether to look for faces; see the class.
            face: Which face to take; see the class. Where a photo comes back whole also "all".
            paste_back: Whether the result is the whole photo at its own size, the change put into
                it where the face is, or the square that the model sees (False). "auto" gives the
                photo if a face was looked for and found, unless `detail` is "generated". Grey
                photos stay grey, transparency and colour profile stay; 16-bit photos become
                8-bit, CMYK becomes RGB.
            **named: Changes by name.

        A single picture in which everything that is asked for reads so already gives a
        PhotoWarning; so does an edit of photos that is known not to look real, see `quality`.

        Raises:
            UnknownAttributeError: If there is no such attribute, group or member.
            AttributeValueError: If a value is not a number from 0 to 2, or several members of a
                group should be present.
            ConfigError: If an option is unknown or out of range.
            ImageError: If a file can't be read.
            NoFaceFoundError: If there is no such face, or a single photo shows none where one is
                looked for. Of several photos such a one comes back as it is, with a PhotoWarning.
            ShapeError: If an array or tensor doesn't fit, or a tensor should be pasted back.
        """
        edit = self._editor(attributes, named, refine, detail, align, face, paste_back)
        pictures = list_pictures(images)
        if edit.paints:
            self._engine.expect_paint()
            warn_of_quality(self.quality, edit.presences)
        results = []
        for image, found in edit(pictures):
            results.append(image)
            if pictures.single:
                warn_unchanged(found.scores, edit.presences)
        return results[0] if pictures.single else results

    def stream(
        self,
        images: Iterable[ImageLike],
        attributes: Mapping[str, object] | None = None,
        *,
        on_error: OnError = "raise",
        at_once: int | None = None,
        refine: int = 0,
        detail: Detail = "auto",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: PasteBack = "auto",
        **named: object,
    ) -> Iterator[EditResult]:
        """Change attributes of any number of pictures, with a record of each, in their order.

        Pictures are taken as they are needed and results given as they are done, so that memory
        stays bounded whatever their number. Each photo is edited as `edit` does it alone, several
        at a time in threads that share the cores. What `edit` warns of, the records say.

        Args:
            images: Pictures; a generator is taken step by step.
            attributes: As for `edit`.
            on_error: Whether a picture that can't be edited ends the stream ("raise"), or has a
                record with the error ("skip").
            at_once: Pictures that are edited at the same time; None: one for each core, up to 4.
            refine: As for `edit`, like all that follow.
            detail: See `edit`.
            align: See `edit`.
            face: See `edit`.
            paste_back: See `edit`.
            **named: Changes by name.

        Raises:
            ConfigError: If an option is unknown or out of range; the rest as `edit`, at once if the
                edit is wrong, or when its turn comes if a picture is.
        """
        if on_error not in get_args(OnError):
            raise ConfigError(f"on_error must be 'raise' or 'skip', not {on_error!r}")
        if at_once is None:
            at_once = min(usable_cores(), AT_ONCE)
        check_whole("at_once", at_once, 1)
        edit = self._editor(attributes, named, refine, detail, align, face, paste_back)
        if edit.paints:
            self._engine.expect_paint()
        streaming = Streaming(self._engine, edit, edit.presences, self.quality, on_error)
        return streaming.results(images, at_once)

    def _editor(
        self,
        attributes: Mapping[str, object] | None,
        named: Mapping[str, object],
        refine: int,
        detail: Detail,
        align: Align,
        face: FaceOrAll,
        paste_back: PasteBack,
    ) -> Editor:
        shown = find_detail(detail, self.config)
        presences = resolve_edit(self.config.attributes, attributes, named, OPTIONS)
        if paste_back not in (True, False, "auto"):
            raise ConfigError(f"paste_back must be True, False or 'auto', not {paste_back!r}")
        keep = False if (paste_back, detail) == ("auto", "generated") else paste_back
        paints = shown == "photo" and bool(self.config.painter_size)
        return Editor(self._engine, presences, detail, paints, refine, align, face, keep)

    def variations(
        self, image: ImageLike, *, detail: Detail = "auto", **options: Unpack[Encoding]
    ) -> list[Image]:
        """Every attribute in turn.

        Args:
            image: One picture.
            detail: "generated" gives the paper's Figure 5: the original, the reconstruction, and
                G's picture for each attribute. As in the original code, y is first taken to −1 or
                1; then each attribute is set and the others of its exclusive group cleared; Male
                is inverted. "photo" gives the original, and an edit of it for each of
                `Inversion.opposites`: what is absent is set, what is present removed. "auto" is
                "photo" for models with a painter.
            **options: `align`, `face` and `refine`; see the class and `encode`.
        """
        return self.invert(image, **options).variations(detail=detail)

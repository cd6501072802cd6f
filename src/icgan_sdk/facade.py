"""`IcGAN`: pictures in, edited pictures out."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, overload

import torch
from PIL.Image import Image
from torch import Tensor

from icgan_sdk.artefacts.card import for_repository, model_card
from icgan_sdk.artefacts.hub import upload
from icgan_sdk.artefacts.layout import CARD_FILE
from icgan_sdk.artefacts.resolving import Source, resolve
from icgan_sdk.artefacts.store import load_artefact, save_artefact, stored_dtype
from icgan_sdk.attributes import merge_edits
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.engines import batches as inference
from icgan_sdk.engines.batches import Latent, check_latent, with_presences
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.model import IcGANNetworks, draw_noise
from icgan_sdk.model.compositing import Detail, carry_change, masked_change
from icgan_sdk.model.devices import find_device
from icgan_sdk.model.noise import random_source
from icgan_sdk.photo import (
    Align,
    Cut,
    Face,
    FaceOrAll,
    cut_photo,
    open_photo,
    paste_changes,
    to_input,
)
from icgan_sdk.pictures.arrays import strip_padding, to_batch, to_pictures
from icgan_sdk.pictures.opening import ImageLike, Picture, name_of

__all__ = ["IcGAN", "Latent"]

P = TypeVar("P", bound=ImageLike)


class IcGAN:
    """An Invertible Conditional GAN (Perarnau et al. 2016): encode, change y, decode.

    Pictures are PIL images, paths, uint8 arrays [H, W] or [H, W, C], or float tensors [C, H, W]
    in [-1, 1]; several are a list, a tuple or a tensor [B, C, H, W]. One picture gives one result,
    several a list.

    Pictures become the square the model knows, at its size, by one rule (tensors are that square
    already). Models of aligned faces (`ModelConfig.alignment`) look for a face, which the extra
    ``photo`` finds; `align` and `face`, where a method has them, say how:

    - `align`: "auto" turns, scales and cuts the photo so that its face lies as in the training
      pictures; pictures with the proportions of the aligned frame, or of the model's own size,
      count as aligned and are cropped, and so is what shows no face, with a `PhotoWarning`.
      "always" looks for a face whatever the size, and raises NoFaceFoundError where there is
      none; "none" crops.
    - `face`: "largest", or a number from the left, beginning with 0, which is looked for whatever
      the size, and NoFaceFoundError raised where there are not so many; to be left out where none
      are looked for.

    All other models take the centre square.

    Everything runs in eval mode and float32, without gradients, and leaves the global seeds,
    thread counts and default types alone. Large batches go through in chunks (`inference.CHUNK`); a
    picture's result depends on its company only by the rounding of floats.

    Args:
        networks: Generator and encoders; moved to the device and set to eval mode.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" or None: the best there is.
        card: Markdown of the model card that `save_pretrained` writes.
        dtype: Precision of the weights that `save_pretrained` writes, float32 or float16.

    Raises:
        ConfigError: If there is no such device.
    """

    def __init__(
        self,
        networks: IcGANNetworks,
        *,
        device: str | torch.device | None = None,
        card: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._device = find_device(device)
        self._networks = networks.to(self._device, torch.float32).eval()
        self._card = card
        self._dtype = dtype

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        source: Source = "auto",
        revision: str | None = None,
        device: str | torch.device | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> "IcGAN":
        """Load a bundled model, a folder, or a repository of the Hugging Face Hub.

        Args:
            name_or_path: ``"celeba"``, ``Path("runs/faces/artefact")``, ``"org/name"``.
            source: "hub" takes a bundled model from its repository on the Hub too, and ``org/name``
                even where there is a folder of that name; "auto" prefers what lies here.
            revision: Branch, tag or commit on the Hub, whence the model then comes.
            device: As in the constructor.
            cache_dir: Where downloads are kept; by default the Hub's cache (``HF_HOME``).
            token: Access token for private repositories; by default ``HF_TOKEN``, or the one of
                ``hf auth login``.
            local_files_only: Take only what was downloaded before.

        Raises:
            ModelNotFoundError: If there is no model of that name or folder.
            ModelFormatError: If its files are damaged, incomplete or of a newer format.
            DownloadError: If the Hub's repository can't be fetched.
            ConfigError: If there is no such device, or a folder is given a revision.
        """
        folder = resolve(
            name_or_path,
            source=source,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        networks = load_artefact(folder)
        card = folder / CARD_FILE
        text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None
        return cls(networks, device=device, card=text, dtype=stored_dtype(folder))

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config, weights (safetensors) and card, as a whole or not at all.

        A model that was loaded is written as it was: of the same precision, with the same card.

        Raises:
            SaveError: If the folder can't be written, or holds files that aren't a model's.
        """
        self._save(folder, self._card or self._new_card(Path(folder).name))

    def _save(self, folder: str | os.PathLike[str], card: str) -> None:
        save_artefact(self._networks, folder, card=card, dtype=self._dtype)

    def _new_card(self, name: str) -> str:
        return model_card(
            self.config,
            name=name,
            data="Not recorded.",
            license="other",
            command="not recorded",
            seed=None,
            metrics={},
        )

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        token: str | None = None,
        revision: str | None = None,
    ) -> str:
        """Upload the model to ``org/name`` on the Hugging Face Hub, creating it where needed.

        The files are those of `save_pretrained`, except that a card which names the folder the
        model lay in now names the repository.

        Args:
            repo_id: The repository.
            private: Whether a new one is hidden from others.
            token: Access token that may write; by default ``HF_TOKEN``, or the one of
                ``hf auth login``.
            revision: Branch, created where needed; by default the main one.

        Returns:
            The commit's address.

        Raises:
            DownloadError: If the Hub refuses or can't be reached.
        """
        card = for_repository(self._card, repo_id) if self._card else self._new_card(repo_id)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            self._save(folder, card)
            return upload(folder, repo_id, private=private, token=token, revision=revision)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of y."""
        return self.config.attributes.names

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Exclusive groups: ``hair_color``, ``digit`` … to their members."""
        return self.config.attributes.groups

    @property
    def config(self) -> ModelConfig:
        """Sizes and design of the networks."""
        return self._networks.config

    @property
    def device(self) -> torch.device:
        """Where the networks run."""
        return self._device

    def to(self, device: str | torch.device) -> "IcGAN":
        """Move the networks; returns the model itself.

        Raises:
            ConfigError: If there is no such device.
        """
        self._device = find_device(device)
        self._networks.to(self._device)
        return self

    def encode(
        self,
        images: ImageLike | list[P] | tuple[P, ...],
        *,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> Latent:
        """E_z and E_y: z [B, z_dim] and y [B, n_attributes] on the model's device.

        Args:
            images: One picture (B is 1) or several.
            refine: Optimisation steps that bring z's picture nearer to the given one, from E_z's
                start (see `icgan_sdk.model.refinement`); 100 to 300 do.
            align: Whether to look for faces; see the class.
            face: Which face to take; see the class.

        Raises:
            ImageError: If a file can't be read.
            ShapeError: If an array or tensor doesn't fit.
            NoFaceFoundError: If there is no such face.
            ConfigError: If an option is unknown or out of range.
        """
        latent = self._encode(to_input(images, self.config, align, face)[0], refine)
        # Clones made here are ordinary tensors, which users may change and differentiate.
        return Latent(latent.z.clone(), latent.y.clone())

    def decode(self, latent: Latent) -> list[Image]:
        """G(z, y): one picture for each row.

        Raises:
            ShapeError: If z and y don't fit the model or each other.
        """
        check_latent(latent, self.config)
        return to_pictures(self._decode(latent), self.config)

    @overload
    def reconstruct(
        self, images: Picture, *, refine: int = 0, align: Align = "auto", face: Face = "largest"
    ) -> Image: ...
    @overload
    def reconstruct(
        self,
        images: list[P] | tuple[P, ...],
        *,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> list[Image]: ...
    @overload
    def reconstruct(
        self, images: Tensor, *, refine: int = 0, align: Align = "auto", face: Face = "largest"
    ) -> Image | list[Image]: ...
    def reconstruct(
        self,
        images: ImageLike | list[P] | tuple[P, ...],
        *,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> Image | list[Image]:
        """Encode and decode without a change: what the model makes of the pictures (Figure 4)."""
        batch, single = to_input(images, self.config, align, face)
        pictures = to_pictures(self._decode(self._encode(batch, refine)), self.config)
        return pictures[0] if single else pictures

    @overload
    def predict_attributes(
        self, images: Picture, *, align: Align = "auto", face: Face = "largest"
    ) -> dict[str, float]: ...
    @overload
    def predict_attributes(
        self, images: list[P] | tuple[P, ...], *, align: Align = "auto", face: Face = "largest"
    ) -> list[dict[str, float]]: ...
    @overload
    def predict_attributes(
        self, images: Tensor, *, align: Align = "auto", face: Face = "largest"
    ) -> dict[str, float] | list[dict[str, float]]: ...
    def predict_attributes(
        self,
        images: ImageLike | list[P] | tuple[P, ...],
        *,
        align: Align = "auto",
        face: Face = "largest",
    ) -> dict[str, float] | list[dict[str, float]]:
        """What E_y reads, as a score from 0 (absent) to 1 (present) for each attribute.

        Scores are like probabilities but not calibrated: (y + 1) / 2, cut to [0, 1].
        """
        batch, single = to_input(images, self.config, align, face)
        rows = self._encode(batch).y.add(1.0).div(2.0).clamp(0.0, 1.0).tolist()
        scores = [dict(zip(self.attributes, row, strict=True)) for row in rows]
        return scores[0] if single else scores

    @overload
    def edit(
        self,
        images: Picture,
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        refine: int = 0,
        detail: Detail = "generated",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: bool = False,
        **named: object,
    ) -> Image: ...
    @overload
    def edit(
        self,
        images: list[P] | tuple[P, ...],
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        refine: int = 0,
        detail: Detail = "generated",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: bool = False,
        **named: object,
    ) -> list[Image]: ...
    @overload
    def edit(
        self,
        images: Tensor,
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        refine: int = 0,
        detail: Detail = "generated",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: bool = False,
        **named: object,
    ) -> Image | list[Image]: ...
    def edit(
        self,
        images: ImageLike | list[P] | tuple[P, ...],
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        refine: int = 0,
        detail: Detail = "generated",
        align: Align = "auto",
        face: FaceOrAll = "largest",
        paste_back: bool = False,
        **named: object,
    ) -> Image | list[Image]:
        """Change attributes of pictures.

        Args:
            images: One picture or several.
            attributes: Changes by name; the same as naming them (``Eyeglasses=1``), for names
                that are no Python identifiers. 0 is absent, 1 present, between are fractions, up
                to 2 exaggerates; a group takes a member's name (``digit=7``). What is not named
                keeps the value E_y read, but the others of an exclusive group recede.
            refine: Optimisation steps on z that keep the picture more recognisable.
            detail: "generated" gives G's picture; "photo" puts the change onto the original
                pixels, so that identity and background stay (without changes, the original).
            align: Whether to look for faces; see the class.
            face: Which face to take; see the class. With `paste_back` also "all".
            paste_back: Give the whole photo at its own size, the change put into it where the
                face is (whatever `detail` says). Grey photos stay grey, transparency and colour
                profile stay; 16-bit photos become 8-bit, CMYK becomes RGB. A photo in which no
                face is found stays as it is, with a PhotoWarning.
            **named: Changes by name.

        Raises:
            UnknownAttributeError: If there is no such attribute, group or member.
            AttributeValueError: If a value is not a number from 0 to 2.
            ConfigError: If an option is unknown or out of range.
            ImageError: If a file can't be read.
            NoFaceFoundError: If there is no such face.
            ShapeError: If an array or tensor doesn't fit, or a tensor should be pasted back.
        """
        _check_detail(detail)
        presences = self._resolve(attributes, named)
        if paste_back and isinstance(images, (list, tuple)):
            if not images:
                raise ShapeError("no images given: the sequence is empty")
            return [
                self._edit_photo(image, presences, refine, align, face, f"picture {number}")
                for number, image in enumerate(images, start=1)
            ]
        if paste_back:
            return self._edit_photo(images, presences, refine, align, face, "the picture")
        batch, single = to_input(images, self.config, align, face)
        latent = self._encode(batch, refine)
        pictures = to_pictures(self._edit(batch, latent, presences, detail), self.config)
        return pictures[0] if single else pictures

    def variations(
        self,
        image: ImageLike,
        *,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> list[Image]:
        """A row of the paper's Figure 5: original, reconstruction, one picture per attribute.

        As in the original code, y is first taken to −1 or 1; then each attribute in turn is set
        and the others of its exclusive group cleared; Male is inverted.

        Args:
            image: One picture.
            refine: Optimisation steps on z.
            align: Whether to look for faces; see the class.
            face: Which face to take; see the class.
        """
        batch = self._single(image, align, face)
        latent = self._encode(batch, refine)
        edits = self.config.attributes.variations(latent.y[0].tolist())
        changed = latent.y.new_tensor(edits).reshape(len(edits), latent.y.shape[1])
        z = latent.z.expand(1 + len(edits), -1)
        generated = self._decode(Latent(z, torch.cat([latent.y, changed])))
        return to_pictures(torch.cat([batch, generated]), self.config)

    def interpolate(
        self,
        a: ImageLike,
        b: ImageLike,
        *,
        steps: int,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> list[Image]:
        """From one picture to another, linear in z and y (Figure 6a).

        Args:
            a: The first picture.
            b: The last picture.
            steps: Pictures in all, both ends' reconstructions included; at least 2.
            refine: Optimisation steps on z.
            align: Whether to look for faces; see the class.
            face: Which face of each to take; see the class.
        """
        steps = check_whole("steps", steps, 2)
        latent = self._encode_pair(a, b, refine, align, face)
        # The caller's default type needn't be that of the latents.
        weights = torch.linspace(0.0, 1.0, steps, dtype=latent.z.dtype, device=self._device)
        z, y = (torch.lerp(end[:1], end[1:], weights[:, None]) for end in (latent.z, latent.y))
        return to_pictures(self._decode(Latent(z, y)), self.config)

    def swap_attributes(
        self,
        a: ImageLike,
        b: ImageLike,
        *,
        refine: int = 0,
        align: Align = "auto",
        face: Face = "largest",
    ) -> tuple[Image, Image]:
        """Both pictures with each other's attributes: y exchanged, z kept (Figure 6b)."""
        latent = self._encode_pair(a, b, refine, align, face)
        first, second = to_pictures(self._decode(Latent(latent.z, latent.y.flip(0))), self.config)
        return first, second

    def sample(
        self,
        n: int,
        attributes: Mapping[str, object] | None = None,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        **named: object,
    ) -> list[Image]:
        """Pictures from random z.

        Attributes that are not named are absent; class labels (digits), where none is named, are
        drawn at random for each picture. The same seed gives the same pictures on any device, as
        far as its arithmetic agrees.

        Args:
            n: How many.
            attributes: As in `edit`.
            seed: For the draw; None: another one each time.
            generator: A source of randomness instead of a seed.
            **named: Attributes by name.

        Raises:
            ConfigError: If n is below 1, or both a seed and a generator are given.
        """
        check_whole("n", n, 1)
        presences = self._resolve(attributes, named)
        source = random_source(seed, generator)
        z = draw_noise(n, self.config, source)
        y = torch.full((n, self.config.n_attributes), -1.0)
        if self.config.attributes.one_hot and not presences:
            classes = torch.randint(
                self.config.n_attributes, (n, 1), generator=source, device=source.device
            )
            y.scatter_(1, classes.cpu(), 1.0)
        latent = with_presences(Latent(z, y), self.config.attributes, presences)
        return to_pictures(self._decode(latent), self.config)

    def _encode(self, batch: Tensor, refine: int = 0) -> Latent:
        refine = check_whole("refine", refine, 0)
        return inference.encode(self._networks, batch, self._device, refine)

    def _decode(self, latent: Latent) -> Tensor:
        return inference.decode(self._networks, latent, self._device)

    def _edit(
        self, batch: Tensor, latent: Latent, presences: Mapping[str, float], detail: Detail
    ) -> Tensor:
        result = self._decode(with_presences(latent, self.config.attributes, presences))
        if detail == "photo":
            result = carry_change(batch, self._decode(latent), result)
        return result

    def _edit_photo(
        self,
        image: object,
        presences: Mapping[str, float],
        refine: int,
        align: Align,
        face: FaceOrAll,
        name: str,
    ) -> Image:
        flat, photo = open_photo(image, self.config.channels)
        name = name_of(image) or name
        cuts = cut_photo(flat, self.config, align, face, name, centre=False)
        return self._edit_cuts(photo, cuts, presences, refine)

    def _edit_cuts(
        self, photo: Image, cuts: Sequence[Cut], presences: Mapping[str, float], refine: int
    ) -> Image:
        if not cuts:
            return photo
        batch, _ = to_batch([cut.square for cut in cuts], self.config)
        latent = self._encode(batch, refine)
        edited = self._decode(with_presences(latent, self.config.attributes, presences))
        changes = strip_padding(masked_change(batch, self._decode(latent), edited), self.config)
        return paste_changes(photo, changes, [cut.matrix for cut in cuts])

    def _encode_pair(
        self, a: ImageLike, b: ImageLike, refine: int, align: Align, face: Face
    ) -> Latent:
        pair = [self._single(image, align, face) for image in (a, b)]
        return self._encode(torch.cat(pair), refine)

    def _single(self, image: ImageLike, align: Align = "auto", face: Face = "largest") -> Tensor:
        batch, _ = to_input(image, self.config, align, face)
        if len(batch) != 1:
            raise ShapeError(f"expected one picture here, not {len(batch)}")
        return batch

    def _resolve(
        self, attributes: Mapping[str, object] | None, named: Mapping[str, object]
    ) -> dict[str, float]:
        return self.config.attributes.resolve(merge_edits(attributes, named))


def edit_cut(
    model: IcGAN, photo: Image, cut: Cut, attributes: Mapping[str, object], *, refine: int = 0
) -> Image:
    """What `edit` gives with `paste_back` for a photo in which a face was looked for before.

    Args:
        model: Whose square `cut` is.
        photo: Upright, "L" or "RGB".
        cut: As `cut_photo` gave it.
        attributes: As in `edit`.
        refine: As in `edit`.
    """
    cuts = [] if cut.missed else [cut]
    return model._edit_cuts(photo, cuts, model._resolve(attributes, {}), refine)


def reconstruct_and_edit(
    model: IcGAN,
    image: ImageLike,
    attributes: Mapping[str, object],
    *,
    refine: int = 0,
    detail: Detail = "generated",
) -> tuple[Image, Image]:
    """What `reconstruct` and `edit` give for one picture, which is encoded and refined once."""
    _check_detail(detail)
    presences = model._resolve(attributes, {})
    batch = model._single(image)
    latent = model._encode(batch, refine)
    edited = model._edit(batch, latent, presences, detail)
    before, after = (to_pictures(x, model.config)[0] for x in (model._decode(latent), edited))
    return before, after


def _check_detail(detail: object) -> None:
    if detail not in ("generated", "photo"):
        raise ConfigError(f"detail must be 'generated' or 'photo', not {detail!r}")

"""`OnnxIcGAN`: editing with an ONNX export, by onnxruntime; torch is never imported."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from icgan_sdk.attributes import merge_edits
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ModelFormatError, warn_of_photo
from icgan_sdk.export.record import (
    EDITED,
    IMAGES,
    NAMED,
    PHOTO,
    PRESENCES,
    check_installed,
    open_edit,
)
from icgan_sdk.pictures.arrays import Floats, to_array, to_pictures
from icgan_sdk.pictures.opening import Picture, check_picture, open_picture
from icgan_sdk.pictures.squares import fit_picture, needs_alignment

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from icgan_sdk.model.compositing import Detail

CPU = ("CPUExecutionProvider",)
CHUNK = 64
"""Pictures that go through the graph at once; bounds memory on large batches."""

P = TypeVar("P", bound=Picture)


class OnnxIcGAN:
    """A model that `export_onnx` wrote, run by onnxruntime: edits the way `IcGAN` does.

    Pictures are PIL images, paths or uint8 arrays [H, W] or [H, W, C]; one gives one result, a
    list or tuple gives a list. Results are those of `IcGAN` up to rounding: grey levels differ by
    one at most. It looks for no faces, though: photos that aren't aligned are cropped to their
    centre, with a `PhotoWarning`, as with ``align="none"``.

    Args:
        folder: The folder of the export.
        providers: onnxruntime's execution providers, best first.

    Raises:
        ConfigError: If onnxruntime is not installed or lacks a provider.
        ModelNotFoundError: If there is no such folder.
        ModelFormatError: If it is no ONNX export, incomplete, damaged or of a newer format.
    """

    def __init__(self, folder: str | os.PathLike[str], *, providers: Sequence[str] = CPU) -> None:
        check_installed("onnxruntime")
        self._config, path = open_edit(Path(folder))
        self._session = open_session(path, providers)
        _check_interface(self._session, self._config, path)

    @property
    def config(self) -> ModelConfig:
        """Sizes and design of the networks."""
        return self._config

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of y."""
        return self._config.attributes.names

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Exclusive groups: ``hair_color``, ``digit`` … to their members."""
        return self._config.attributes.groups

    @overload
    def reconstruct(self, images: Picture) -> Image: ...
    @overload
    def reconstruct(self, images: list[P] | tuple[P, ...]) -> list[Image]: ...
    def reconstruct(self, images: Picture | list[P] | tuple[P, ...]) -> Image | list[Image]:
        """Encode and decode without a change: what the model makes of the pictures.

        Raises:
            ImageError: If a file can't be read.
            ShapeError: If an array doesn't fit.
        """
        return self._pictures(images, {}, photo=False)

    @overload
    def edit(
        self,
        images: Picture,
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        detail: "Detail" = "generated",
        **named: object,
    ) -> Image: ...
    @overload
    def edit(
        self,
        images: list[P] | tuple[P, ...],
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        detail: "Detail" = "generated",
        **named: object,
    ) -> list[Image]: ...
    def edit(
        self,
        images: Picture | list[P] | tuple[P, ...],
        attributes: Mapping[str, object] | None = None,
        /,
        *,
        detail: "Detail" = "generated",
        **named: object,
    ) -> Image | list[Image]:
        """Change attributes of pictures, as `IcGAN.edit` does without refining.

        Args:
            images: One picture or several.
            attributes: Changes by name; the same as naming them (``Eyeglasses=1``).
            detail: "generated" gives G's picture; "photo" puts the change onto the original
                pixels.
            **named: Changes by name.

        Raises:
            UnknownAttributeError: If there is no such attribute, group or member.
            AttributeValueError: If a value is not a number from 0 to 2.
            ConfigError: If the detail is unknown.
            ImageError: If a file can't be read.
            ShapeError: If an array doesn't fit.
        """
        if detail not in ("generated", "photo"):
            raise ConfigError(f"detail must be 'generated' or 'photo', not {detail!r}")
        presences = self._config.attributes.resolve(merge_edits(attributes, named))
        return self._pictures(images, presences, photo=detail == "photo")

    def _pictures(
        self,
        images: Picture | list[P] | tuple[P, ...],
        presences: Mapping[str, float],
        *,
        photo: bool,
    ) -> Image | list[Image]:
        if isinstance(images, (list, tuple)):
            batch, single = to_array([self._fit(image) for image in images], self._config)
        else:
            batch, single = to_array(self._fit(images), self._config)
        names = self.attributes
        row = np.array([presences.get(name, 0.0) for name in names], np.float32)
        named = np.array([name in presences for name in names], np.bool_)
        parts = []
        for start in range(0, len(batch), CHUNK):
            chunk = batch[start : start + CHUNK]
            feed = {
                IMAGES: chunk,
                PRESENCES: np.tile(row, (len(chunk), 1)),
                NAMED: np.tile(named, (len(chunk), 1)),
                PHOTO: np.array(photo),
            }
            parts += run_session(self._session, feed)
        pictures = to_pictures(np.concatenate(parts), self._config)
        return pictures[0] if single else pictures

    def _fit(self, image: object) -> Image:
        picture = open_picture(check_picture(image), self._config.channels)
        if needs_alignment(picture, self._config):
            warn_of_photo("photos are cropped to their centre: the ONNX runtime looks for no faces")
        return fit_picture(picture, self._config.picture_size, self._config.crop)


def open_session(path: Path, providers: Sequence[str] = CPU) -> "InferenceSession":
    """Load a graph into onnxruntime.

    Raises:
        ConfigError: If onnxruntime lacks a provider.
        ModelFormatError: If the file can't be read.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if lacking := [name for name in providers if name not in available]:
        raise ConfigError(
            f"onnxruntime has no execution provider {lacking[0]} here; it has: "
            f"{', '.join(available)}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is told by exceptions
    options.intra_op_num_threads = _cores()
    # Threads wait by spinning, which takes a core from whatever else runs: a millisecond bridges
    # one operation to the next, more would go on after the last. Older releases don't know this.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "1000")
    try:
        return onnxruntime.InferenceSession(path, options, providers=list(providers))
    except Exception as error:  # onnxruntime's have no base of their own
        raise ModelFormatError(f"{path} can't be loaded, it may be damaged: {error}") from error


def _cores() -> int:
    # onnxruntime counts the machine's cores, of which a container may have fewer; 0: its choice.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def run_session(
    session: "InferenceSession", feed: Mapping[str, npt.NDArray[np.generic]]
) -> list[Floats]:
    """All outputs of a graph."""
    outputs: list[Floats] = session.run(None, dict(feed))
    return outputs


def _check_interface(session: "InferenceSession", config: ModelConfig, path: Path) -> None:
    side, n = config.image_size, config.n_attributes
    expected = {
        IMAGES: [config.channels, side, side],
        PRESENCES: [n],
        NAMED: [n],
        PHOTO: [],
        EDITED: [config.channels, side, side],
    }
    # The first dimension is the batch, which has a name instead of a size.
    found = {x.name: x.shape[1:] for x in (*session.get_inputs(), *session.get_outputs())}
    if found != expected:
        raise ModelFormatError(f"{path} doesn't fit the model's config: {found}, not {expected}")

"""The prepared format: images and labels of a data set, memory-mapped.

A prepared folder holds

- ``images.npy``      uint8 [N, H, H, C], the images without padding;
- ``attributes.npy``  uint8 [N, n_y], 1 where the attribute is present;
- ``dataset.json``    the format version, `DatasetInfo`, and the partitions, each a range of rows;
- ``unreadable.txt``  pictures that were left out, each with the reason, if there were any.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import Crop
from icgan_sdk.errors import DatasetError, IcGANError, did_you_mean
from icgan_sdk.model.devices import send
from icgan_sdk.pictures.arrays import pixels_to_tensor, scale_pixels
from icgan_sdk.versioned import JsonFormat

IMAGES, ATTRIBUTES, DESCRIPTION = "images.npy", "attributes.npy", "dataset.json"
DESCRIPTION_FORMAT = JsonFormat(version=1, error=DatasetError, remedy="prepare the data again")
"""The format of dataset.json. Its version counts for the whole folder."""
REQUIRED = ("source", "attributes", "groups", "one_hot", "padding", "crop", "partitions")

Rows = Tensor | npt.NDArray[np.int64] | slice
"""Row numbers: int64 [B], or a slice."""

Ranges = dict[str, tuple[int, int]]
"""First row and row after the last, by partition. Together they cover all rows, in order."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a prepared data set says about itself.

    Attributes:
        attributes: Names and exclusive groups, in the order of the label columns.
        padding: Background pixels that the networks see around each picture (MNIST: 2).
        crop: Where in an aligned frame the pictures were cut; None: whole or square pictures.
        source: Where the pictures come from, a text for people.
    """

    attributes: AttributeSet
    padding: int = 0
    crop: Crop | None = None
    source: str = ""

    def to_json(self, partitions: Mapping[str, tuple[int, int]]) -> str:
        """The text of ``dataset.json``."""
        plain = {
            "source": self.source,
            **self.attributes.to_dict(),
            "padding": self.padding,
            "crop": None if self.crop is None else asdict(self.crop),
            "partitions": dict(partitions),
        }
        return DESCRIPTION_FORMAT.to_json(plain)


class PreparedDataset:
    """A prepared data set, or one partition of it: memory-mapped and read-only.

    Attributes:
        folder: Where it is.
        attributes: Names and exclusive groups of the labels.
        padding: Background pixels around each picture in `images`.
        crop: Where in an aligned frame the pictures were cut, if they were.
        source: Where the pictures come from, a text for people.
    """

    def __init__(
        self,
        folder: Path,
        info: DatasetInfo,
        ranges: Ranges,
        pixels: npt.NDArray[np.uint8],
        presence: npt.NDArray[np.uint8],
    ) -> None:
        self.folder = folder
        self.attributes, self.padding = info.attributes, info.padding
        self.crop, self.source = info.crop, info.source
        self._info, self._ranges = info, ranges
        self._pixels, self._presence = pixels, presence
        self._resident: Tensor | None = None

    @classmethod
    def open(cls, folder: str | os.PathLike[str], partition: str | None = None) -> Self:
        """Open a prepared folder, all of it or one partition.

        Raises:
            DatasetError: If files are missing, damaged, inconsistent or of a newer format, or
                there is no such partition.
        """
        folder = Path(folder)
        info, ranges = _read_description(folder)
        pixels, presence = _read_array(folder / IMAGES), _read_array(folder / ATTRIBUTES)
        problem = inconsistency(info, ranges, pixels, presence)
        if problem:
            raise DatasetError(f"{folder} is inconsistent: {problem}; prepare it again")
        dataset = cls(folder, info, ranges, pixels, presence)
        return dataset if partition is None else dataset.part(partition)

    def part(self, name: str, limit: int | None = None) -> Self:
        """A view of one partition, or of its first `limit` rows.

        Raises:
            DatasetError: If there is no such partition.
        """
        if name not in self._ranges:
            hint = did_you_mean(name, self._ranges)
            raise DatasetError(f"{self.folder} has no partition {name!r}; {hint}")
        start, stop = self._ranges[name]
        stop = stop if limit is None else min(stop, start + limit)
        rows = slice(start, stop)
        ranges = {name: (0, stop - start)}
        return type(self)(self.folder, self._info, ranges, self._pixels[rows], self._presence[rows])

    def where(self, chosen: Tensor) -> Self:
        """The chosen rows of one partition, as a data set whose images are held in memory.

        Args:
            chosen: Bool [N].

        Raises:
            DatasetError: If `chosen` doesn't fit, or the data have several partitions.
        """
        if chosen.shape != (len(self),) or chosen.dtype != torch.bool or len(self.partitions) != 1:
            raise DatasetError(f"rows of one partition are chosen by a bool tensor [{len(self)}]")
        rows = chosen.cpu().numpy()
        ranges = {self.partitions[0]: (0, int(rows.sum()))}
        kept = self._pixels[rows], self._presence[rows]
        return type(self)(self.folder, self._info, ranges, *kept)

    def on_device(self, device: torch.device) -> Self:
        """A view whose images are kept in a device's memory. They take `n_bytes` of it."""
        view = type(self)(self.folder, self._info, self._ranges, self._pixels, self._presence)
        view._resident = torch.from_numpy(np.array(self._pixels)).to(device)
        return view

    @property
    def n_bytes(self) -> int:
        """Size of the images in bytes."""
        return int(self._pixels.nbytes)

    def __len__(self) -> int:
        return len(self._pixels)

    @property
    def partitions(self) -> tuple[str, ...]:
        """Names of the partitions present."""
        return tuple(self._ranges)

    @property
    def picture_size(self) -> int:
        """Side of the images, without padding."""
        return int(self._pixels.shape[1])

    @property
    def image_size(self) -> int:
        """Side of what the networks see: images with padding."""
        return self.picture_size + 2 * self.padding

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return int(self._pixels.shape[3])

    def images(self, rows: Rows) -> Tensor:
        """Images, padded with background: float32 [B, C, image_size, image_size] in [-1, 1].

        They are on the CPU, or where `on_device` has put them.
        """
        numbers = self._numbers(rows)
        if self._resident is None:
            images = pixels_to_tensor(self._pixels[numbers])
        else:
            on_device = send(torch.from_numpy(numbers), self._resident.device)
            images = scale_pixels(self._resident[on_device])
        if self.padding:
            images = torch.nn.functional.pad(images, [self.padding] * 4, value=-1.0)
        return images

    def labels(self, rows: Rows) -> Tensor:
        """Label vectors: float32 [B, n_y], -1 or 1."""
        return torch.from_numpy(self._presence[self._numbers(rows)].astype(np.float32) * 2 - 1)

    def arrays(self, rows: Rows) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Images without padding, uint8 [B, H, H, C], and 0/1 labels, uint8 [B, n_y]."""
        numbers = self._numbers(rows)
        return self._pixels[numbers], self._presence[numbers]

    def all_labels(self) -> Tensor:
        """Every label vector in order: float32 [N, n_y], -1 or 1."""
        return self.labels(slice(None))

    def positives(self) -> dict[str, int]:
        """How many images have each attribute."""
        counts = self._presence.sum(axis=0, dtype=np.int64)
        return dict(zip(self.attributes.names, counts.tolist(), strict=True))

    def fingerprint(self) -> str:
        """A hash of the labels, the partitions, the images' number and size, and a few images."""
        digest = hashlib.sha256()
        for name in self.partitions:
            part = self.part(name)
            rows = slice(0, len(part), max(1, len(part) // 8))
            digest.update(f"{name} {len(part)} {self.image_size} {self.attributes}".encode())
            digest.update(part.all_labels().numpy().tobytes())
            digest.update(part.images(rows).numpy().tobytes())
        return digest.hexdigest()

    def _numbers(self, rows: Rows) -> npt.NDArray[np.int64]:
        # Never a slice: it would give a view of the read-only memory map.
        if isinstance(rows, slice):
            return np.arange(*rows.indices(len(self)), dtype=np.int64)
        return np.asarray(rows, dtype=np.int64)


def is_prepared(folder: Path) -> bool:
    """Whether a folder is (or was) a prepared data set, so that writing may replace it."""
    return (folder / DESCRIPTION).is_file()


def _read_description(folder: Path) -> tuple[DatasetInfo, Ranges]:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DatasetError(
            f"{folder} is not a prepared data set (no {DESCRIPTION}); "
            "make one with `icgan data prepare`"
        )
    plain = DESCRIPTION_FORMAT.read(path, required=REQUIRED)
    try:
        return _parse_description(plain)
    except (IcGANError, ValueError, TypeError, AttributeError) as error:
        raise DESCRIPTION_FORMAT.damaged(path, repr(error)) from error


def _parse_description(plain: dict[str, Any]) -> tuple[DatasetInfo, Ranges]:
    info = DatasetInfo(
        attributes=AttributeSet.from_dict(plain),
        padding=int(plain["padding"]),
        crop=None if plain["crop"] is None else Crop(**plain["crop"]),
        source=str(plain["source"]),
    )
    ranges = {str(n): (int(start), int(stop)) for n, (start, stop) in plain["partitions"].items()}
    return info, ranges


def _read_array(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing; prepare the data again") from error
    except Exception as error:  # NumPy's parser of damaged headers raises whatever it meets
        raise DatasetError(f"{path} is damaged ({error}); prepare the data again") from error
    return array


def inconsistency(
    info: DatasetInfo, ranges: Ranges, pixels: npt.NDArray[Any], presence: npt.NDArray[Any]
) -> str:
    """What doesn't fit together in a data set's parts; empty if all does."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] != pixels.shape[2]:
        return f"pictures must be uint8 [N, H, H, C], not {pixels.dtype} {list(pixels.shape)}"
    if pixels.shape[3] not in {1, 3} or info.padding < 0:
        return f"pictures with {pixels.shape[3]} channels and padding {info.padding}"
    stops = [0, *(stop for _, stop in ranges.values())]
    starts = [*(start for start, _ in ranges.values()), len(pixels)]
    if starts != stops or stops != sorted(stops):
        return f"the partitions {ranges} don't divide the {len(pixels)} rows"
    return _label_problem(presence, (len(pixels), len(info.attributes)), info.attributes.one_hot)


def _label_problem(presence: npt.NDArray[Any], shape: tuple[int, int], one_hot: bool) -> str:
    if presence.dtype != np.uint8 or presence.shape != shape:
        return f"labels must be uint8 {list(shape)}, not {presence.dtype} {list(presence.shape)}"
    if presence.size and presence.max() > 1:
        return "labels must be 0 or 1"
    if one_hot and not (presence.sum(axis=1) == 1).all():
        return "one-hot labels must have exactly one class present"
    return ""

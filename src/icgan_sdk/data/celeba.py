"""CelebA (Liu et al., ICCV 2015): aligned faces with 40 attributes, official or Kaggle's."""

import io
import os
import zipfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Literal

from PIL import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import PAPER_ATTRIBUTES
from icgan_sdk.config import CELEBA_CROP, Crop
from icgan_sdk.data.celeba_lists import (
    ATTRIBUTE_FILES,
    PARTITION_FILES,
    read_attributes,
    read_partitions,
)
from icgan_sdk.data.writing import Item, PrepareReport, write_prepared
from icgan_sdk.errors import DatasetError, ImageError, list_some
from icgan_sdk.pictures.arrays import resample
from icgan_sdk.pictures.opening import open_picture
from icgan_sdk.progress import Progress

PICTURE_FOLDER = "img_align_celeba"
EDITIONS = (PICTURE_FOLDER, f"{PICTURE_FOLDER}_png", f"{PICTURE_FOLDER}_webp")
"""Folders of the pictures: the JPEG edition, the official PNG edition, and one in WebP."""
PICTURES = tuple(name for edition in EDITIONS for name in (edition, f"{edition}.zip"))
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SUBFOLDERS = ("", "celeba", "Anno", "Eval", "Img")
"""Where files may be: together, in torchvision's folder, or in the official site's three."""

ORIGINAL_TEST_SIZE = 19_961
"""How many of the last pictures the original code keeps for testing."""


def prepare_celeba(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    attributes: Sequence[str] = PAPER_ATTRIBUTES,
    image_size: int = 64,
    crop: Crop = CELEBA_CROP,
    partition: Literal["official", "original"] = "official",
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Prepare CelebA, or a part of it, from the official files.

    Every picture counts as the whole aligned frame, whatever its resolution. The crop's box is cut
    out and resampled once. (Pixels scaled down differ from the original code's exact box average by
    up to 0.06 of the range 0 to 1.) Pictures are found by their number, because the lists name
    ``.jpg`` files for the PNG edition too.

    Args:
        source: Folder with ``list_attr_celeba.txt``, ``list_eval_partition.txt`` (or ``.csv``, as
            Kaggle has them), and ``img_align_celeba/`` or ``img_align_celeba.zip`` (read without
            unpacking), or the same with ``_png`` or ``_webp`` after ``celeba``.
        folder: Where to write the prepared data set.
        attributes: Which of the 40, in this order; default: the paper's 18.
        image_size: Side of the pictures, a power of two.
        crop: The part of the aligned frame to keep.
        partition: CelebA's own, or the original code's, whose test pictures are the last 19,961.
        workers: Processes that read pictures; 0 or 1: this one.
        overwrite: Replace an earlier prepared data set.
        progress: Called after each picture.

    Raises:
        ConfigError: If the size is no power of two from 8 to 1024.
        DatasetError: If files are missing, damaged or don't fit together, or most of the listed
            pictures are not there.
        SaveError: If the folder can't be written.
        UnknownAttributeError: If CelebA has no attribute of that name.
    """
    source, chosen = Path(source), AttributeSet.celeba(attributes)
    labels = dict(read_attributes(_find(source, *ATTRIBUTE_FILES), chosen.names))
    if partition == "official":
        partitions = read_partitions(_find(source, *PARTITION_FILES), labels)
    else:
        partitions = _original_partitions(labels)
    pictures = _find(source, *PICTURES)
    read = (FolderFaces if pictures.is_dir() else ZipFaces)(pictures, image_size, crop)
    _check_pictures(pictures, read.numbers, labels)
    return write_prepared(
        folder,
        [Item(name, labels[name], partitions[name]) for name in labels],
        read,
        chosen,
        size=image_size,
        crop=crop,
        source=f"CelebA, {partition} partition",
        workers=workers,
        overwrite=overwrite,
        progress=progress,
    )


class FolderFaces:
    """Reads aligned faces from a folder."""

    def __init__(self, folder: Path, size: int, crop: Crop) -> None:
        inner = folder / folder.name  # as Kaggle's archive unpacks
        self.folder, self.size, self.crop = inner if inner.is_dir() else folder, size, crop
        self._files = _by_number(entry.name for entry in self.folder.iterdir())

    @property
    def numbers(self) -> Collection[str]:
        """The numbers of the pictures there are."""
        return self._files.keys()

    def __call__(self, name: str) -> Image.Image:
        """The face of a listed name, RGB, `size` × `size`."""
        file = self.folder / self._files.get(PurePath(name).stem, name)
        return _cut_frame(open_picture(file, 3), self.size, self.crop)


class ZipFaces:
    """Reads aligned faces out of the archive; names are never used as paths."""

    def __init__(self, archive: Path, size: int, crop: Crop) -> None:
        self.archive, self.size, self.crop = archive, size, crop
        self._zip = self._open()
        self._members = _by_number(self._zip.namelist())

    def __getstate__(self) -> dict[str, object]:
        # An open file can't be sent to a worker process, so the worker opens the archive itself.
        return {key: value for key, value in self.__dict__.items() if key != "_zip"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._zip = self._open()

    @property
    def numbers(self) -> Collection[str]:
        """The numbers of the pictures there are."""
        return self._members.keys()

    def __call__(self, name: str) -> Image.Image:
        """The face of a listed name, RGB, `size` × `size`."""
        member = self._members.get(PurePath(name).stem)
        if member is None:
            raise ImageError(f"{self.archive.name} has no picture {PurePath(name).stem}")
        try:
            data = io.BytesIO(self._zip.read(member))
        except Exception as error:  # zipfile and its decompressors raise errors of many kinds
            raise ImageError(f"{member} can't be read, it may be damaged: {error}") from error
        return _cut_frame(open_picture(data, 3, member), self.size, self.crop)

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.archive)
        except (OSError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{self.archive} is damaged ({error}); fetch it again") from error


def _by_number(names: Iterable[str]) -> dict[str, str]:
    """Names of picture files by what stands before their suffix, CelebA's number."""
    numbered: dict[str, str] = {}
    for path in map(PurePath, names):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            other = numbered.setdefault(path.stem, path.as_posix())
            if other != path.as_posix():
                raise DatasetError(f"{other} and {path} have one number: remove one of them")
    return numbered


def _cut_frame(picture: Image.Image, size: int, crop: Crop) -> Image.Image:
    # Not fit_picture: some copies of CelebA are squashed to a square but show the whole frame.
    return resample(picture, (size, size), crop.scaled_to(*picture.size))


def find_celeba(source: Path, names: Sequence[str]) -> Path | None:
    """The first of these files or folders that is there, in any of `SUBFOLDERS`."""
    places = [source / sub / name for sub in SUBFOLDERS for name in names]
    return next((path for path in places if path.exists()), None)


def _find(source: Path, *names: str) -> Path:
    path = find_celeba(source, names)
    if path is None:
        found = sorted(entry.name for entry in source.iterdir()) if source.is_dir() else []
        raise DatasetError(
            f"{source} lacks CelebA's {' or '.join(names)}, but has "
            f"{list_some(found) or 'nothing'}; name the folder that holds them, or fetch them with "
            "download_celeba or --download"
        )
    return path


def _check_pictures(pictures: Path, numbers: Collection[str], listed: Iterable[str]) -> None:
    """Raise DatasetError, before any picture is read, if most of the listed ones are missing."""
    listed = list(listed)
    missing = [name for name in listed if PurePath(name).stem not in numbers]
    if 2 * len(missing) > len(listed):
        raise DatasetError(
            f"{len(missing)} of the {len(listed)} listed pictures ({list_some(missing)}) are not "
            f"in {pictures}, which has {list_some(numbers) or 'none'}"
        )


def _original_partitions(labelled: dict[str, bytes]) -> dict[str, str]:
    n_train = len(labelled) - ORIGINAL_TEST_SIZE
    if n_train < 1:
        raise DatasetError(
            f"the original partition tests on the last {ORIGINAL_TEST_SIZE} pictures, "
            f"but there are only {len(labelled)}; use the official one"
        )
    return {name: "train" if i < n_train else "test" for i, name in enumerate(labelled)}

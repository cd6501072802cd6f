"""CelebA (Liu et al., ICCV 2015): aligned faces with 40 attributes, in the official layout."""

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Literal

from PIL import Image

from icgan_sdk.attributes import PAPER_ATTRIBUTES, AttributeSet
from icgan_sdk.config import CELEBA_CROP, Crop
from icgan_sdk.data.reading import ReadPicture
from icgan_sdk.data.writing import (
    PARTITIONS,
    Item,
    PrepareReport,
    write_prepared,
)
from icgan_sdk.errors import DatasetError, ImageError, did_you_mean
from icgan_sdk.pictures.opening import DECODE_ERRORS, open_picture
from icgan_sdk.pictures.squares import resample
from icgan_sdk.progress import Progress

ATTRIBUTE_FILE = "list_attr_celeba.txt"
PARTITION_FILE = "list_eval_partition.txt"
PICTURE_FOLDER = "img_align_celeba"
EDITIONS = (PICTURE_FOLDER, f"{PICTURE_FOLDER}_png", f"{PICTURE_FOLDER}_webp")
"""Folders of the pictures: the JPEG edition, the official PNG edition, and one in WebP."""
PICTURES = tuple(name for edition in EDITIONS for name in (edition, f"{edition}.zip"))
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SUBFOLDERS = ("", "celeba", "Anno", "Eval", "Img")
"""Where files may be: together, in torchvision's folder, or in the official site's three."""

DAMAGES: tuple[type[Exception], ...] = (
    *DECODE_ERRORS, Image.DecompressionBombError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged member of the archive raises."""

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
        source: Folder with ``list_attr_celeba.txt``, ``list_eval_partition.txt``, and
            ``img_align_celeba/`` or ``img_align_celeba.zip`` (read without unpacking), or the
            same with ``_png`` or ``_webp`` after ``celeba``.
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
        DatasetError: If files are missing, damaged or don't fit together.
        SaveError: If the folder can't be written.
        UnknownAttributeError: If CelebA has no attribute of that name.
    """
    source, chosen = Path(source), AttributeSet.celeba(attributes)
    labels = dict(_read_attributes(_find(source, ATTRIBUTE_FILE), chosen.names))
    if partition == "official":
        partitions = _read_partitions(_find(source, PARTITION_FILE), labels)
    else:
        partitions = _original_partitions(labels)
    return write_prepared(
        folder,
        [Item(name, labels[name], partitions[name]) for name in labels],
        _reader(_find(source, *PICTURES), image_size, crop),
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
        self.folder, self.size, self.crop = folder, size, crop
        self._files = _by_number(entry.name for entry in folder.iterdir())

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

    def __call__(self, name: str) -> Image.Image:
        """The face of a listed name, RGB, `size` × `size`."""
        member = self._members.get(PurePath(name).stem)
        if member is None:
            raise ImageError(f"{self.archive.name} has no picture {PurePath(name).stem}")
        try:
            picture = Image.open(io.BytesIO(self._zip.read(member)))
            picture.load()  # so that damage is reported by the member's name
            face = open_picture(picture, 3)
        except DAMAGES as error:
            raise ImageError(f"{member} can't be read, it may be damaged: {error}") from error
        return _cut_frame(face, self.size, self.crop)

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.archive)
        except (OSError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{self.archive} is damaged ({error}); fetch it again") from error


def _by_number(names: Iterable[str]) -> dict[str, str]:
    """Names of picture files by what stands before their suffix, CelebA's number."""
    paths = map(PurePath, names)
    return {path.stem: path.as_posix() for path in paths if path.suffix.lower() in SUFFIXES}


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
        raise DatasetError(
            f"{source} lacks CelebA's {' or '.join(names)}; "
            "fetch the data set with download_celeba or --download"
        )
    return path


def _reader(pictures: Path, size: int, crop: Crop) -> ReadPicture:
    return (FolderFaces if pictures.is_dir() else ZipFaces)(pictures, size, crop)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read: {error}") from error


def _read_attributes(path: Path, chosen: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """File name and label row (bytes 0 and 1) of each picture."""
    lines = _lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal():
        raise DatasetError(f"{path}: expected a count in line 1 and names in line 2")
    if int(lines[0]) != len(lines) - 2:
        raise DatasetError(
            f"{path}: line 1 says {lines[0].strip()} pictures, {len(lines) - 2} follow"
        )
    known = lines[1].split()
    for name in chosen:
        if name not in known:
            raise DatasetError(f"{path}: no attribute {name!r}; {did_you_mean(name, known)}")
    columns = [known.index(name) + 1 for name in chosen]
    seen = set()
    for number, line in enumerate(lines[2:], 3):
        cells = line.split()
        if len(cells) != len(known) + 1 or not {"-1", "1"}.issuperset(cells[1:]):
            raise DatasetError(f"{path}, line {number}: expected a name and {len(known)} × -1 or 1")
        name = cells[0]
        if name in seen or Path(name).name != name:
            raise DatasetError(f"{path}, line {number}: {name!r} is repeated or no file name")
        seen.add(name)
        yield name, bytes(cells[column] == "1" for column in columns)


def _read_partitions(path: Path, labelled: dict[str, bytes]) -> dict[str, str]:
    codes = {str(code): partition for code, partition in enumerate(PARTITIONS)}
    partitions: dict[str, str] = {}
    for number, line in enumerate(_lines(path), 1):
        cells = line.split()
        if len(cells) != 2 or cells[1] not in codes:
            raise DatasetError(f"{path}, line {number}: expected a file name and 0, 1 or 2")
        if cells[0] not in labelled or cells[0] in partitions:
            raise DatasetError(
                f"{path}, line {number}: {cells[0]} is repeated, or not in {ATTRIBUTE_FILE}"
            )
        partitions[cells[0]] = codes[cells[1]]
    if len(partitions) != len(labelled):
        missing = next(name for name in labelled if name not in partitions)
        raise DatasetError(
            f"{path} has {len(partitions)} pictures, {ATTRIBUTE_FILE} {len(labelled)}; "
            f"the first without a partition is {missing}"
        )
    return partitions


def _original_partitions(labelled: dict[str, bytes]) -> dict[str, str]:
    n_train = len(labelled) - ORIGINAL_TEST_SIZE
    if n_train < 1:
        raise DatasetError(
            f"the original partition tests on the last {ORIGINAL_TEST_SIZE} pictures, "
            f"but there are only {len(labelled)}; use the official one"
        )
    return {name: "train" if i < n_train else "test" for i, name in enumerate(labelled)}

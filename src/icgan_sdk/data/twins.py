"""Pictures that are in a prepared data set more than once."""

from collections import defaultdict
from hashlib import blake2b
from pathlib import Path

from icgan_sdk.data.prepared import PreparedDataset

TRAIN = "train"


def twins_note(folder: Path) -> str:
    """What to tell of pictures whose pixels are equal; "" if there are none."""
    places: dict[bytes, list[str]] = defaultdict(list)
    dataset = PreparedDataset.open(folder)
    for name in dataset.partitions:
        part = dataset.part(name)
        for row in range(len(part)):
            pixels, _ = part.arrays(slice(row, row + 1))
            places[blake2b(pixels.tobytes(), digest_size=16).digest()].append(name)
    groups = [where for where in places.values() if len(where) > 1]
    if not groups:
        return ""
    note = f"{sum(len(where) - 1 for where in groups)} pictures are copies of others"
    for name in dataset.partitions:
        trained = sum(where.count(name) for where in groups if TRAIN in where)
        if trained and name != TRAIN:
            note += f"; {trained} of {name} are in {TRAIN} too, and so tell little of new pictures"
    return note

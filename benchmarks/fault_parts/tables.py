"""Damaged tables of labels and CelebA lists: our own errors, or all that is said is prepared."""

import random
import shutil
import warnings
from pathlib import Path

from fault_parts.jobs import pictures
from fault_parts.mutation import mutate
from fault_parts.rounds import Round
from icgan_sdk.data import PreparedDataset, prepare_celeba, prepare_folder
from icgan_sdk.errors import IcGANError

ATTRIBUTES = ("Smiling", "Male", "Eyeglasses")


def make(folder: Path) -> Round:
    """Rounds that damage one text file and prepare the data set."""
    pictures(folder / "pictures")
    files = sorted(p.relative_to(folder / "pictures") for p in (folder / "pictures").rglob("*.png"))
    rows = "".join(f"{f},{i % 2},{i % 3 % 2},{i % 5 % 2}\n" for i, f in enumerate(files))
    table = ("file," + ",".join(ATTRIBUTES) + "\n" + rows).encode()
    celeba = folder / "celeba"
    (celeba / "img_align_celeba").mkdir(parents=True)
    names = [f"{i + 1:06}.jpg" for i in range(len(files))]
    for name, file in zip(names, files, strict=True):
        shutil.copy(folder / "pictures" / file, celeba / "img_align_celeba" / name)
    lines = "".join(f"{n} {2 * (i % 2) - 1} 1 -1\n" for i, n in enumerate(names))
    lists = {
        "list_attr_celeba.txt": f"{len(names)}\n{' '.join(ATTRIBUTES)}\n{lines}".encode(),
        "list_eval_partition.txt": "".join(f"{n} {i % 3}\n" for i, n in enumerate(names)).encode(),
    }
    for name, text in lists.items():
        (celeba / name).write_bytes(text)
    out = folder / "out"

    def prepare_one(chance: random.Random) -> str:
        shutil.rmtree(out, ignore_errors=True)
        which = chance.choice(["table.csv", *lists])
        kind, data = mutate(table if which == "table.csv" else lists[which], chance)
        path = folder / which if which == "table.csv" else celeba / which
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if which == "table.csv":
                    prepare_folder(folder / "pictures", out, labels=path, image_size=8)
                else:
                    prepare_celeba(celeba, out, image_size=8, attributes=ATTRIBUTES)
        except IcGANError as error:
            if "\n" in str(error) or out.exists():
                raise ValueError("a message of several lines, or half a data set") from error
            return f"{kind}: {type(error).__name__}"
        finally:
            if which in lists:
                path.write_bytes(lists[which])
        assert len(PreparedDataset.open(out)) > 0
        return f"{kind}: prepared"

    return prepare_one

"""Refuse large files in the history: git keeps them for good, and every clone pays for them.

    python tools/large_blobs.py [REPOSITORY]

Every file of at least 1 MB that any commit of HEAD ever held must lie in the folder of bundled
weights. Files that a partial clone lacks are passed over.
"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

LIMIT = 1_000_000
WEIGHTS = "src/icgan_sdk/pretrained/"
KNOWN = {"c8a2380e19ac45118c4b259b7e4731b214d3e188"}
"""Were there before the rule."""


class Blob(NamedTuple):
    """A file as git keeps it.

    Attributes:
        name: Its object name.
        size: In bytes.
        path: Where a commit holds it.
    """

    name: str
    size: int
    path: str


def large_blobs(repository: Path) -> list[Blob]:
    """The files that are too large, of all commits of HEAD."""
    listed = _git(repository, "rev-list", "--objects", "--missing=print", "HEAD")
    present = "\n".join(line for line in listed.splitlines() if not line.startswith("?"))
    form = "%(objecttype) %(objectname) %(objectsize) %(rest)"
    objects = _git(repository, "cat-file", f"--batch-check={form}", given=present)
    rows = [line.split(" ", 3) for line in objects.splitlines() if line.startswith("blob ")]
    # History names one path of each file, the tree of HEAD all.
    tree = [line.split(maxsplit=4) for line in _tree(repository)]
    rows += [["blob", name, size, path] for _, _, name, size, path in tree if size.isdigit()]
    found = {Blob(name, int(size), path) for _, name, size, path in rows if int(size) >= LIMIT}
    return sorted(b for b in found if b.name not in KNOWN and not b.path.startswith(WEIGHTS))


def _tree(repository: Path) -> list[str]:
    return _git(repository, "ls-tree", "-r", "-l", "HEAD").splitlines()


def _git(repository: Path, *words: str, given: str = "") -> str:
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout


def main() -> int:
    """Print what is too large; the status is 1 if anything is."""
    found = large_blobs(Path(sys.argv[1] if sys.argv[1:] else "."))
    for blob in found:
        print(
            f"{blob.path}: {blob.size / 1e6:.1f} MB ({blob.name[:10]}): files of 1 MB or more stay "
            f"out of git, except in {WEIGHTS}; take it out of the commits, not only of the tree"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

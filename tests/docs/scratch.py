"""A folder that holds what the pages name, made when it is named: pictures, data sets, models."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from icgan_sdk import train
from icgan_sdk.attributes import AttributeSet
from icgan_sdk.celeba import CELEBA_ATTRIBUTES
from icgan_sdk.data import prepare_celeba, prepare_mnist
from tests.data.conftest import write_idx
from tests.torch7_files import dump
from tests.torch7_networks import Maker

ROOT = Path(__file__).parents[2]
PORTRAIT, DIGIT = ROOT / "examples" / "astronaut.jpg", ROOT / "examples" / "digit.png"
PICTURES = 20
SMALL = [
    "model.z_dim=4",
    "model.generator_width=4",
    "model.discriminator_width=4",
    "model.encoder_width=2",
    "model.encoder_z_fc=8",
    "model.encoder_y_fc=8",
]
WORD = re.compile(r"[\w./*-]+")


def shrink_recipes(folder: Path) -> None:
    """Write all recipes with one epoch and few images; what a page sets still holds."""
    folder.mkdir()
    for name in train.recipes():
        config = train.load_config(name)
        short = replace(
            config,
            gan=replace(config.gan, epochs=1, batch_size=8),
            generated=replace(config.generated, images=8),
            encoder_z=replace(config.encoder_z, epochs=1, batch_size=8),
            encoder_y=replace(config.encoder_y, epochs=1, batch_size=8),
            run=replace(config.run, device="cpu"),
            optional={
                section: replace(settings, epochs=1, batch_size=8)
                for section, settings in config.optional.items()
            },
        )
        if "painter_size" in config.model:
            short = train.override(short, ["painter.critic_width=4", "model.painter_width=4"])
        (folder / f"{name}.toml").write_text(short.to_toml(), "utf-8")


class Scratch:
    """Makes the files that a text names, as far as they are not there, in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "examples", root / "examples", ignore=shutil.ignore_patterns("*.py"))
        self.makers: list[tuple[str, Callable[[Path], None]]] = [
            (r"[\w/.-]+\.(jpg|png)", self.picture),
            (r"[\w/-]*\*\.(jpg|png)", self.pictures),
            (r"[\w-]+\.csv", self.table),
            (r"[\w-]+\.t7", self.torch7),
            (r"mnist", self.mnist),
            (r"celeba", self.celeba),
            (r"photos", self.photos),
            (r"letters", self.letters),
            (r"prepared/[\w-]+", self.prepared),
            (r"runs/[\w-]+", self.run),
        ]

    def provide(self, text: str, but: Sequence[str] = ()) -> None:
        """Make what a text names, but for its outputs."""
        outputs = {name.removeprefix("./").rstrip("/") for name in but}
        for word in dict.fromkeys(WORD.findall(text)):
            name = word.removeprefix("./").rstrip("/.")
            name = re.sub(r"^(runs/[\w-]+)/.*", r"\1", name)  # what is in a run comes with it
            path = self.root / name
            if name in outputs or not name or name.startswith("/") or path.exists():
                continue
            for pattern, make in self.makers:
                if re.fullmatch(pattern, name):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    make(path)
                    break

    def picture(self, path: Path) -> None:
        shutil.copy(DIGIT if "digit" in path.name else PORTRAIT, path)

    def pictures(self, pattern: Path) -> None:
        for name in ("one", "two"):
            shutil.copy(PORTRAIT, pattern.with_name(pattern.name.replace("*", name)))

    def photos(self, folder: Path) -> None:
        """Pictures of two classes, and of people in the folder and below it."""
        draws = np.random.default_rng(0)
        for name in self.photo_names():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = draws.integers(0, 256, (40, 36, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name)

    def letters(self, folder: Path) -> None:
        """What examples/letters.py would draw, of noise; and its table beside the folder."""
        folder.mkdir()
        draws, rows = np.random.default_rng(0), ["file,Bold,Italic,Serif,Upper_Case"]
        for i in range(PICTURES):
            pixels = draws.integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i:04}.png")
            rows.append(f"{i:04}.png,{i % 2},{i // 2 % 2},{i // 4 % 2},{i // 8 % 2}")
        folder.with_suffix(".csv").write_text("\n".join(rows), "utf-8")

    @staticmethod
    def photo_names() -> list[str]:
        return [f"{('cat', 'dog')[i % 2]}/{i}.png" for i in range(PICTURES)]

    def table(self, path: Path) -> None:
        rows = (
            f"{name},{i % 2},{i % 3 % 2},{int(i % 3 == 0)},{'test' if i % 4 == 0 else 'train'}"
            for i, name in enumerate(self.photo_names())
        )
        header = "file,Glasses,Dark_Hair,Fair_Hair,partition"
        path.write_text("\n".join([header, *rows]), "utf-8")

    def mnist(self, folder: Path) -> None:
        folder.mkdir()
        draws = np.random.default_rng(0)
        for prefix in ("train", "t10k"):
            pixels = draws.integers(0, 256, (PICTURES, 28, 28), dtype=np.uint8)
            labels = np.arange(PICTURES, dtype=np.uint8) % 10
            write_idx(folder / f"{prefix}-images-idx3-ubyte", pixels)
            write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels)

    def celeba(self, folder: Path) -> None:
        """The official layout; labels and partitions made up."""
        (folder / "img_align_celeba").mkdir(parents=True)
        files = [f"{i + 1:06}.jpg" for i in range(PICTURES)]
        for file in files:
            shutil.copy(PORTRAIT, folder / "img_align_celeba" / file)
        draws = np.random.default_rng(0).integers(0, 2, (PICTURES, len(CELEBA_ATTRIBUTES)))
        rows = (
            f"{f} {' '.join(map(str, 2 * row - 1))}\n" for f, row in zip(files, draws, strict=True)
        )
        header = f"{PICTURES}\n{' '.join(CELEBA_ATTRIBUTES)}\n"
        (folder / "list_attr_celeba.txt").write_text(header + "".join(rows))
        parts = (f"{file} {(0, 0, 1, 2)[i % 4]}\n" for i, file in enumerate(files))
        (folder / "list_eval_partition.txt").write_text("".join(parts))

    def prepared(self, folder: Path) -> None:
        """Digits under the name of mnist, else faces; 128×128 if the name ends so."""
        source = folder.parent / f".{folder.name}-source"
        if folder.name == "mnist":
            self.mnist(source)
            prepare_mnist(source, folder)
        else:
            self.celeba(source)
            prepare_celeba(source, folder, image_size=128 if folder.name.endswith("128") else 64)

    def run(self, folder: Path) -> None:
        """A finished run; digits under the name of mnist, else faces."""
        name = "mnist" if folder.name == "mnist" else "celeba"
        data = self.root / "prepared" / name
        self.provide(f"prepared/{name}")
        recipe = "mnist" if name == "mnist" else "paper"
        train.run(train.load_config(recipe, SMALL, data=str(data)), folder)

    def torch7(self, path: Path) -> None:
        """What the original code would have saved of faces, 16×16: G, D, Z or Y."""
        make, n = Maker(), len(AttributeSet.celeba())
        trees = {
            "G": lambda: make.generator(n_y=n),
            "D": lambda: make.discriminator(n_y=n),
            "Z": lambda: make.encoder(5),
            "Y": lambda: make.encoder(n, hidden=7),
        }
        path.write_bytes(dump(trees[path.stem]()))

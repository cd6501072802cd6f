"""Train a model on attributes of your own, from zero, in minutes and without a GPU.

The pictures are cartoon faces that this script draws, and it knows what it drew: that is the
table of attributes. Everything after `draw_faces` is the same for pictures of your own.

Usage: ``python examples/own_attributes.py faces``
"""

import argparse
import csv
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from icgan_sdk import IcGAN, sheet, train
from icgan_sdk.data import prepare_folder

HAIR = {"Black_Hair": "#241c1c", "Blond_Hair": "#e9c64f", "Red_Hair": "#b5471f"}
ATTRIBUTES = ("Glasses", "Smiling", "Hat", *HAIR)
SIDE = 128
"""Pixels of a drawing; the model sees it at `SIZE`, so that its edges are smooth."""
SIZE = 32
SETTINGS = [
    "model.z_dim=16",
    "model.generator_width=32",
    "model.discriminator_width=32",
    "model.encoder_z_fc=256",
    "encoder_y.epochs=12",
    "encoder_y.batch_size=32",
    "gan.epochs=100",
    "gan.batch_size=32",
    "gan.ema_decay=0.99",
    "joint.augment=true",
    "encoder_z.epochs=5",
    "encoder_z.batch_size=32",
    "generated.images=1000",
]
"""Changes to the recipe `celeba`, which is made for some ten thousand photographs of 64×64."""


def draw_faces(folder: Path, number: int, seed: int) -> Path:
    """Draw faces into a folder; returns the table of their attributes, a CSV file."""
    source = random.Random(seed)
    folder.mkdir(parents=True)
    table = folder.with_suffix(".csv")
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", *ATTRIBUTES])
        for index in range(number):
            hair = source.choice(list(HAIR))
            present = {name: source.random() < 0.5 for name in ("Glasses", "Smiling", "Hat")}
            present |= {name: name == hair for name in HAIR}
            draw_face(present, source).save(folder / f"{index:04}.png")
            rows.writerow([f"{index:04}.png", *(int(present[name]) for name in ATTRIBUTES)])
    return table


def draw_face(present: dict[str, bool], source: random.Random) -> Image.Image:
    """One face; where it stands, its shape and its colours are what z will have to say."""
    ground = tuple(source.randint(90, 230) for _ in range(3))
    skin = source.choice(["#f7d7bd", "#e8b48f", "#c58a5e", "#96623c"])
    shirt = tuple(source.randint(30, 220) for _ in range(3))
    x, y = 64 + source.randint(-6, 6), 70 + source.randint(-4, 4)
    wide, high = source.randint(35, 42), source.randint(43, 49)
    hair = next(colour for name, colour in HAIR.items() if present[name])

    picture = Image.new("RGB", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - 56, y + high - 6, x + 56, y + high + 80), fill=shirt)
    draw.ellipse((x - wide - 9, y - high - 10, x + wide + 9, y + high - 12), fill=hair)
    draw.ellipse((x - wide, y - high + 10, x + wide, y + high), fill=skin)
    for eye in (x - 17, x + 17):
        draw.ellipse((eye - 5, y - 11, eye + 5, y - 1), fill="#1c2028")
        if present["Glasses"]:
            draw.ellipse((eye - 14, y - 20, eye + 14, y + 8), outline="#101010", width=5)
    if present["Glasses"]:
        draw.line((x - 4, y - 8, x + 4, y - 8), fill="#101010", width=5)
    if present["Smiling"]:
        draw.chord((x - 22, y - 4, x + 22, y + 36), 10, 170, fill="#ffffff", outline="#8c2f2f")
    else:
        draw.line((x - 12, y + 26, x + 12, y + 26), fill="#8c2f2f", width=5)
    if present["Hat"]:
        draw.rectangle((x - wide, y - high - 22, x + wide, y - high + 14), fill="#27407d")
        draw.rectangle((x - wide - 14, y - high + 8, x + wide + 14, y - high + 16), fill="#1b2d59")
    return picture


def train_model(folder: Path, table: Path, settings: Sequence[str]) -> IcGAN:
    """Prepare the pictures of a folder, train on them, and load what came out."""
    prepare_folder(
        folder,
        folder.with_name("prepared"),
        labels=table,
        groups={"hair_color": tuple(HAIR)},
        image_size=SIZE,
    )
    config = train.load_config("celeba", settings, data=str(folder.with_name("prepared")))
    return IcGAN.from_pretrained(train.run(config, folder.with_name("run"), watcher=tell))


def tell(progress: train.Progress) -> None:
    """A line on stderr that shows how the training gets on."""
    done = f"{progress.stage} {progress.step}/{progress.steps}"
    end = "\n" if progress.step == progress.steps else "\r"
    print(f"{done:<40}", end=end, file=sys.stderr, flush=True)


def main() -> None:
    """Draw, train, edit faces that the model has never seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder for pictures, data set, run and result")
    parser.add_argument("--pictures", type=int, default=800, help="how many to train on")
    parser.add_argument("--set", nargs="*", default=[], help="more settings, as of icgan train")
    arguments = parser.parse_args()

    table = draw_faces(arguments.out / "faces", arguments.pictures, seed=0)
    model = train_model(arguments.out / "faces", table, [*SETTINGS, *arguments.set])
    draw_faces(arguments.out / "new", 8, seed=1)
    rows = [model.variations(path) for path in sorted((arguments.out / "new").glob("*.png"))]
    names = ("Original", "Reconstruction", *ATTRIBUTES)
    sheet(rows, names).save(arguments.out / "variations.png")
    model.edit(arguments.out / "new" / "0000.png", Hat=1, hair_color="Red_Hair").save(
        arguments.out / "edited.png"
    )
    print(f"{arguments.out / 'variations.png'}: new faces with every attribute in turn")


if __name__ == "__main__":
    main()

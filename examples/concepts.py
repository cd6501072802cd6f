"""What z and y do, in five pictures made with the bundled models.

python examples/concepts.py docs/assets
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from icgan_sdk import IcGAN, Latent, grid, save_picture

PORTRAIT = Path(__file__).with_name("astronaut.jpg")
COLUMNS = ("Eyeglasses", "Smiling", "Male", "Blond_Hair", "Wavy_Hair", "Bangs")
AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


def same_z(model: IcGAN, edits: Sequence[dict[str, object]], n: int, seed: int) -> Image.Image:
    """A row for each z, a column for each y: the same seed draws the same z."""
    columns = [model.sample(n, edit, seed=seed) for edit in edits]
    return grid(list(zip(*columns, strict=True)))


def between(model: IcGAN, seed: int, steps: int) -> Image.Image:
    """From one z to another: y stays in the first row, and changes with z in the second."""
    z = torch.randn(2, model.config.z_dim, generator=torch.Generator().manual_seed(seed))
    absent = torch.full((2, len(model.attributes)), -1.0)
    ends = absent.clone()
    ends[1, [model.attributes.index(name) for name in ("Smiling", "Blond_Hair")]] = 1.0
    weights = torch.linspace(0.0, 1.0, steps)[:, None]
    path = torch.lerp(z[:1], z[1:], weights)
    labels = (torch.lerp(y[:1], y[1:], weights) for y in (absent, ends))
    return grid([model.decode(Latent(path, y)) for y in labels])


def fractions(model: IcGAN, names: Sequence[str]) -> Image.Image:
    """A row for each attribute, from absent over present to exaggerated."""
    return grid([[model.edit(PORTRAIT, {name: x}) for x in AMOUNTS] for name in names])


def exclusive(model: IcGAN, group: str) -> Image.Image:
    """Original, reconstruction, then each member of a group, which clears the others."""
    portrait = model.invert(PORTRAIT)
    members = [portrait.edit({group: name}) for name in model.groups[group]]
    return grid([[portrait.square, portrait.reconstruct(), *members]])


def main() -> None:
    """Write the five pictures into a folder."""
    parser = argparse.ArgumentParser(description="Write five pictures of what z and y do.")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    out = parser.parse_args().out
    faces, digits = IcGAN.from_pretrained("celeba"), IcGAN.from_pretrained("mnist")
    one_each = [dict[str, object]({name: 1}) for name in COLUMNS]
    pictures = {
        "concepts_faces.jpg": same_z(faces, [{}, *one_each], 4, seed=8),
        "concepts_digits.png": same_z(digits, [{"digit": str(d)} for d in range(10)], 5, seed=2),
        "concepts_between.jpg": between(faces, seed=3, steps=8),
        "concepts_fractions.jpg": fractions(faces, ("Smiling", "Eyeglasses", "Gray_Hair")),
        "concepts_groups.jpg": exclusive(faces, "hair_color"),
    }
    for name, picture in pictures.items():
        save_picture(picture, out / name)
        print(out / name)


if __name__ == "__main__":
    main()

"""Edit a portrait in several ways, and write original, reconstruction and edits side by side.

python examples/edit_portrait.py edited.png
"""

import argparse
from pathlib import Path

from icgan_sdk import IcGAN, grid, save_picture

PORTRAIT = Path(__file__).with_name("astronaut.jpg")


def main() -> None:
    """Write the picture, and print what the model reads in the portrait."""
    parser = argparse.ArgumentParser(description="Edit a portrait in several ways.")
    parser.add_argument("out", type=Path, help="picture to write")
    parser.add_argument("--portrait", type=Path, default=PORTRAIT)
    arguments = parser.parse_args()

    model = IcGAN.from_pretrained("celeba")
    inversion = model.invert(arguments.portrait)  # encoded once, for all that follows
    present = {name: s for name, s in inversion.scores.items() if s > 0.5}
    print("\n".join(f"{name}: {score:.2f}" for name, score in present.items()))
    edits = [
        inversion.edit(Eyeglasses=1),  # only the change, on the photo
        inversion.edit(Smiling=0, Gray_Hair=0.5),
        inversion.edit(Eyeglasses=1, detail="generated"),  # as the generator draws it
        inversion.refined(20).edit(hair_color="Blond_Hair", detail="generated"),
    ]
    save_picture(grid([[inversion.square, inversion.reconstruct(), *edits]]), arguments.out)


if __name__ == "__main__":
    main()

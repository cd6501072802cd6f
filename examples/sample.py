"""Generate faces and digits: the same seed gives the same pictures.

python examples/sample.py samples
"""

import argparse
from pathlib import Path

from icgan_sdk import IcGAN, grid, save_picture


def main() -> None:
    """Write a sheet of faces, a row for each wish, and one of digits."""
    parser = argparse.ArgumentParser(description="Generate faces and digits.")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    faces = IcGAN.from_pretrained("celeba")
    wishes: list[dict[str, object]] = [
        {"Smiling": 1},
        {"Smiling": 1, "Male": 1},
        {"Eyeglasses": 1, "hair_color": "Gray_Hair"},
    ]
    rows = [faces.sample(8, wish, seed=arguments.seed) for wish in wishes]
    save_picture(grid(rows), arguments.out / "faces.png")
    digits = IcGAN.from_pretrained("mnist")
    one_of_each = [digits.sample(1, seed=arguments.seed, digit=digit)[0] for digit in range(10)]
    save_picture(grid([one_of_each]), arguments.out / "digits.png")


if __name__ == "__main__":
    main()

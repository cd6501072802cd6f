"""How well photos are aligned: CelebA's test faces, hidden in larger pictures, are found again.

    python benchmarks/alignment.py --data data/celeba

Every face is an officially aligned 178×218 frame. It is turned by up to 20°, scaled to 0.5 to 2
times its size and put somewhere into a canvas of blurred colours. Where the frame lies is then
known, and so is where CelebA's mean eye positions are. The error is the distance, in pixels of the
frame, between an eye there and where the alignment that was found puts it. --turn lays the canvas
on a side, or upside down; --covered covers the faces, so that whatever is found is none. --short
hides a face of examples/ three times, without CelebA, only to see that everything runs.
"""

import argparse
import math
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
from PIL import Image

from icgan_sdk.celeba import CELEBA
from icgan_sdk.photo.faces import find_faces
from icgan_sdk.photo.placement import similarity

FRAME = (178, 218)
SMALLEST, LARGEST = 0.5, 2.0
TILT = 20.0
TEST = "2"

Matrix = npt.NDArray[np.float64]


def read_faces(data: Path, count: int, source: np.random.Generator) -> Iterator[Image.Image]:
    """Test pictures drawn at random; copies of other sizes show the whole frame too."""
    lines = (data / "list_eval_partition.txt").read_text().splitlines()
    names = [line.split()[0] for line in lines if line.split()[1] == TEST]
    with ZipFile(data / "img_align_celeba.zip") as archive:
        for index in np.sort(source.permutation(len(names))[:count]):
            picture = Image.open(BytesIO(archive.read(f"img_align_celeba/{names[index]}")))
            yield picture.convert("RGB")


def example_face() -> Image.Image:
    """The portrait of examples/, cut about as CelebA's frames are."""
    with Image.open(Path(__file__).parents[1] / "examples" / "astronaut.jpg") as portrait:
        face = max(find_faces(portrait.convert("RGB")), key=lambda found: found.width)
        matrix = similarity(face.points, np.array(CELEBA.landmarks))
        assert matrix is not None
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        affine, flat = Image.Transform.AFFINE, tuple(back.ravel())
        return portrait.convert("RGB").transform(FRAME, affine, flat, Image.Resampling.BICUBIC)


def hide(face: Image.Image, source: np.random.Generator) -> tuple[Image.Image, Matrix]:
    """A canvas with the face in it, and the map [2, 3] from the frame's pixels to the canvas."""
    width, height = (int(side) for side in source.integers(480, 1000, 2))
    largest = min(LARGEST, min(width, height) / math.hypot(*FRAME))
    scale = math.exp(source.uniform(math.log(SMALLEST), math.log(largest)))
    angle = math.radians(source.uniform(-TILT, TILT))
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    half = np.divide(FRAME, 2)
    reach = np.abs(turn) @ half
    centre = source.uniform(reach, np.array([width, height]) - reach)
    matrix = np.column_stack([turn, centre - turn @ half])
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    to_file = tuple((back * np.divide(face.size, FRAME)[:, None]).ravel())
    colours = source.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    canvas = Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)
    affine, size = Image.Transform.AFFINE, (width, height)
    mask = Image.new("L", face.size, 255).transform(size, affine, to_file)
    canvas.paste(face.transform(size, affine, to_file, Image.Resampling.BICUBIC), mask=mask)
    return canvas, matrix


def turned(canvas: Image.Image, matrix: Matrix, degrees: int) -> tuple[Image.Image, Matrix]:
    """A canvas turned to the left, and the map from the frame's pixels to it."""
    for _ in range(degrees // 90):
        quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
        matrix = np.column_stack([quarter @ matrix[:, :2], quarter @ matrix[:, 2]])
        matrix[1, 2] += canvas.width
        canvas = canvas.transpose(Image.Transpose.ROTATE_90)
    return canvas, matrix


def cover(face: Image.Image) -> Image.Image:
    """A face with its features blurred away; hair, clothes and background stay."""
    width, height = face.size
    box = (round(0.2 * width), round(0.35 * height), round(0.8 * width), round(0.85 * height))
    small = face.crop(box).resize((2, 2), Image.Resampling.BOX)
    covered = face.copy()
    covered.paste(small.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BICUBIC), box)
    return covered


def eye_error(points: Matrix, matrix: Matrix) -> float:
    """Mean distance of both eyes from where they belong, in pixels of the frame."""
    landmarks = np.array(CELEBA.landmarks)
    back = similarity(points, landmarks)
    if back is None:
        return math.inf
    eyes = landmarks[:2]
    seen = eyes @ matrix[:, :2].T + matrix[:, 2]
    return float(np.linalg.norm(seen @ back[:, :2].T + back[:, 2] - eyes, axis=1).mean())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of CelebA's files")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    parser.add_argument("-n", type=int, default=500, help="faces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--turn", type=int, choices=(0, 90, 180, 270), default=0)
    parser.add_argument("--covered", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.data or arguments.short):
        parser.error("--data is missing")
    arguments.n = 3 if arguments.short else arguments.n
    source = np.random.default_rng(arguments.seed)
    errors, others, seconds = [], 0, 0.0
    faces = (
        [example_face()] * arguments.n
        if arguments.short
        else read_faces(arguments.data, arguments.n, source)
    )
    for face in faces:
        shown = cover(face) if arguments.covered else face
        canvas, matrix = turned(*hide(shown, source), arguments.turn)
        start = time.perf_counter()
        seen = find_faces(canvas)
        seconds += time.perf_counter() - start
        if seen:
            largest = max(seen, key=lambda found: found.width)
            errors.append(eye_error(largest.points, matrix))
            others += len(seen) - 1
    print(f"faces           {arguments.n}")
    print(f"found           {len(errors) / arguments.n:.1%}")
    print(f"found besides   {others}")
    for name, share in (
        () if arguments.covered else (("median", 0.5), ("90 %", 0.9), ("97 %", 0.97))
    ):
        print(f"eye error {name:<6}{np.quantile(errors, share):.2f} px of the 178×218 frame")
    print(f"time            {1000 * seconds / arguments.n:.0f} ms a picture")


if __name__ == "__main__":
    main()

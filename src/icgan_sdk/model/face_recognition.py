"""dlib's face-recognition network: the vectors by which it tells people apart.

King 2017, "High Quality Face Recognition with Deep Metric Learning": a residual network of 29
convolutions. As a network of torch it is some ten times as fast on CPUs as dlib's own, and
gradients pass through it.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAME_PERSON = 0.6
"""Distance of two vectors below which the network takes two faces for one person's, as its author
publishes it."""

CHIP = 150
"""Side of the network's input."""

MEAN, SPREAD = (122.782, 117.001, 104.298), 256.0
"""Of its input's levels."""

WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
STRIDES = (1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 2)
"""Of the residual blocks."""

VECTOR = 128


class FaceRecognition(nn.Module):
    """The network with fresh weights; `load_face_recognition` gives those of dlib's author."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.stem = nn.Conv2d(3, WIDTHS[0], 7, stride=2)
        before = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.ModuleList(map(_Block, before[:-1], WIDTHS, STRIDES))
        self.projection = nn.Linear(WIDTHS[-1], VECTOR, bias=False)

    def forward(self, chips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Look at faces.

        Args:
            chips: Faces, turned and cut as dlib's `get_face_chip` does, [B, 3, 150, 150] in
                [-1, 1].

        Returns:
            Their vectors [B, 128], and the feature maps after each block.
        """
        h = ((chips + 1) * 127.5 - self.mean) / SPREAD
        h = F.max_pool2d(F.relu(self.stem(h)), 3, stride=2)
        maps = []
        for block in self.blocks:
            h = block(h)
            maps.append(h)
        return self.projection(h.mean((2, 3))), maps


class _Block(nn.Module):
    """Two convolutions beside a way past them; halving blocks pad what is smaller with zeros."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        # dlib pads no convolution with a stride.
        self.first = nn.Conv2d(before, width, 3, stride=stride, padding=0 if stride > 1 else 1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(F.relu(self.first(x)))
        past = F.avg_pool2d(x, 2, stride=2) if self.stride > 1 else x
        size = [max(sizes) for sizes in zip(h.shape[1:], past.shape[1:], strict=True)]
        return F.relu(_padded(h, size) + _padded(past, size))


def _padded(x: Tensor, size: Sequence[int]) -> Tensor:
    channels, rows, columns = (full - has for full, has in zip(size, x.shape[1:], strict=True))
    return F.pad(x, (0, columns, 0, rows, 0, channels))

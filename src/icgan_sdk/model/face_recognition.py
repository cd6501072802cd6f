"""A face-recognition network: the vectors by which it tells people apart.

dlib's (King 2017, "High Quality Face Recognition with Deep Metric Learning"), a residual network
of 29 convolutions.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig

SAME_PERSON = 0.6
"""Distance of two vectors below which the network takes two faces for one person's, as its author
publishes it."""

CHIP = 150
"""Side of the network's input."""

WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
STRIDES = (1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 2)
"""Of the residual blocks."""

VECTOR = 128

OUTSIDE = 0.1
"""How far beyond a picture's border what the network sees may reach, as a share of its side."""


class FaceRecognition(nn.Module):
    """The network with fresh weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTHS[0], 7, stride=2)
        before = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.ModuleList(map(_Block, before[:-1], WIDTHS, STRIDES))
        self.projection = nn.Linear(WIDTHS[-1], VECTOR, bias=False)

    def forward(self, chips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Look at faces.

        Args:
            chips: [B, 3, 150, 150] in [-1, 1], each of a face that is turned upright and fills it.

        Returns:
            Their vectors [B, 128], and the feature maps after each block.
        """
        h = F.max_pool2d(F.relu(self.stem(chips)), 3, stride=2)
        maps: list[Tensor] = []
        for block in self.blocks:
            h = block(h)
            maps.append(h)
        return self.projection(h.mean((2, 3))), maps


class FaceVectors(nn.Module):
    """The network, for pictures in which faces lie where a model's alignment has them.

    Args:
        network: The network.
        config: Of the model; `shows_faces` must say so.

    Attributes:
        box: What of a picture it sees: left, top, right, bottom as shares of the picture's side.
    """

    def __init__(self, network: FaceRecognition, config: ModelConfig) -> None:
        super().__init__()
        self.network, self.box = network, _chip(config)

    def forward(self, images: Tensor) -> Tensor:
        """Look at pictures [B, 3, S, S] in [-1, 1], of any side: vectors [B, 128]."""
        box = torch.tensor([self.box], dtype=torch.float32, device=images.device)
        vectors, _ = self.look(images, box)
        return vectors

    def look(self, images: Tensor, boxes: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Vectors and feature maps of pictures, by boxes [B, 4] or one for all, [1, 4]."""
        left, top, right, bottom = boxes.unbind(1)
        rows = _weights(top, bottom, images.shape[2])
        columns = _weights(left, right, images.shape[3])
        with torch.autocast(images.device.type, enabled=False):  # half precision would blur it
            chips = rows[:, None] @ images.float() @ columns[:, None].mT
        seen: tuple[Tensor, list[Tensor]] = self.network(chips)
        return seen


def shows_faces(config: ModelConfig) -> bool:
    """Whether a model's pictures are colour faces that lie where the network can see them."""
    if config.faces is None or config.crop is None or config.channels != 3:
        return False
    return min(_chip(config)) > -OUTSIDE and max(_chip(config)) < 1 + OUTSIDE


def _chip(config: ModelConfig) -> tuple[float, ...]:
    """The part of a model's pictures that the network sees, as in `FaceVectors.box`."""
    assert config.faces is not None
    assert config.crop is not None
    left, top, right, bottom = config.crop.box
    x0, y0, x1, y1 = config.faces.chip
    across, down = right - left, bottom - top
    shares = ((x0 - left) / across, (y0 - top) / down, (x1 - left) / across, (y1 - top) / down)
    inner, size = config.picture_size, config.image_size
    return tuple((config.padding + share * inner) / size for share in shares)


def _weights(start: Tensor, end: Tensor, side: int) -> Tensor:
    """Matrices [B, 150, side] that resample what lies between two shares [B] of a side.

    Linear interpolation, over more pixels where it scales down; the border's pixels repeat. Unlike
    `grid_sample` it has a deterministic gradient on every device.
    """
    pixels = torch.arange(side, device=start.device, dtype=torch.float32)
    places = torch.arange(CHIP, device=start.device, dtype=torch.float32) + 0.5
    step = ((end - start) * side / CHIP)[:, None]
    centres = (start[:, None] * side + places * step - 0.5).clamp(0, side - 1)
    distances = (centres[:, :, None] - pixels).abs() / step[:, :, None].clamp_min(1.0)
    weights = F.relu(1.0 - distances)
    return weights / weights.sum(2, keepdim=True)


class _Block(nn.Module):
    """Two convolutions beside a way past them; what is smaller is padded with zeros."""

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

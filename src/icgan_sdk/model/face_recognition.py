"""A face-recognition network: the vectors by which it tells people apart.

dlib's (King 2017, "High Quality Face Recognition with Deep Metric Learning"), a residual network
of 29 convolutions.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icgan_sdk.config import Alignment, ModelConfig

SAME_PERSON = 0.6
"""Distance of two vectors below which the network takes two faces for one person's, as its author
publishes it."""

CHIP = 150
"""Side of the network's input."""

CHIPS: Mapping[Alignment, tuple[float, float, float, float]] = {
    "celeba": (35.5, 79.2, 142.5, 186.2)
}
"""What the network sees of an alignment's frame: left, top, right, bottom in pixels.

CelebA: what dlib cuts by the landmarks it finds, on average over pictures of the validation
partition. Cut so, the network knows people again as well as by each picture's own landmarks: of
1,001 pairs of pictures of one person it takes 87.1 % for such (87.0 %), of pairs of two persons
0.33 % (0.31 %).
"""

MEAN, SPREAD = (122.782, 117.001, 104.298), 256.0
"""Of its input's levels."""

WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
STRIDES = (1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1, 2)
"""Of the residual blocks."""

VECTOR = 128


class FaceRecognition(nn.Module):
    """The network with fresh weights."""

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
            chips: [B, 3, 150, 150] in [-1, 1], each of a face that is turned upright and fills it.

        Returns:
            Their vectors [B, 128], and the feature maps after each block.
        """
        h = ((chips + 1) * 127.5 - self.mean) / SPREAD
        h = F.max_pool2d(F.relu(self.stem(h)), 3, stride=2)
        maps: list[Tensor] = []
        for block in self.blocks:
            h = block(h)
            maps.append(h)
        return self.projection(h.mean((2, 3))), maps


class FaceVectors(nn.Module):
    """The network, for pictures in which faces lie where a model's alignment has them.

    Args:
        network: The network.
        config: Of the model: `alignment` and `crop` say where faces lie.

    Attributes:
        cut: Where, as `affine_grid` takes it, [2, 3].
    """

    cut: Tensor

    def __init__(self, network: FaceRecognition, config: ModelConfig) -> None:
        super().__init__()
        assert config.alignment is not None
        assert config.crop is not None
        self.network = network
        left, top, right, bottom = config.crop.box
        # Where the chip begins and ends, from -1 to 1 across the picture and across its padding.
        box = torch.tensor(CHIPS[config.alignment]).view(2, 2)
        corners = (box - torch.tensor([left, top])) / torch.tensor([right - left, bottom - top])
        corners = (2 * corners - 1) * config.picture_size / config.image_size
        (x0, y0), (x1, y1) = corners.tolist()
        cut = torch.tensor([[(x1 - x0) / 2, 0, (x0 + x1) / 2], [0, (y1 - y0) / 2, (y0 + y1) / 2]])
        self.register_buffer("cut", cut, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Look at pictures [B, 3, S, S] in [-1, 1], of any side: vectors [B, 128]."""
        vectors, _ = self.look(images, self.cut.expand(len(images), -1, -1))
        return vectors

    def look(self, images: Tensor, cut: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Vectors and feature maps of pictures, each with a cut of its own [B, 2, 3]."""
        grid = F.affine_grid(cut, [len(images), 3, CHIP, CHIP], align_corners=False)
        chips = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        seen: tuple[Tensor, list[Tensor]] = self.network(chips)
        return seen


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

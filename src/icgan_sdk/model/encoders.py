"""The encoders that invert the generator (paper, Table 2 and §3.2)."""

from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ShapeError
from icgan_sdk.model.convolutions import HalvingConv
from icgan_sdk.model.layers import join_maps


def _convolutions(channels: int, widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [
            HalvingConv(channels, width, kernel=5),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        channels = width
    return nn.Sequential(*layers)


def _head(features: int, hidden: int, out: int) -> nn.Sequential:
    hidden = hidden or features
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(features, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, out),
    )


def _widths(config: ModelConfig) -> list[int]:
    return [config.encoder_width * 2**layer for layer in range(config.encoder_layers)]


def _features(config: ModelConfig) -> int:
    widths = _widths(config)
    side = max(1, config.image_size >> len(widths))
    return side * side * widths[-1]


class Encoder(nn.Module):
    """One encoder network: 5×5 stride-2 convolutions and two fully connected layers.

    Batch norm and ReLU follow each layer but the last. At 64×64 the widths are 32, 64, 128, 256,
    then 4096 and z_dim for E_z, 512 and n_attributes for E_y (Table 2).

    Args:
        config: Sizes.
        out: Size of the output vector.
        hidden: Units of the hidden fully connected layer; 0: as many as features flow in.
        sees_y: Whether y joins the image at the input (E_z of the IND-COND design).
    """

    def __init__(self, config: ModelConfig, out: int, hidden: int, sees_y: bool = False) -> None:
        super().__init__()
        channels = config.channels + (config.n_attributes if sees_y else 0)
        self.sees_y = sees_y
        self.convolutions = _convolutions(channels, _widths(config))
        self.head = _head(_features(config), hidden, out)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Encode images.

        Args:
            x: Images [B, C, S, S] in [-1, 1].
            y: [B, n_attributes] if the network sees y; otherwise ignored.

        Returns:
            [B, out].
        """
        if self.sees_y:
            if y is None:
                raise ShapeError("this encoder sees y (IND-COND): give it [B, n_attributes]")
            x = join_maps(x, y)
        out: Tensor = self.head(self.convolutions(x))
        return out


class SharedEncoder(nn.Module):
    """The SNG design: two branches, for z and for y, after a shared first convolution."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        first, *rest = _widths(config)
        features = _features(config)
        self.shared = _convolutions(config.channels, [first])
        self.branch_z = nn.Sequential(
            _convolutions(first, rest), _head(features, config.encoder_z_fc, config.z_dim)
        )
        self.branch_y = nn.Sequential(
            _convolutions(first, rest), _head(features, config.encoder_y_fc, config.n_attributes)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images [B, C, S, S] in [-1, 1] to z [B, z_dim] and y [B, n_attributes]."""
        h = self.shared(x)
        return self.branch_z(h), self.branch_y(h)

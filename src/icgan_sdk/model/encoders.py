"""The encoders that invert the generator (paper, Table 2 and §3.2)."""

import torch
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, ShapeError
from icgan_sdk.model.convolutions import HalvingConv
from icgan_sdk.model.face_recognition import VECTOR
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.model.layers import join_maps, mix_inputs, mix_outputs

CORRECTION = 512
"""Hidden units of what corrects z by the face."""

SPREAD = 0.1
"""About the standard deviation of a face vector's numbers."""


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

    def change_z(self, root: Tensor) -> None:
        """See `icgan_sdk.model.protocols.ChangesZ`."""
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        mix_outputs(last, root.inverse())

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


class FaceEncoder(nn.Module):
    """An E_z that is told who the picture shows.

    What tells people apart is small beside what makes up a picture, and some ten thousand pictures
    don't teach it. So a face-recognition network looks at the picture too, which has seen three
    million faces, and two fully connected layers C correct what E_z finds by the vector v that it
    gives: z = E(x, y) + C(E(x, y), v). Networks that put one face into another picture are told
    whose in this way (FaceShifter, Li et al. 2019). C begins with zeros, that is with E_z alone.

    Args:
        encoder: E_z without it.
        config: Of the model.

    Raises:
        ConfigError: If the model's pictures don't show faces where that network can see them.
    """

    def __init__(self, encoder: nn.Module, config: ModelConfig) -> None:
        super().__init__()
        faces = face_vectors(config)
        if faces is None:
            raise ConfigError(
                "encoder_z_faces needs colour pictures that show whole faces: widen the crop"
            )
        self.encoder, self.faces = encoder, faces
        self.correction = nn.Sequential(
            nn.Linear(config.z_dim + VECTOR, CORRECTION),
            nn.ReLU(inplace=True),
            nn.Linear(CORRECTION, config.z_dim),
        )
        for weights in self.correction[-1].parameters():
            nn.init.zeros_(weights)

    def change_z(self, root: Tensor) -> None:
        """See `icgan_sdk.model.protocols.ChangesZ`."""
        assert isinstance(self.encoder, Encoder)  # of others this is not asked
        self.encoder.change_z(root)
        first, _, last = self.correction
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        mix_inputs(first, root)
        mix_outputs(last, root.inverse())

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Encode images [B, 3, S, S] in [-1, 1] to z [B, z_dim]; y as the encoder takes it."""
        z: Tensor = self.encoder(x, y)
        vectors = self.faces(x.detach())
        corrected: Tensor = z + self.correction(torch.cat([z, vectors / SPREAD], 1))
        return corrected

"""The training steps written straightforwardly: float32, the library's layers, one pass at a time.

What a reader of the paper would write in an afternoon, and what `benchmarks/run.py train` compares
the package with. Sizes are the paper's (Tables 1 and 2: 64×64, 18 attributes, 100-dimensional z).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def generator() -> nn.Sequential:
    """Table 1's G; takes z and y joined, [B, 118, 1, 1]."""
    layers: list[nn.Module] = [nn.ConvTranspose2d(118, 512, 4), nn.BatchNorm2d(512), nn.ReLU()]
    for width in (512, 256, 128):
        layers += [
            nn.ConvTranspose2d(width, width // 2, 4, 2, 1),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh())


class Discriminator(nn.Module):
    """Table 1's D: y joins as constant maps after the first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2))
        layers: list[nn.Module] = []
        for before, after in ((64 + 18, 128), (128, 256), (256, 512)):
            layers += [
                nn.Conv2d(before, after, 4, 2, 1),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
        self.rest = nn.Sequential(*layers, nn.Conv2d(512, 1, 4), nn.Sigmoid(), nn.Flatten(0))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Probability [B] that images x [B, 3, 64, 64] are real and have attributes y [B, 18]."""
        h = self.first(x)
        maps = y[:, :, None, None].expand(-1, -1, h.shape[2], h.shape[3])
        score: Tensor = self.rest(torch.cat([h, maps], 1))
        return score


def encoder(hidden: int, out: int) -> nn.Sequential:
    """Table 2's encoder of images [B, 3, 64, 64]."""
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128), (128, 256)):
        layers += [nn.Conv2d(before, after, 5, 2, 2), nn.BatchNorm2d(after), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(4096, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, out))


class PlainSteps:
    """One step each of the GAN, E_z and E_y, on a fixed batch.

    Args:
        x: Images [B, 3, 64, 64].
        y: Their attributes [B, 18].
        z: Noise [B, 100].
    """

    def __init__(self, x: Tensor, y: Tensor, z: Tensor) -> None:
        self.x, self.y, self.z = x, y, z
        self.G, self.D = generator(), Discriminator()
        self.E_z, self.E_y = encoder(4096, 100), encoder(512, 18)
        self.adam_g, self.adam_d = (
            torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (self.G, self.D)
        )
        self.adam_z, self.adam_y = (
            torch.optim.Adam(n.parameters(), 1e-4, (0.1, 0.999)) for n in (self.E_z, self.E_y)
        )

    def _generate(self) -> Tensor:
        images: Tensor = self.G(torch.cat([self.z, self.y], 1)[:, :, None, None])
        return images

    def gan(self) -> None:
        """D on real, mismatched and generated pairs, then G."""
        ones, zeros = torch.ones(len(self.x)), torch.zeros(len(self.x))
        fake = self._generate()
        self.adam_d.zero_grad()
        real = F.binary_cross_entropy(self.D(self.x, self.y), ones)
        wrong = F.binary_cross_entropy(self.D(self.x, -self.y), zeros)
        false = F.binary_cross_entropy(self.D(fake.detach(), self.y), zeros)
        (real + 0.5 * wrong + 0.5 * false).backward()  # type: ignore[no-untyped-call]
        self.adam_d.step()
        self.adam_g.zero_grad()
        F.binary_cross_entropy(self.D(fake, self.y), ones).backward()  # type: ignore[no-untyped-call]
        self.adam_g.step()

    def encoder_z(self) -> None:
        """E_z on a batch generated for it."""
        with torch.no_grad():
            x = self._generate()
        self.adam_z.zero_grad()
        F.mse_loss(self.E_z(x), self.z).backward()  # type: ignore[no-untyped-call]
        self.adam_z.step()

    def encoder_y(self) -> None:
        """E_y on the real images."""
        self.adam_y.zero_grad()
        F.mse_loss(self.E_y(self.x), self.y).backward()  # type: ignore[no-untyped-call]
        self.adam_y.step()

"""An edit of a face at 128×128 beside the peers' generators, by turns on one machine.

    python benchmarks/peers.py [--rounds 7] [--batches 1 16] [--short]

The peers' code is not in the project. Their networks are built from the layer lists of their papers
(LAYERS below), with random weights, which take as long as trained ones. All run in float32 by
torch in eval mode, with the same threads; ours by onnxruntime too. What is timed is an edit of
normalised pictures: a peer's generator with a change of attributes; E_y and the painter of the
bundled model; and for the paper's way of editing E_z, E_y and G.

StarGAN: Choi et al. 2018, Table 4. AttGAN: He et al. 2019, Table I. STGAN: Liu et al. 2019, with
its selective transfer units. Counts of parameters are printed, so that they can be compared with
those that are published: StarGAN 8.43 M, AttGAN 43 M.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from icgan_sdk import IcGAN
from icgan_sdk.editing.latents import Batch, Detail

SIDE, ATTRIBUTES = 128, 13
"""Of the pictures; and the attributes that AttGAN and STGAN change. StarGAN's paper has 5."""

STARGAN_ATTRIBUTES, STARGAN_BLOCKS = 5, 6
WIDTHS = (64, 128, 256, 512, 1024)
"""Channels of AttGAN's and STGAN's encoder, each layer halving the side."""


def convolution(entering: int, leaving: int, kernel: int, stride: int = 1) -> nn.Module:
    """A convolution that keeps the side, or halves it."""
    return nn.Conv2d(entering, leaving, kernel, stride, (kernel - 1) // 2, bias=False)


def doubling(entering: int, leaving: int) -> nn.Module:
    """A 4×4 full convolution that doubles the side."""
    return nn.ConvTranspose2d(entering, leaving, 4, 2, 1, bias=False)


class Residual(nn.Module):
    """StarGAN's block: two 3×3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(convolution(width, width, 3), nn.InstanceNorm2d(width, affine=True), nn.ReLU()),
            *(convolution(width, width, 3), nn.InstanceNorm2d(width, affine=True)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, S, S] to the same."""
        changed: Tensor = x + self.layers(x)
        return changed


class StarGAN(nn.Module):
    """Its generator: two halvings, six residual blocks, two doublings; 7×7 at both ends."""

    def __init__(self) -> None:
        super().__init__()

        def block(layer: nn.Module, width: int) -> list[nn.Module]:
            return [layer, nn.InstanceNorm2d(width, affine=True), nn.ReLU()]

        self.layers = nn.Sequential(
            *block(convolution(3 + STARGAN_ATTRIBUTES, 64, 7), 64),
            *block(convolution(64, 128, 4, 2), 128),
            *block(convolution(128, 256, 4, 2), 256),
            *(Residual(256) for _ in range(STARGAN_BLOCKS)),
            *block(doubling(256, 128), 128),
            *block(doubling(128, 64), 64),
            *(convolution(64, 3, 7), nn.Tanh()),
        )

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] and attributes [B, n] to pictures."""
        maps = change[:, :STARGAN_ATTRIBUTES, None, None].expand(-1, -1, *x.shape[2:])
        edited: Tensor = self.layers(torch.cat([x, maps], 1))
        return edited


class Encoder(nn.Module):
    """AttGAN's and STGAN's: five halvings."""

    def __init__(self) -> None:
        super().__init__()
        sizes = zip((3, *WIDTHS), WIDTHS, strict=False)
        self.layers = nn.ModuleList(
            nn.Sequential(convolution(a, b, 4, 2), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
            for a, b in sizes
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """The maps of each layer."""
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps


def decoder(entering: tuple[int, ...]) -> nn.ModuleList:
    """AttGAN's and STGAN's: five doublings, each of which takes so many channels."""
    leaving = (1024, 512, 256, 128)
    hidden = (
        nn.Sequential(doubling(a, b), nn.BatchNorm2d(b), nn.ReLU())
        for a, b in zip(entering, leaving, strict=False)
    )
    return nn.ModuleList([*hidden, nn.Sequential(doubling(entering[-1], 3), nn.Tanh())])


def append(x: Tensor, change: Tensor) -> Tensor:
    """Maps with the change of attributes as more maps."""
    return torch.cat([x, change[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)


class AttGAN(nn.Module):
    """Encoder and decoder with one skip, attributes joining at the first two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        entering = (1024 + ATTRIBUTES, 1024 + 512 + ATTRIBUTES, 512, 256, 128)
        self.decoder = decoder(entering)

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] and attributes [B, n] to pictures."""
        maps = self.encoder(x)
        h = append(maps[-1], change)
        for number, layer in enumerate(self.decoder):
            h = layer(h)
            if number == 0:
                h = append(torch.cat([h, maps[-2]], 1), change)
        return h


class Transfer(nn.Module):
    """STGAN's selective transfer unit: a gated cell that carries the encoder's maps over."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.grow = doubling(2 * width + ATTRIBUTES, width)

        def gate(activation: nn.Module) -> nn.Module:
            return nn.Sequential(
                convolution(2 * width, width, 3), nn.BatchNorm2d(width), activation
            )

        self.reset, self.update = gate(nn.Sigmoid()), gate(nn.Sigmoid())
        self.hidden = gate(nn.Tanh())

    def forward(self, maps: Tensor, state: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """The maps to hand over, and the state for the next unit."""
        grown = self.grow(append(state, change))
        both = torch.cat([maps, grown], 1)
        state = self.reset(both) * grown
        update = self.update(both)
        new = self.hidden(torch.cat([maps, state], 1))
        return (1 - update) * grown + update * new, state


class STGAN(nn.Module):
    """AttGAN's encoder; a decoder whose four skips go through transfer units."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.units = nn.ModuleList(Transfer(width) for width in reversed(WIDTHS[:-1]))
        entering = (1024 + ATTRIBUTES, 1024 + 512, 512 + 256, 256 + 128, 128 + 64)
        self.decoder = decoder(entering)

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] and differences of attributes [B, n] to pictures."""
        maps = self.encoder(x)
        state, h = maps[-1], append(maps[-1], change)
        for number, layer in enumerate(self.decoder):
            h = layer(h)
            if number < len(self.units):
                carried, state = self.units[number](maps[-2 - number], state, change)
                h = torch.cat([h, carried], 1)
        return h


Edit = Callable[[int], Callable[[], object]]
"""Makes an edit of a batch of so many pictures."""


def of_peer(network: nn.Module) -> Edit:
    """Edits by a peer's generator."""
    network.eval()

    def make(batch: int) -> Callable[[], object]:
        x, change = torch.rand(batch, 3, SIDE, SIDE) * 2 - 1, torch.ones(batch, ATTRIBUTES)

        def edit() -> object:
            with torch.inference_mode():
                return network(x, change)

        return edit

    return make


def of_ours(model: IcGAN, *, generated: bool = False) -> Edit:
    """Edits by the bundled model: onto the photo, or the paper's way."""

    def make(batch: int) -> Callable[[], object]:
        images = np.random.default_rng(0).uniform(-1, 1, (batch, 3, SIDE, SIDE)).astype(np.float32)
        detail: Detail = "generated" if generated else "photo"
        return lambda: Batch(model._engine, images).edited({"Smiling": 1.0}, detail, 1.0)

    return make


def work(network: nn.Module) -> tuple[float, float]:
    """Millions of parameters, and GFLOP of one edit."""
    with FlopCounterMode(display=False) as counter:
        of_peer(network)(1)()
    parameters = sum(p.numel() for p in network.parameters())
    return parameters / 1e6, counter.get_total_flops() / 1e9


def our_work(model: IcGAN, *, generated: bool) -> tuple[float, float]:
    """The same of the networks of ours that an edit runs."""
    networks = model._engine.networks
    used = [networks.encoder_y, *([networks.encoder_z, networks.generator] if generated else [])]
    parts = [p for p in (*used, None if generated else networks.painter) if p is not None]
    with FlopCounterMode(display=False) as counter:
        of_ours(model, generated=generated)(1)()
    parameters = sum(p.numel() for part in parts for p in part.parameters())
    return parameters / 1e6, counter.get_total_flops() / 1e9


def main() -> None:
    """Time all of them by turns and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--short", action="store_true", help="Only see that everything runs.")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.rounds, arguments.batches = 1, [1]
    torch.manual_seed(0)
    peers = {"StarGAN": StarGAN(), "AttGAN": AttGAN(), "STGAN": STGAN()}
    by_torch, by_onnx = (IcGAN.from_pretrained("celeba", runtime=r) for r in ("torch", "onnx"))
    edits: dict[str, Edit] = {name: of_peer(network) for name, network in peers.items()}
    works = {name: work(network) for name, network in peers.items()}
    for kind, generated in (("onto the photo", False), ("G(z, y)", True)):
        for name, model in (("torch", by_torch), ("onnxruntime", by_onnx)):
            edits[f"ours, {kind}, {name}"] = of_ours(model, generated=generated)
            works[f"ours, {kind}, {name}"] = our_work(by_torch, generated=generated)
    ready = {(name, b): edit(b) for name, edit in edits.items() for b in arguments.batches}
    found: dict[tuple[str, int], list[float]] = {key: [] for key in ready}
    for number in range(arguments.rounds + 1):
        for key, edit in ready.items():
            start = time.perf_counter()
            edit()
            if number:  # the first warms up
                found[key].append(time.perf_counter() - start)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")  # fmt: skip
    heads = " | ".join(f"ms, batch {b} | pictures/s" for b in arguments.batches)
    print(
        f"| | parameters, M | GFLOP | {heads} |\n|---|" + "---:|" * (2 + 2 * len(arguments.batches))
    )
    for name in edits:
        cells = []
        for b in arguments.batches:
            seconds = statistics.median(found[name, b])
            cells += [f"{seconds * 1e3:.1f}", f"{b / seconds:.0f}"]
        print(f"| {name} | {works[name][0]:.2f} | {works[name][1]:.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

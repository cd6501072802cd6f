"""Pictures that show how a run gets on."""

import torch
from PIL import Image
from torch import Tensor, nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.model import draw_noise
from icgan_sdk.pictures.arrays import to_pictures
from icgan_sdk.pictures.grids import grid, titled

PAIRS_PER_ROW = 8


@torch.inference_mode()
def attribute_grid(
    network: nn.Module,
    model: ModelConfig,
    draws: torch.Generator,
    device: torch.device,
    rows: int = 8,
) -> Image.Image:
    """A grid of generated images: each row has one z, a column its title's attribute only.

    Args:
        network: The generator, in any mode.
        model: Its config.
        draws: Draws z; on the CPU.
        device: The network's device.
        rows: Number of z.
    """
    columns = max(model.n_attributes, 1)
    z = draw_noise(rows, model, draws).repeat_interleave(columns, 0)
    y = 2 * torch.eye(columns)[:, : model.n_attributes] - 1
    images = in_eval_mode(network, z.to(device), y.repeat(rows, 1).to(device))
    pictures = to_pictures(images, model)
    sheet = grid([pictures[i : i + columns] for i in range(0, len(pictures), columns)])
    return titled(sheet, model.attributes.names) if model.n_attributes else sheet


def pairs_grid(images: Tensor, reconstructions: Tensor, model: ModelConfig) -> Image.Image:
    """Real images above their reconstructions, [B, C, S, S] each, 8 pairs to a double row.

    From 8 pairs on, those that don't fill a row are left out.
    """
    above, below = to_pictures(images, model), to_pictures(reconstructions, model)
    columns = min(PAIRS_PER_ROW, len(above))
    pairs = []
    for start in range(0, len(above) - len(above) % columns, columns):
        pairs += [above[start : start + columns], below[start : start + columns]]
    return grid(pairs)


def in_eval_mode(network: nn.Module, *inputs: Tensor) -> Tensor:
    """A network's output in evaluation mode; afterwards its own mode is restored."""
    training = network.training
    network.eval()
    output: Tensor = network(*inputs)
    network.train(training)
    return output

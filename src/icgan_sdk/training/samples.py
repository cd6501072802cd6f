"""Pictures a run leaves to look at."""

import torch
from PIL import Image
from torch import Tensor, nn

from icgan_sdk.images import grid, to_pictures
from icgan_sdk.model import draw_noise
from icgan_sdk.training.context import Context

ROWS = 8


@torch.inference_mode()
def attribute_grid(generator: nn.Module, context: Context) -> Image.Image:
    """Generated images: a row shares z, column i has attribute i only. The same z at each call."""
    model, runtime = context.model, context.runtime
    columns = max(model.n_attributes, 1)
    draws = runtime.generator("gan", 0, rank=0)
    z = draw_noise(ROWS, model, draws)
    y = 2 * torch.eye(columns)[:, : model.n_attributes] - 1
    images = in_eval_mode(
        generator,
        z.repeat_interleave(columns, 0).to(runtime.device),
        y.repeat(ROWS, 1).to(runtime.device),
    )
    pictures = to_pictures(images, model)
    return grid([pictures[i : i + columns] for i in range(0, len(pictures), columns)])


def pairs_grid(images: Tensor, reconstructions: Tensor, context: Context) -> Image.Image:
    """Real images above their reconstructions, [B, C, S, S] each, 8 pairs a double row."""
    above, below = to_pictures(images, context.model), to_pictures(reconstructions, context.model)
    rows = []
    for start in range(0, len(above) - len(above) % 8, 8):
        rows += [above[start : start + 8], below[start : start + 8]]
    return grid(rows)


def in_eval_mode(network: nn.Module, *inputs: Tensor) -> Tensor:
    """A network's output in evaluation mode; its mode is restored."""
    training = network.training
    network.eval()
    output: Tensor = network(*inputs)
    network.train(training)
    return output

"""How well the encoders invert the generator: figures that a run records."""

from collections.abc import Callable

import torch
from torch import Tensor

from icgan_sdk.data import PreparedDataset
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.pictures.arrays import strip_padding
from icgan_sdk.training.context import Context
from icgan_sdk.training.generated import open_generated
from icgan_sdk.training.rows import chunks
from icgan_sdk.training.runtime import Runtime


@torch.inference_mode()
def judge_z(
    networks: IcGANNetworks, context: Context, *, drawn_anew: bool = False
) -> dict[str, float]:
    """Errors of E_z, in evaluation mode.

    Args:
        networks: Its G and encoders.
        context: The run.
        drawn_anew: Whether the generated set is of other coordinates of z, so that G draws it anew
            from the same numbers.

    Returns:
        ``generated_z``: mean square error per dimension on the run's generated set, if there is
        one (the paper's L_ez). ``validation_pixel`` or ``test_pixel``: mean square error of
        G(E_z(x), y) with true y, pixels in [0, 1], on the real images of `watched`.
    """
    runtime = context.runtime
    partition, real = watched(context)

    def error_of_pixels(x: Tensor, y: Tensor, _: slice) -> Tensor:
        x = networks.shrink(x)
        rebuilt = networks.decode(networks.encode_z(x, y), y)
        return (strip_padding(rebuilt - x, context.model) / 2).square().mean((1, 2, 3))

    figures = {}
    if context.ran("generated"):
        generated, z, y_fake = open_generated(context.folder)

        def error_of_z(x: Tensor, _: Tensor, at: slice) -> Tensor:
            z_drawn, y = z[at].to(runtime.device), y_fake[at].to(runtime.device)
            x = networks.decode(z_drawn, y) if drawn_anew else x
            return (networks.encode_z(x, y) - z_drawn).square().mean(1)

        figures["generated_z"] = _mean_over(generated, error_of_z, runtime)
    figures[f"{partition}_pixel"] = _mean_over(real, error_of_pixels, runtime)
    return figures


@torch.inference_mode()
def judge_y(read_y: Callable[[Tensor], Tensor], context: Context) -> dict[str, float]:
    """Errors of E_y on the real images of `watched`, in evaluation mode.

    Returns:
        Two figures, named by the partition. ``test_y``: mean square error per attribute (the
        paper's L_ey). ``test_accuracy``: the share of attributes that are right when thresholded
        at 0; for class labels, the share of images whose class is right.
    """
    (partition, data), runtime = watched(context), context.runtime
    one_hot = context.model.attributes.one_hot

    def right(x: Tensor, y: Tensor, _: slice) -> Tensor:
        read = read_y(x)
        if one_hot:
            return (read.argmax(1) == y.argmax(1)).float()
        return ((read > 0) == (y > 0)).float().mean(1)

    return {
        f"{partition}_y": _mean_over(
            data, lambda x, y, _: (read_y(x) - y).square().mean(1), runtime
        ),
        f"{partition}_accuracy": _mean_over(data, right, runtime),
    }


def watched(context: Context) -> tuple[str, PreparedDataset]:
    """The partition that a run is judged on, and its name: validation, else test, else train."""
    names = context.dataset.partitions
    name = next(n for n in ("validation", "test", "train") if n in names)
    return name, context.dataset.part(name)


def _mean_over(
    data: PreparedDataset,
    measure: Callable[[Tensor, Tensor, slice], Tensor],
    runtime: Runtime,
) -> float:
    """Mean over a data set of a measure, which maps images, labels and their rows to [B]."""
    total = 0.0
    for at in chunks(len(data), data.image_size):
        x, y = runtime.images(data.images(at)), data.labels(at).to(runtime.device)
        total += float(measure(x, y, at).double().sum())
    return total / len(data)

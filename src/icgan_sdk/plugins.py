"""Doors for other packages: networks, stages, metrics and readers of data sets of one's own.

A package that brings some names one function in its ``pyproject.toml``:

```toml
[project.entry-points."icgan_sdk.plugins"]
mine = "my_package:register"
```

The function takes no arguments and calls those of this module. It is called once in each process
that needs it: in Python, in ``icgan`` and under ``torchrun``. A script may also call them itself.
Names that are taken are refused.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from icgan_sdk.config import ModelConfig
from icgan_sdk.data.readers import READERS, Reader
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.metrics.metric import Metric
from icgan_sdk.evaluation.metrics.metric_table import METRICS
from icgan_sdk.extensions import GROUP, load_plugins, note_source
from icgan_sdk.model.build import (
    CRITICS,
    ENCODERS,
    GENERATORS,
    PAINTERS,
    CriticArchitecture,
    EncoderArchitecture,
    GeneratorArchitecture,
    PainterArchitecture,
)
from icgan_sdk.model.layers import init_dcgan
from icgan_sdk.model.protocols import ChangesZ, EntersFirst
from icgan_sdk.training.context import Context, Stage, register_stage

_Thing = TypeVar("_Thing")

__all__ = [
    "GROUP",
    "ChangesZ",
    "Context",
    "CriticArchitecture",
    "EntersFirst",
    "Metric",
    "PainterArchitecture",
    "Reader",
    "Stage",
    "load_plugins",
    "register_critic",
    "register_encoder",
    "register_generator",
    "register_metric",
    "register_painter",
    "register_reader",
    "register_stage",
]


def register_generator(
    name: str,
    make: Callable[[ModelConfig], nn.Module],
    init: Callable[[nn.Module], None] = init_dcgan,
) -> None:
    """Add an architecture of generators, which `model.generator` then names.

    Args:
        name: Its name in configs.
        make: Makes G(z, y): [B, z_dim] and [B, n_attributes] to images [B, C, S, S] in (-1, 1). If
            it is `ChangesZ`, z can be whitened; if it is `EntersFirst`, `refine` works better.
        init: Gives a new one its initial weights for training, from the global generator.

    Raises:
        ConfigError: If the name is taken.
    """
    _add(GENERATORS, "generator", name, GeneratorArchitecture(make, init), make)


def register_encoder(
    name: str,
    make: Callable[[ModelConfig, int, int, bool], nn.Module],
    make_shared: Callable[[ModelConfig], nn.Module] | None = None,
) -> None:
    """Add an architecture of encoders, which `model.encoder` then names.

    Args:
        name: Its name in configs.
        make: As in `EncoderArchitecture`. If what it makes is `ChangesZ`, z can be whitened.
        make_shared: As in `EncoderArchitecture`, for the design "sng".

    Raises:
        ConfigError: If the name is taken.
    """
    _add(ENCODERS, "encoder", name, EncoderArchitecture(make, make_shared), make)


def register_critic(name: str, make: CriticArchitecture) -> None:
    """Add a kind of critic, which `painter.critic` then names.

    Args:
        name: Its name in configs.
        make: Makes a `PhotoCritic`; `ModelConfig.discriminator_width` is `painter.critic_width`.

    Raises:
        ConfigError: If the name is taken.
    """
    _add(CRITICS, "critic", name, make, make)


def register_painter(name: str, make: PainterArchitecture) -> None:
    """Add an architecture of painters, which `model.painter_architecture` then names.

    Args:
        name: Its name in configs.
        make: Makes a `Painter`; a subclass has a `change` of its own.

    Raises:
        ConfigError: If the name is taken.
    """
    _add(PAINTERS, "painter", name, make, make)


def register_metric(metric: type[Metric[Any]]) -> None:
    """Add a metric, which every evaluation then measures unless it names others.

    Args:
        metric: Its class; `Metric.name` is the key of its figures in ``evaluation.json``.

    Raises:
        ConfigError: If the name is taken.
    """
    if metric.name in {other.name for other in METRICS}:
        raise ConfigError(f"a metric {metric.name!r} is registered already")
    METRICS.append(metric)


def register_reader(name: str, reader: Reader) -> None:
    """Add a reader of data sets, for ``icgan data prepare with NAME``.

    Args:
        name: Its name on the command line.
        reader: Prepares a data set; its pictures come in the format that training reads.

    Raises:
        ConfigError: If the name is taken.
    """
    _add(READERS, "reader", name, reader, reader)


def _add(table: dict[str, _Thing], kind: str, name: str, thing: _Thing, made_by: object) -> None:
    if name in table:
        raise ConfigError(f"a {kind} {name!r} is registered already")
    table[name] = thing
    note_source(kind, name, made_by)

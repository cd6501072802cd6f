"""Configuring the variants of a study: their recipes, their settings, their run folders."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError
from icgan_sdk.evaluation.studies.study import ALL, Scale, Study, Variant
from icgan_sdk.training.recipe_files import load_config
from icgan_sdk.training.rows import steps_per_epoch
from icgan_sdk.training.run_folder import kept_stages
from icgan_sdk.training.settings import OptimiserConfig
from icgan_sdk.training.train_config import TrainConfig

SMALL = (
    "model.generator_width=32",
    "model.discriminator_width=32",
    "model.encoder_width=16",
    "model.encoder_z_fc=1024",
    "gan.epochs=3",
    "encoder_z.epochs=6",
    "encoder_y.epochs=6",
    "generated.images=2000",
)
"""What `--scale small` changes in a recipe: half the widths and a few epochs, for two CPU cores."""

PAPER_SIZE = 64
"""Side of the paper's pictures. Some variants have layers that smaller networks lack."""


class Cost(NamedTuple):
    """What studies take.

    Attributes:
        models: Models that are trained; one that several studies or variants share counts once.
        steps: Optimisation steps of them all.
    """

    models: int
    steps: int


class EffectiveSettings(TypedDict):
    """The overrides that hold, as `StudyResult` has them."""

    settings: tuple[str, ...]
    own_settings: dict[str, tuple[str, ...]]


def variant_config(
    variant: Variant,
    dataset: PreparedDataset,
    scale: Scale,
    first: tuple[str, ...],
    settings: tuple[str, ...],
) -> TrainConfig:
    """How a variant is trained.

    Args:
        variant: Of a study.
        dataset: What it is trained on.
        scale: "full" or "small".
        first: Overrides of the recipe that the variant's own may replace.
        settings: The user's overrides. They win over the variant's own.

    Raises:
        ConfigError: If the settings don't fit each other or the data.
    """
    of_scale = (*SMALL, *first, *variant.small) if scale == "small" else first
    overrides = (*of_scale, *variant.settings, *settings)
    config = load_config(variant.recipe, overrides, data=str(dataset.folder))
    try:
        config.model_config(dataset)  # raises before anything is trained
    except ConfigError as error:
        if dataset.image_size >= PAPER_SIZE:
            raise
        raise ConfigError(
            f"{variant.name} needs {PAPER_SIZE}×{PAPER_SIZE}: prepare the data with --size "
            f"{PAPER_SIZE}; theirs is {dataset.image_size} ({error})"
        ) from error
    return config


def cost(
    studies: Sequence[Study], dataset: PreparedDataset, scale: Scale, settings: tuple[str, ...]
) -> Cost:
    """What the training of studies takes, if nothing of them is there yet.

    Args:
        studies: Which.
        dataset: What the models are trained on.
        scale: "full" or "small".
        settings: The user's overrides.

    Raises:
        ConfigError: If the settings don't fit each other or the data.
        DatasetError: If there is no training partition.
    """
    images = len(dataset.part("train"))
    steps = dict[tuple[str, str], int]()
    for study in studies:
        configs = {v.name: variant_config(v, dataset, scale, (), settings) for v in study.variants}
        for variant in study.variants:
            config, kept = configs[variant.name], tuple[str, ...]()
            if variant.shares:
                kept = kept_stages(configs[variant.shares], config, ALL)
            for stage in variant.stages:
                section = getattr(config, stage)
                if isinstance(section, OptimiserConfig) and stage not in kept:
                    per_epoch = steps_per_epoch(images, section, stage)
                    steps[run_name(variant, config), stage] = section.epochs * per_epoch
    return Cost(len({run for run, _ in steps}), sum(steps.values()))


def run_name(variant: Variant, config: TrainConfig) -> str:
    """A folder name that is the same for models of the same settings, in whichever study."""
    run = (config.run.seed, config.run.precision, config.run.channels_last)
    plain = {**config.to_dict(), "data": "", "run": run}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return f"{variant.recipe}-{digest[:10]}"


def effective_settings(study: Study, scale: Scale, settings: tuple[str, ...]) -> EffectiveSettings:
    """The overrides that hold, each once: those of all variants, and those of single ones.

    Args:
        study: Which study.
        scale: "full" or "small".
        settings: The user's. They win over a variant's.
    """
    of_scale = SMALL if scale == "small" else ()
    common = _by_key((*of_scale, *settings))
    own = {
        v.name: _by_key((*(v.small if scale == "small" else ()), *v.settings))
        for v in study.variants
    }
    fixed = _by_key(settings)
    own = {n: {k: s for k, s in of.items() if k not in fixed} for n, of in own.items()}
    varying = {key for of in own.values() for key in of}
    for of in own.values():
        of |= {k: s for k, s in common.items() if k in varying and k not in of}
    return {
        "settings": tuple(s for key, s in common.items() if key not in varying),
        "own_settings": {name: tuple(of.values()) for name, of in own.items() if of},
    }


def _by_key(settings: tuple[str, ...]) -> dict[str, str]:
    return {setting.partition("=")[0]: setting for setting in settings}

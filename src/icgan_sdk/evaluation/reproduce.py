"""Running a study: train its variants, measure them, write what came out."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import torch

from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.evaluation.confusion import (
    Confusion,
    read_by_encoder,
    read_generated,
    read_real,
)
from icgan_sdk.evaluation.edits import measure_edits
from icgan_sdk.evaluation.fidelity import check_torchmetrics, measure_fidelity
from icgan_sdk.evaluation.figures import reconstruction_figure, samples_figure
from icgan_sdk.evaluation.identification import measure_identification
from icgan_sdk.evaluation.inversion import measure_inversion
from icgan_sdk.evaluation.referee import Referee
from icgan_sdk.evaluation.referee_training import ensure_referee
from icgan_sdk.evaluation.studies import SMALL, STUDIES, Scale, Study, StudyName, Variant
from icgan_sdk.evaluation.study_report import study_report
from icgan_sdk.files import write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import find_device
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.checkpoint import load_checkpoint
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.pipeline import train
from icgan_sdk.training.recipe_files import load_config
from icgan_sdk.training.run_folder import fork_run
from icgan_sdk.training.train_config import TrainConfig

Watcher = Callable[[str, Progress | None], None]
"""Told what is being worked on, with the training step where it is training."""

EDITED_IMAGES = 500
"""Real test images that edits are judged on."""


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes:
        name: Which study.
        scale: "full" or "small".
        data: Source of the data set, and images by partition.
        seed: Everything random follows from it.
        settings: What all variants override of their recipe.
        own_settings: What single variants override, by their names.
        real: What the referees read off the real test images, by column.
        figures: By variant and column.
    """

    name: StudyName
    scale: Scale
    data: str
    seed: int
    settings: tuple[str, ...]
    own_settings: dict[str, tuple[str, ...]]
    real: dict[str, float]
    figures: dict[str, dict[str, float]]


@dataclass(frozen=True)
class _Bench:
    """What all variants of a study are measured with."""

    dataset: PreparedDataset
    test: PreparedDataset
    anet: Referee
    residual: Referee
    seed: int
    device: torch.device


def reproduce(
    name: StudyName,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    scale: Scale = "full",
    settings: tuple[str, ...] = (),
    seed: int = 0,
    device: str = "auto",
    referees: str | os.PathLike[str] | None = None,
    watcher: Watcher | None = None,
) -> StudyResult:
    """Run one of the paper's comparisons and write its report.

    Models that are there already, whole or in part, are gone on with. `out` gets ``runs/``, a run
    folder for each model, which studies share; ``NAME.json``, ``NAME.md`` and the pictures it
    shows, which hold generated images only; and ``pictures/``, with real ones too.

    Args:
        name: Which study.
        data: Prepared data set with partitions `train` and `test`.
        out: Folder of results.
        scale: "full": the paper's; "small": smaller networks and few epochs.
        settings: Further overrides of every variant, like "gan.epochs=5".
        seed: Everything random follows from it.
        device: Where to compute.
        referees: Folder of the referees, trained there if need be; by default ``out/referees``.
        watcher: Told of the progress.

    Raises:
        ConfigError: If there is no such study, a setting doesn't fit, or torchmetrics is missing.
        DatasetError: If the data set or one of its partitions is missing.
        CheckpointError: If `out` holds runs of other settings or data.
        SaveError: If the disk is full or `out` can't be written.
    """
    if name not in STUDIES:
        raise ConfigError(f"no study {name!r}; {did_you_mean(name, STUDIES)}")
    check_torchmetrics()
    study, folder, tell = STUDIES[name], Path(out), watcher or (lambda *_: None)
    common = (*(SMALL if scale == "small" else ()), f"run.seed={seed}", f"run.device={device}")
    dataset = PreparedDataset.open(data)
    test = dataset.part("test")
    configs = {v.name: _config(v, dataset, scale, common, settings) for v in study.variants}
    runs = {v.name: folder / "runs" / _run_name(v, configs[v.name]) for v in study.variants}
    # First, so that data they can't be trained on fail before the long work.
    bench = _bench(dataset, test, Path(referees or folder / "referees"), seed, device, tell)
    for variant in study.variants:
        _train(variant, study, configs, runs, tell)
    figures, samples = {}, _sample_names(study, name)
    for variant in study.variants:
        tell(f"measuring {variant.name}", None)
        networks = _networks(configs[variant.name], runs[variant.name], bench)
        figures[variant.name] = _measure(networks, set(study.columns), bench)
        reconstructions = f"{name}-{_slug(variant.name)}-reconstructions"
        _draw(networks, folder, samples.get(variant.name), reconstructions, bench)
    result = StudyResult(
        name=name,
        scale=scale,
        data=_describe(dataset),
        seed=seed,
        **_effective_settings(study, scale, settings),
        real=_as_read(read_real(bench.anet, test), read_real(bench.residual, test)),
        figures=figures,
    )
    write_text(folder / f"{name}.json", json.dumps(asdict(result), indent=2) + "\n")
    write_text(folder / f"{name}.md", study_report(study, result, samples))
    return result


def _config(
    variant: Variant,
    dataset: PreparedDataset,
    scale: Scale,
    common: tuple[str, ...],
    settings: tuple[str, ...],
) -> TrainConfig:
    small = variant.small if scale == "small" else ()
    overrides = (*common, *small, *variant.settings, *settings)
    config = load_config(variant.recipe, overrides, data=str(dataset.folder))
    config.model_config(dataset)  # raises before anything is trained
    return config


def _train(
    variant: Variant,
    study: Study,
    configs: Mapping[str, TrainConfig],
    folders: Mapping[str, Path],
    tell: Watcher,
) -> None:
    config, run = configs[variant.name], folders[variant.name]
    if variant.shares and not run.exists():
        fork_run(folders[variant.shares], run, config)
    train(
        config,
        run,
        stages=variant.stages,
        mode="resume" if (run / "config.toml").exists() else "new",
        watcher=lambda step: tell(f"training {variant.name}", step),
        command=f"icgan reproduce: {study.title}, {variant.name}",
    )


def _run_name(variant: Variant, config: TrainConfig) -> str:
    """A folder name that models of the same settings share, in whichever study."""
    run = (config.run.seed, config.run.precision, config.run.channels_last)
    plain = {**config.to_dict(), "data": "", "run": run}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return f"{variant.recipe}-{digest[:10]}"


class _Settings(TypedDict):
    settings: tuple[str, ...]
    own_settings: dict[str, tuple[str, ...]]


def _effective_settings(study: Study, scale: Scale, settings: tuple[str, ...]) -> _Settings:
    """The overrides that hold, each once: those of all variants, and those of single ones."""
    of_scale = SMALL if scale == "small" else ()
    common = _by_key((*of_scale, *settings))
    own = {
        v.name: _by_key((*(v.small if scale == "small" else ()), *v.settings))
        for v in study.variants
    }
    # The user's settings come last and win over a variant's.
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


def _slug(text: str) -> str:
    """A name for files: letters, digits and hyphens."""
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return "-".join(words)


def _bench(
    dataset: PreparedDataset,
    test: PreparedDataset,
    referees: Path,
    seed: int,
    device: str,
    tell: Watcher,
) -> _Bench:
    tell("the referees", None)
    anet = ensure_referee(dataset, referees / "anet", "anet", device=device)
    residual = ensure_referee(dataset, referees / "residual", "residual", device=device)
    return _Bench(dataset, test, anet, residual, seed, find_device(device))


def _networks(config: TrainConfig, run: Path, bench: _Bench) -> IcGANNetworks:
    """The finished model of a run, or its generator alone where it has no encoders."""
    if (run / "artefact" / "config.json").exists():
        networks = load_artefact(run / "artefact")
    else:
        networks = IcGANNetworks(config.model_config(bench.dataset))
        load_checkpoint(run / "checkpoints" / "generated.pt", {"generator": networks.generator})
        for parameter in networks.parameters():
            parameter.data.copy_(parameter.half())  # as a finished model is stored
    return networks.to(bench.device).eval().requires_grad_(False)


def _measure(networks: IcGANNetworks, columns: set[str], bench: _Bench) -> dict[str, float]:
    found: dict[str, float | None] = {}
    if columns & {"anet_f1", "referee_f1"}:
        labels = bench.test.all_labels()
        found |= _as_read(
            read_generated(bench.anet, networks, labels, _draws(bench)),
            read_generated(bench.residual, networks, labels, _draws(bench)),
        )
    if "fid" in columns:
        found["fid"] = measure_fidelity(networks, bench.test, bench.residual, _draws(bench)).fid
    if columns & {"z_error", "y_error", "pixel_error"}:
        inversion = measure_inversion(networks, bench.test, _draws(bench))
        found |= {
            "z_error": inversion.z_error,
            "y_error": inversion.y_error,
            "pixel_error": inversion.pixel_error,
            "z_std": inversion.z_real.std,
        }
    if "ey_f1" in columns:
        read = read_by_encoder(networks, bench.test)
        found |= {"ey_accuracy": 100 * read.mean_accuracy, "ey_f1": 100 * read.mean_f1}
    if "recognised" in columns:
        identification = measure_identification(
            networks, bench.test, bench.residual, limit=EDITED_IMAGES
        )
        found["recognised"] = 100 * identification.right
    if "hit_adding" in columns:
        edits = measure_edits(networks, bench.test, bench.residual, limit=EDITED_IMAGES)
        found |= {
            "hit_adding": _percent(edits.mean_adding.relative),
            "hit_removing": _percent(edits.mean_removing.relative),
            "preservation": _percent(edits.mean.preservation),
        }
    return {name: value for name, value in found.items() if name in columns and value is not None}


def _as_read(by_anet: Confusion, by_residual: Confusion) -> dict[str, float]:
    return {
        "anet_accuracy": 100 * by_anet.mean_accuracy,
        "anet_f1": 100 * by_anet.mean_f1,
        "referee_accuracy": 100 * by_residual.mean_accuracy,
        "referee_f1": 100 * by_residual.mean_f1,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _draws(bench: _Bench) -> torch.Generator:
    return torch.Generator().manual_seed(bench.seed)


def _draw(
    networks: IcGANNetworks, folder: Path, samples: str | None, name: str, bench: _Bench
) -> None:
    if samples is not None:
        save_picture(samples_figure(networks, _draws(bench), rows=4), folder / samples)
    if networks.encoder is not None or networks.encoder_z is not None:
        rows = torch.arange(min(16, len(bench.test)))
        picture = reconstruction_figure(networks, bench.test, rows)
        save_picture(picture, folder / "pictures" / f"{name}.png")


def _sample_names(study: Study, name: str) -> dict[str, str]:
    """Files of generated images; variants that share a generator show one."""
    return {v.name: f"{name}-{_slug(v.name)}.jpg" for v in study.variants if not v.shares}


def _describe(dataset: PreparedDataset) -> str:
    sizes = ", ".join(f"{len(dataset.part(p)):,} {p}" for p in dataset.partitions)
    side, count = dataset.picture_size, len(dataset.attributes)
    return f"{dataset.source} ({sizes}; {side}×{side}; {count} attributes)"

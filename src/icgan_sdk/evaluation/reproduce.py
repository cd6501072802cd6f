"""Running a study: train its variants, measure them, write what came out."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from icgan_sdk.artefacts.layout import ARTEFACT_FOLDER
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import ConfigError, did_you_mean
from icgan_sdk.evaluation.metrics.bench import Bench, seeded
from icgan_sdk.evaluation.metrics.fidelity import check_torchmetrics
from icgan_sdk.evaluation.metrics.first_pictures import FirstPictures
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.evaluation.progress import Watcher, ignore
from icgan_sdk.evaluation.referees.referee_training import ensure_referees
from icgan_sdk.evaluation.report.paper_pictures import reconstructions_picture, samples_picture
from icgan_sdk.evaluation.studies.study import Scale, Study, StudyName, StudyResult, Variant
from icgan_sdk.evaluation.studies.study_catalogue import STUDIES
from icgan_sdk.evaluation.studies.study_columns import measure_columns
from icgan_sdk.evaluation.studies.study_report import study_report
from icgan_sdk.evaluation.studies.study_variants import (
    effective_settings,
    run_name,
    variant_config,
)
from icgan_sdk.files import write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import find_device
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.checkpoint import load_checkpoint
from icgan_sdk.training.logging import Progress
from icgan_sdk.training.pipeline import train
from icgan_sdk.training.run_folder import fork_run
from icgan_sdk.training.train_config import TrainConfig


def reproduce(
    name: StudyName,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    scale: Scale,
    settings: tuple[str, ...] = (),
    seed: int = 0,
    device: str = "auto",
    referees: str | os.PathLike[str] | None = None,
    watcher: Watcher | None = None,
) -> StudyResult:
    """Run one of the paper's comparisons and write its report.

    Models that `out` has already, whole or in part, are trained on from where they are. `out` gets
    ``runs/`` with a run folder for each model, which studies share; ``NAME.json``; ``NAME.md`` and
    the pictures it shows, all of generated images; and ``pictures/``, with real ones too.

    Args:
        name: Which study.
        data: Prepared data set with partitions `train` and `test`.
        out: Folder of results.
        scale: "full": the paper's; "small": smaller networks and few epochs.
        settings: Further overrides of every variant, like "gan.epochs=5".
        seed: Everything random follows from it.
        device: Where to compute.
        referees: Folder of the referees, trained there if need be; by default ``out/referees``.
        watcher: Told of the progress: each stage of each model's training, each measurement. A
            part is named like "training IND, gan" or "measuring IND".

    Raises:
        ConfigError: If there is no such study or scale, a setting doesn't fit, or torchmetrics is
            missing.
        DatasetError: If the data set or one of its partitions is missing.
        CheckpointError: If `out` holds runs of other settings or data.
        SaveError: If the disk is full or `out` can't be written.
    """
    if name not in STUDIES:
        raise ConfigError(f"no study {name!r}; {did_you_mean(name, STUDIES)}")
    if scale not in get_args(Scale):
        raise ConfigError(f"scale must be one of {', '.join(get_args(Scale))}, not {scale!r}")
    check_torchmetrics()
    study, folder, tell = STUDIES[name], Path(out), watcher or ignore
    dataset = PreparedDataset.open(data)
    test = dataset.part("test")
    first = (f"run.seed={seed}", f"run.device={device}")
    configs = {v.name: variant_config(v, dataset, scale, first, settings) for v in study.variants}
    runs = {v.name: folder / "runs" / run_name(v, configs[v.name]) for v in study.variants}
    # Referees come first, so that data they can't be trained on fail before the long work.
    judges = ensure_referees(dataset, Path(referees or folder / "referees"), device, tell)
    for variant in study.variants:
        _train(variant, study, configs, runs, tell)
    pictures = RealPictures(test, judges)
    figures, samples = dict[str, dict[str, float]](), _sample_names(study, name)
    real: dict[str, float] = {}
    for variant in study.variants:
        networks = _networks(configs[variant.name], runs[variant.name], dataset)
        networks.to(find_device(device))
        bench = Bench(networks, pictures, seeded(seed))
        # A model without an artefact has a generator only.
        kept = [FirstPictures()] if _artefact(runs[variant.name]).exists() else []
        watch = _measuring(variant, tell)
        figures[variant.name], real = measure_columns(bench, study.columns, kept, watch)
        if variant.name in samples:
            sheet = samples_picture(networks, bench.draws("pictures"), rows=4)
            save_picture(sheet, folder / samples[variant.name])
        for shown in kept:
            sheet = reconstructions_picture(networks, shown.inverted())
            file = f"{name}-{_slug(variant.name)}-reconstructions.png"
            save_picture(sheet, folder / "pictures" / file)
    result = StudyResult(
        name=name,
        scale=scale,
        data=_describe(dataset),
        seed=seed,
        **effective_settings(study, scale, settings),
        real=real,
        figures=figures,
    )
    write_text(folder / f"{name}.json", json.dumps(asdict(result), indent=2) + "\n")
    write_text(folder / f"{name}.md", study_report(study, result, samples))
    return result


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

    def watch(step: Progress) -> None:
        tell(f"training {variant.name}, {step.stage}", step.step, step.steps)

    train(
        config,
        run,
        stages=variant.stages,
        mode="resume" if (run / "config.toml").exists() else "new",
        watcher=watch,
        command=f"icgan reproduce: {study.title}, {variant.name}",
    )


def _measuring(variant: Variant, tell: Watcher) -> Watcher:
    """Tells of all parts of a measurement under one name."""

    def watch(part: str, done: int, total: int) -> None:
        tell(f"measuring {variant.name}", done, total)

    return watch


def _artefact(run: Path) -> Path:
    """A file that a run has once its model is finished, with its encoders."""
    return run / ARTEFACT_FOLDER / "config.json"


def _networks(config: TrainConfig, run: Path, dataset: PreparedDataset) -> IcGANNetworks:
    """The finished model of a run, or its generator alone where it has no encoders."""
    if _artefact(run).exists():
        networks = load_artefact(run / ARTEFACT_FOLDER)
    else:
        networks = IcGANNetworks(config.model_config(dataset))
        load_checkpoint(run / "checkpoints" / "generated.pt", {"generator": networks.generator})
        for parameter in networks.parameters():
            parameter.data.copy_(parameter.half())  # as a finished model is stored
    return networks.eval().requires_grad_(False)


def _slug(text: str) -> str:
    """A name for files: letters, digits and hyphens."""
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return "-".join(words)


def _sample_names(study: Study, name: str) -> dict[str, str]:
    """Files of generated images; variants that share a generator show one."""
    return {v.name: f"{name}-{_slug(v.name)}.jpg" for v in study.variants if not v.shares}


def _describe(dataset: PreparedDataset) -> str:
    sizes = ", ".join(f"{len(dataset.part(p)):,} {p}" for p in dataset.partitions)
    side, count = dataset.picture_size, len(dataset.attributes)
    return f"{dataset.source} ({sizes}; {side}×{side}; {count} attributes)"

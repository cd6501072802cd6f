"""The whole evaluation of one model: every figure, the plots, the pictures, the report."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from PIL import Image

from icgan_sdk._version import __version__
from icgan_sdk.artefacts.quality import Quality, write_quality
from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.editing import Detail
from icgan_sdk.editing.latents import find_detail
from icgan_sdk.errors import (
    ConfigError,
    DatasetError,
    SaveError,
    raise_where_different,
)
from icgan_sdk.evaluation import evaluation_report
from icgan_sdk.evaluation.metrics import metric_table
from icgan_sdk.evaluation.metrics.bench import Bench, seeded
from icgan_sdk.evaluation.metrics.fidelity import check_torchmetrics
from icgan_sdk.evaluation.metrics.first_pictures import FirstPictures
from icgan_sdk.evaluation.metrics.measuring import measure
from icgan_sdk.evaluation.metrics.metric import NO_REFEREE, Metric
from icgan_sdk.evaluation.metrics.seeing import RealPictures, judged_config
from icgan_sdk.evaluation.metrics.wearers import WearersMetric
from icgan_sdk.evaluation.progress import Watcher, ignore
from icgan_sdk.evaluation.referees.referee_folder import read_record
from icgan_sdk.evaluation.referees.referee_training import ensure_referees
from icgan_sdk.evaluation.report.loss_curves import loss_curves
from icgan_sdk.evaluation.report.paper_pictures import enlarged, pictures_of, samples_picture
from icgan_sdk.evaluation.report.plots import check_matplotlib, save_plots
from icgan_sdk.evaluation.results import Evaluation, Subject
from icgan_sdk.files import atomic_folder, names_in, write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.devices import find_device
from icgan_sdk.model.image_features import REMEDY
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.logging import read_metrics
from icgan_sdk.training.runtime import keep_freed_memory

RESULT_FILE, REPORT_FILE, IMAGES, REFEREES = "evaluation.json", "report.md", "images", "referees"

QUICK_LIMIT = 500
"""Pictures of a quick evaluation."""

Pictures = Literal["all", "generated", "none"]
"""Which pictures a report shows: those of the data set too, generated ones only, or none."""


def evaluate(
    model: str | os.PathLike[str],
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    partition: str = "test",
    referees: str | os.PathLike[str] | None = None,
    metrics: Sequence[str] | None = None,
    quick: bool = False,
    pictures: Pictures = "all",
    limit: int | None = None,
    refine: int = 0,
    detail: Detail = "auto",
    seed: int = 0,
    device: str = "auto",
    keep_quality: bool = False,
    watcher: Watcher | None = None,
) -> Evaluation:
    """Judge a model on a data set and write ``evaluation.json``, ``report.md`` and ``images/``.

    What costs least is measured first, and the report is written after each round: what needs no
    referee, what referees read off pictures, edits. Pictures and plots come at the end.

    Args:
        model: As for `IcGAN.from_pretrained`, or the folder of a complete run. The report then
            shows the run's losses.
        data: Prepared data set that fits the model, or its painter: photo edits are then judged at
            the painter's side, and what G gives is scaled up. Its partition `train` trains the
            referees.
        out: A new or empty folder, or that of an earlier evaluation, which is replaced.
        partition: The part of the data to judge by. The model should not have been trained on it.
        referees: Folder with ``anet/`` and ``residual/``. Referees that are missing, or were
            trained on other data, are trained. By default ``out/referees`` if it is there, else
            one in the user's cache (``XDG_CACHE_HOME``) for these data, so that they are trained
            once.
        metrics: Names of what to measure, the keys of ``evaluation.json``; None: everything, with
            the metrics of plug-ins.
        quick: Measure only what needs no referee, on `QUICK_LIMIT` pictures unless `limit` says
            otherwise.
        pictures: Which pictures the report shows: "all"; "generated": none of the data set's and
            none made from them (for sharing reports on faces); "none".
        limit: Only the first so many pictures of the partition are used, at least 2. None: all; of
            these, 1000 are edited and identified.
        refine: Optimisation steps on z, as in `IcGAN.edit`; for edits, identification, pictures.
        detail: As in `IcGAN.edit`, for the edits.
        seed: Everything random follows from it.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        keep_quality: Write how real each edit looks (metric `way_left`) into the model's folder,
            where `IcGAN.quality` finds it.
        watcher: Told of the progress.

    Raises:
        ConfigError: If the model doesn't fit the data, there is no such metric, an option is out
            of range, or torchmetrics or matplotlib is not installed.
        DatasetError: If the data can't be read, or a partition is missing or has no two pictures.
        ModelNotFoundError: If there is no such model, or its run is not complete.
        ModelFormatError: If the model's or a referee's files are damaged.
        SaveError: If `out` holds other files or can't be written.
    """
    _check_options(pictures, limit, refine, detail, seed)
    wanted = _choose(metrics, quick, keep_quality)
    limit = limit or (QUICK_LIMIT if quick else None)
    folder, tell = Path(out), watcher or ignore
    _check_replaceable(folder)
    name, run, networks = _open_model(model)
    dataset = PreparedDataset.open(data)
    judged = dataset.part(partition, limit)
    _check_fits(judged_config(networks.config, dataset), dataset)
    if len(judged) < 2:
        raise DatasetError(f"{partition!r} has {len(judged)} pictures: evaluation needs two")
    networks.to(find_device(device)).to(memory_format=torch.channels_last)  # faster on CPUs
    keep_freed_memory()
    root = Path(referees) if referees else _referee_folder(folder, dataset)
    bench = Bench(
        networks,
        RealPictures(judged, {}),
        seeded(seed),
        train=dataset.part("train"),
        limit=limit,
        refine=refine,
        detail=find_detail(detail, networks.config),
        kept=root,
    )
    measures: list[Metric[Any]] = []
    first = FirstPictures()
    figures: dict[str, Any] = {}
    rounds = sorted({metric.round for metric in wanted})
    for number in rounds:
        if number > NO_REFEREE and not bench.pictures.referees:
            judges = ensure_referees(dataset, root, device, tell)
            bench = replace(bench, pictures=RealPictures(judged, judges))
        now = [metric(bench) for metric in wanted if metric.round == number]
        # The first pictures are kept in the first round.
        viewers = [first] if pictures == "all" and not measures else []
        figures |= measure(bench, now, viewers, tell)
        measures += now
        result = Evaluation(
            subject=_subject(name, bench, dataset, partition, seed),
            referees={a: read_record(root / a) for a in bench.pictures.referees},
            figures={m.name: figures[m.name] for m in wanted if m.name in figures},
            seconds=dict(bench.clock.seconds),
        )
        # Report and images of an earlier evaluation go at once: they must never stand beside the
        # new figures, even if drawing fails.
        (folder / REPORT_FILE).unlink(missing_ok=True)
        shutil.rmtree(folder / IMAGES, ignore_errors=True)
        write_text(folder / RESULT_FILE, result.to_json())
        missing = [metric.name for metric in wanted if metric.name not in figures]
        write_text(folder / REPORT_FILE, evaluation_report.report(result, {}, missing))
    if keep_quality:
        write_quality(resolve(model), _quality(figures))
    measures.sort(key=lambda metric: wanted.index(type(metric)))
    tell("pictures", 0, 1)
    with atomic_folder(folder / IMAGES) as images:
        save_plots(evaluation_report.plots(result), images)
        if run and (losses := read_metrics(run)):
            save_plots({"losses": loss_curves(losses)}, images)
        drawn = _draw(bench, pictures, measures, first)
        for title, picture in drawn.items():
            save_picture(enlarged(picture, networks.config), images / f"{title}.png")
        shown = {path.stem: f"{IMAGES}/{path.name}" for path in images.iterdir()}
    write_text(folder / REPORT_FILE, evaluation_report.report(result, shown))
    tell("pictures", 1, 1)
    return result


def _choose(
    names: Sequence[str] | None, quick: bool, keep_quality: bool
) -> list[type[Metric[Any]]]:
    wanted = [m for m in metric_table.chosen(names) if m.round == NO_REFEREE or not quick]
    if not wanted:
        raise ConfigError("these metrics need referees, which a quick evaluation goes without")
    if keep_quality and WearersMetric not in wanted:
        raise ConfigError(f"keep_quality needs the metric {WearersMetric.name!r}: name it too")
    return wanted


def _check_options(
    pictures: object, limit: object, refine: object, detail: object, seed: int
) -> None:
    """Check all options but the device, which is checked when the networks are moved there."""
    check_torchmetrics()
    check_matplotlib()
    for name, value, known in (
        ("pictures", pictures, get_args(Pictures)),
        ("detail", detail, get_args(Detail)),
    ):
        if value not in known:
            raise ConfigError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    if limit is not None:
        check_whole("limit", limit, 2)
    check_whole("refine", refine, 0)
    check_whole("seed", seed, 0)


def _quality(figures: Mapping[str, Any]) -> Quality:
    """How real edits look, by the metric that measured it."""
    left = figures.get(WearersMetric.name)
    if left is None or not left.adding:
        raise ConfigError(f"how real edits look could not be measured: {REMEDY}")
    quality: Quality = left.quality()
    return quality


def _referee_folder(out: Path, dataset: PreparedDataset) -> Path:
    """Where referees are kept: with an earlier report, or once for these data."""
    if (out / REFEREES).is_dir():
        return out / REFEREES
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "icgan_sdk" / REFEREES / dataset.fingerprint()[:16]


def _check_replaceable(folder: Path) -> None:
    names = names_in(folder)
    others = sorted(names - {REFEREES})
    # Without a result, report and images may be someone else's.
    if others and RESULT_FILE not in names:
        raise SaveError(f"{folder} holds other files ({others[0]}); choose a new or empty folder")


def _open_model(model: str | os.PathLike[str]) -> tuple[str, Path | None, IcGANNetworks]:
    """A model's name, its run folder if that was given, and its networks."""
    folder, given = resolve(model), Path(model)
    name = given.absolute().name if given.is_dir() else str(model)
    run = given if given.is_dir() and not given.samefile(folder) else None
    return name, run, load_artefact(folder)


def _check_fits(config: ModelConfig, dataset: PreparedDataset) -> None:
    """Raise ConfigError unless a model takes the pictures and attributes of a data set."""
    pairs = {
        "attributes": (list(config.attributes.names), list(dataset.attributes.names)),
        "one_hot": (config.attributes.one_hot, dataset.attributes.one_hot),
        "image_size": (config.image_size, dataset.image_size),
        "padding": (config.padding, dataset.padding),
        "channels": (config.channels, dataset.channels),
        "crop": (config.crop, dataset.crop),
    }
    subject = f"the model doesn't fit {dataset.folder}, give it data prepared as its own were"
    raise_where_different(pairs, subject)


def _subject(
    name: str, bench: Bench, dataset: PreparedDataset, partition: str, seed: int
) -> Subject:
    networks = bench.networks
    return Subject(
        model=name,
        config=networks.config.to_dict(),
        parameters={
            part: sum(p.numel() for p in network.parameters())
            for part, network in networks.named_children()
        },
        source=dataset.source,
        partition=partition,
        images=len(bench.pictures),
        fingerprint=dataset.fingerprint(),
        limit=bench.limit,
        refine=bench.refine,
        detail=bench.detail,
        seed=seed,
        version=__version__,
    )


def _draw(
    bench: Bench, pictures: Pictures, metrics: Sequence[Metric[Any]], first: FirstPictures
) -> dict[str, Image.Image]:
    """The pictures that the report shows, by name; of real ones the first of the partition."""
    if pictures == "none":
        return {}
    drawn = {"samples": samples_picture(bench.networks, bench.draws("pictures"))}
    if pictures == "all":
        drawn |= pictures_of(bench.networks, first.inverted())
        for metric in metrics:
            drawn |= metric.pictures()
    return drawn

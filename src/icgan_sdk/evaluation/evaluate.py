"""The whole evaluation of one model: every figure, the plots, the pictures, the report."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import torch
from PIL import Image

from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.checks import check_whole
from icgan_sdk.config import ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import (
    ConfigError,
    DatasetError,
    ModelNotFoundError,
    SaveError,
    raise_where_different,
)
from icgan_sdk.evaluation import figures
from icgan_sdk.evaluation.diversity import Neighbours
from icgan_sdk.evaluation.fidelity import check_torchmetrics
from icgan_sdk.evaluation.measuring import Bench, Watcher, measure
from icgan_sdk.evaluation.plots import check_matplotlib, draw_plots
from icgan_sdk.evaluation.referee import ARCHITECTURES, Architecture, Referee, read_record
from icgan_sdk.evaluation.referee_training import ensure_referee
from icgan_sdk.evaluation.report import report
from icgan_sdk.evaluation.results import Evaluation
from icgan_sdk.files import atomic_folder, write_text
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail
from icgan_sdk.model.devices import find_device
from icgan_sdk.model.noise import random_source
from icgan_sdk.pictures.saving import save_picture
from icgan_sdk.training.logging import read_metrics
from icgan_sdk.training.runtime import keep_freed_memory

RESULT_FILE, REPORT_FILE, IMAGES, REFEREES = "evaluation.json", "report.md", "images", "referees"

Pictures = Literal["all", "generated", "none"]
"""Which pictures a report shows: also those of the data set, generated ones only, or none."""

SHOWN = 8
"""Rows of pictures in the report."""


def evaluate(
    model: str | os.PathLike[str],
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    partition: str = "test",
    referees: str | os.PathLike[str] | None = None,
    pictures: Pictures = "all",
    limit: int | None = None,
    refine: int = 0,
    detail: Detail = "generated",
    seed: int = 0,
    device: str = "auto",
    watcher: Watcher | None = None,
) -> Evaluation:
    """Judge a model on a data set and write ``evaluation.json``, ``report.md`` and ``images/``.

    Args:
        model: As for `IcGAN.from_pretrained`, or the folder of a complete run, whose losses then
            are in the report.
        data: Prepared data set that fits the model; its partition `train` trains the referees.
        out: A new or empty folder, or that of an earlier evaluation, which is replaced.
        partition: The part of the data to judge by; the model should not have been trained on it.
        referees: Folder with ``anet/`` and ``residual/``, trained where they are missing or of
            other data. By default ``out/referees``.
        pictures: Which pictures the report shows: "all"; "generated", none of the data set's and
            none made from them (for sharing reports on faces); "none".
        limit: The first so many pictures of the partition are used, at least 2; None: all, of
            which 1000 are edited and identified.
        refine: Optimisation steps on z, as in `IcGAN.edit`; for edits, identification, pictures.
        detail: As in `IcGAN.edit`, for the edits.
        seed: Everything random follows from it.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        watcher: Told of the progress.

    Raises:
        ConfigError: If the model doesn't fit the data, an option is out of range, or torchmetrics
            or matplotlib is not installed.
        DatasetError: If the data can't be read, or a partition is missing or has no two pictures.
        ModelNotFoundError: If there is no such model, or its run is not complete.
        ModelFormatError: If the model's or a referee's files are damaged.
        SaveError: If `out` holds other files or can't be written.
    """
    _check_options(pictures, limit, refine, detail, seed)
    folder, tell = Path(out), watcher or (lambda *_: None)
    _check_replaceable(folder)
    name, run, networks = _open_model(model)
    dataset = PreparedDataset.open(data)
    judged = dataset.part(partition, limit)
    _check_fits(networks.config, dataset)
    if len(judged) < 2:
        raise DatasetError(f"{partition!r} has {len(judged)} pictures: evaluation needs two")
    networks.to(find_device(device))
    keep_freed_memory()
    root = Path(referees or folder / REFEREES)
    judges = _referees(dataset, root, device, tell)
    records = {architecture: read_record(root / architecture) for architecture in judges}
    bench = Bench(
        name, networks, dataset, judged, partition, limit, refine, detail, seed, watcher=tell
    )
    result, neighbours = measure(bench, judges, records)
    write_text(folder / RESULT_FILE, result.to_json())
    # What an earlier evaluation left must not stand beside other figures, whatever happens next.
    (folder / REPORT_FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / IMAGES, ignore_errors=True)
    with bench.part("pictures", {}), atomic_folder(folder / IMAGES) as images:
        draw_plots(result, read_metrics(run) if run else [], images)
        for title, picture in _draw(bench, neighbours, pictures).items():
            save_picture(_enlarged(picture, networks.config), images / f"{title}.png")
        shown = {path.stem: f"{IMAGES}/{path.name}" for path in images.iterdir()}
    write_text(folder / REPORT_FILE, report(result, shown))
    return result


def _check_options(
    pictures: object, limit: object, refine: object, detail: object, seed: int
) -> None:
    """Before any work is done; that of the device follows when the networks go there."""
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
    random_source(seed, None)


def _check_replaceable(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(names - {REFEREES})
    # Only beside a result is it sure that report and images are an earlier evaluation's.
    if others and RESULT_FILE not in names:
        raise SaveError(f"{folder} holds other files ({others[0]}); choose a new or empty folder")


def _open_model(model: str | os.PathLike[str]) -> tuple[str, Path | None, IcGANNetworks]:
    """A model's name, its run folder if it was given by that, and its networks."""
    folder = resolve(model)
    name = folder.absolute().name if Path(model).is_dir() else str(model)
    if (folder / "artefact").is_dir():
        return name, folder, load_artefact(folder / "artefact")
    if (folder / "config.toml").is_file():
        raise ModelNotFoundError(
            f"{folder} is a run that isn't complete: finish it with `icgan train --resume --out "
            f"{folder}`"
        )
    return name, None, load_artefact(folder)


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


def _referees(
    dataset: PreparedDataset, root: Path, device: str, tell: Watcher
) -> dict[Architecture, Referee]:
    return {
        architecture: ensure_referee(
            dataset,
            root / architecture,
            architecture,
            device=device,
            watcher=partial(tell, f"referee {architecture}"),
        )
        for architecture in ARCHITECTURES
    }


def _enlarged(sheet: Image.Image, config: ModelConfig) -> Image.Image:
    """A sheet of small pictures in whole multiples, so that each has about 64 pixels."""
    factor = max(1, 64 // config.picture_size)
    return sheet.resize((factor * sheet.width, factor * sheet.height), Image.Resampling.NEAREST)


def _draw(bench: Bench, neighbours: Neighbours, pictures: Pictures) -> dict[str, Image.Image]:
    """The paper's figures by name; of real pictures always the first of the partition."""
    if pictures == "none":
        return {}
    networks, judged, refine = bench.networks, bench.judged, bench.refine
    drawn = {"samples": figures.samples_figure(networks, bench.draws("pictures"), rows=SHOWN)}
    if pictures == "generated":
        return drawn
    rows = torch.arange(min(2 * SHOWN, len(judged)))
    few, pairs = rows[:SHOWN], rows[: len(rows) // 2 * 2].view(-1, 2)[: SHOWN // 2]
    whole = rows if len(rows) == 2 * SHOWN else few
    train = bench.dataset.part("train")
    return drawn | {
        "reconstructions": figures.reconstruction_figure(networks, judged, whole, refine=refine),
        "variations": figures.variations_figure(networks, judged, few, refine=refine),
        "interpolation": figures.interpolation_figure(networks, judged, pairs, refine=refine),
        "swap": figures.swap_figure(networks, judged, pairs, refine=refine),
        "neighbours": figures.neighbours_figure(networks, train, neighbours),
    }

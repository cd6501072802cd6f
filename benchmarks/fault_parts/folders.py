"""Prepared data sets and run folders with a byte or a field changed: refused, or harmless."""

import random
import shutil
import warnings
from contextlib import suppress
from pathlib import Path

import torch

from fault_parts.jobs import RUN, Prepare, Train
from fault_parts.mutation import mutate
from fault_parts.rounds import Round
from icgan_sdk import train
from icgan_sdk.data import PreparedDataset
from icgan_sdk.errors import IcGANError


def make_data(folder: Path) -> Round:
    """Rounds that damage a file of a prepared data set and read all of it."""
    job = Prepare()
    whole = job.prepare(folder / "source") / "whole"
    job.work(folder / "source", whole)

    def read_one(chance: random.Random) -> str:
        shutil.rmtree(folder / "data", ignore_errors=True)
        shutil.copytree(whole, folder / "data")
        file = chance.choice(sorted(p for p in (folder / "data").iterdir() if p.is_file()))
        kind, data = mutate(file.read_bytes(), chance)
        file.write_bytes(data)
        try:
            opened = PreparedDataset.open(folder / "data")
            images, labels = opened.images(torch.arange(len(opened))), opened.all_labels()
        except IcGANError as error:
            if "\n" in str(error):
                raise ValueError("a message of several lines") from error
            return f"{file.name} {kind}: {type(error).__name__}"
        assert len(images) == len(labels) == len(opened)
        assert bool(labels.abs().le(1).all())
        return f"{file.name} {kind}: read"

    return read_one


def make_runs(folder: Path) -> Round:
    """Rounds that damage a file of a run that was cut off, and go on with it."""
    job = Train()
    prepared = job.prepare(folder / "source")
    config = train.TrainConfig.from_dict({"data": str(prepared / "data"), **RUN})

    class CutError(Exception):
        """Ends the run."""

    def stop(progress: object) -> None:
        if getattr(progress, "stage", "") == "encoder_z":
            raise CutError

    with suppress(CutError):
        train.run(config, folder / "whole", watcher=stop)
    job.work(prepared, folder / "ended")

    def go_on(chance: random.Random) -> str:
        run = folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(folder / "whole", run)
        files = sorted(p for p in run.rglob("*") if p.is_file() and p.suffix != ".png")
        file = chance.choice([p for p in files if p.name != ".lock"])
        kind, data = mutate(file.read_bytes(), chance)
        file.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                train.run(config, run, mode="resume")
        except IcGANError as error:
            if "\n" in str(error):
                raise ValueError("a message of several lines") from error
            return f"{file.name} {kind}: {type(error).__name__}"
        if file.suffix == ".pt":  # such a checkpoint may only have been read whole
            job.compare(folder / "ended", run)
        return f"{file.name} {kind}: went on"

    return go_on

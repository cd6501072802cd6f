"""``icgan data``: preparing data sets for training, and describing prepared ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icgan_sdk.cli.console import progress_bar
from icgan_sdk.machine import usable_cores

if TYPE_CHECKING:
    from icgan_sdk.config import Crop
    from icgan_sdk.data import PreparedDataset, PrepareReport

LISTED = 20
"""How many unreadable pictures are listed. ``unreadable.txt`` has all."""

app = typer.Typer(no_args_is_help=True, help="Prepare data sets for training.")
prepare = typer.Typer(no_args_is_help=True, help="Write a data set in the format training reads.")
app.add_typer(prepare, name="prepare")

Source = Annotated[Path, typer.Argument(help="Folder of the original files.")]
Out = Annotated[Path, typer.Argument(help="Folder to write the prepared data set to.")]
Workers = Annotated[int, typer.Option(help="Processes that read pictures.", min=0)]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier prepared data set.")
]
Download = Annotated[
    bool,
    typer.Option("--download", help="Download the original files to SOURCE if they are missing."),
]
Size = Annotated[int, typer.Option(help="Side of the pictures, a power of two.")]
CPUS = usable_cores()


@prepare.command("mnist")
def prepare_mnist(
    source: Source,
    out: Out,
    validation: Annotated[
        int, typer.Option(help="Training pictures to set aside for validation.")
    ] = 0,
    download: Download = False,
    overwrite: Overwrite = False,
) -> None:
    """Prepare MNIST from its four IDX files, gzipped or not."""
    from icgan_sdk import data

    if download:
        data.download_mnist(source)
    report = data.prepare_mnist(source, out, validation=validation, overwrite=overwrite)
    _show(report, out)


@prepare.command("celeba")
def prepare_celeba(
    source: Source,
    out: Out,
    attributes: Annotated[str, typer.Option(help="all, paper (18) or names: A,B,C.")] = "paper",
    size: Size = 64,
    crop: Annotated[
        str, typer.Option(help="centre, paper, or L,T,R,B in the 178×218 frame.")
    ] = "centre",
    partition: Annotated[
        str, typer.Option(help="official, or original: the last 19,961 pictures are for testing.")
    ] = "official",
    workers: Workers = CPUS,
    download: Download = False,
    overwrite: Overwrite = False,
) -> None:
    """Prepare CelebA from its official files, the pictures in a folder or a zip archive."""
    from icgan_sdk import data

    names, box = _attributes(attributes), _crop(crop)
    if partition not in {"official", "original"}:
        raise typer.BadParameter("give official or original", param_hint="--partition")
    if download:
        data.download_celeba(source)
    with progress_bar() as progress:
        report = data.prepare_celeba(
            source,
            out,
            attributes=names,
            image_size=size,
            crop=box,
            partition="original" if partition == "original" else "official",
            workers=workers,
            overwrite=overwrite,
            progress=progress,
        )
    _show(report, out)


@prepare.command("folder")
def prepare_folder(
    source: Source,
    out: Out,
    csv: Annotated[
        Path | None, typer.Option(help="CSV file of attributes; without it: one folder per class.")
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Exclusive group of attributes: hair=black,blond. Repeatable."),
    ] = None,
    size: Size = 64,
    channels: Annotated[int, typer.Option(help="1 (grey) or 3 (RGB).")] = 3,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,R,B@W,H", help="Box to cut out of pictures with the proportions W×H."
        ),
    ] = None,
    test: Annotated[
        float, typer.Option(help="Share of the pictures drawn for the test partition.")
    ] = 0.1,
    validation: Annotated[
        float, typer.Option(help="Share drawn for the validation partition.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    workers: Workers = CPUS,
    overwrite: Overwrite = False,
) -> None:
    """Prepare your own pictures, with a CSV of attributes or one folder per class."""
    from icgan_sdk import data

    if csv is not None and not csv.is_file():
        raise typer.BadParameter(f"no such file: {csv}", param_hint="'--csv'")
    box = None if crop is None else _box_of_frame(crop)
    with progress_bar() as progress:
        report = data.prepare_folder(
            source,
            out,
            labels=csv,
            groups=_groups(group or []),
            image_size=size,
            channels=channels,
            crop=box,
            test=test,
            validation=validation,
            seed=seed,
            workers=workers,
            overwrite=overwrite,
            progress=progress,
        )
    _show(report, out)


@prepare.command("with")
def prepare_with(
    reader: Annotated[str, typer.Argument(help="Name of a reader that a plug-in brings.")],
    source: Source,
    out: Out,
    size: Size = 64,
    overwrite: Overwrite = False,
) -> None:
    """Prepare a data set with the reader of a plug-in."""
    from icgan_sdk.data.readers import find_reader

    _show(find_reader(reader)(source, out, image_size=size, overwrite=overwrite), out)


@app.command()
def info(
    folder: Annotated[Path, typer.Argument(help="A prepared data set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print sizes, partitions and positives per attribute of a prepared data set."""
    import json

    from icgan_sdk.data import PreparedDataset

    facts = _facts(PreparedDataset.open(folder))
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, number in value.items():
                print(f"  {key}: {number}")
        else:
            print(f"{name}: {value}")


def _facts(dataset: "PreparedDataset") -> dict[str, object]:
    crop = dataset.crop
    return {
        "source": dataset.source,
        "pictures": len(dataset),
        "picture_size": dataset.picture_size,
        "image_size": dataset.image_size,
        "channels": dataset.channels,
        "padding": dataset.padding,
        "crop": None if crop is None else f"{crop.box} of {crop.frame}",
        "partitions": {name: len(dataset.part(name)) for name in dataset.partitions},
        "groups": {name: ", ".join(m) for name, m in dataset.attributes.groups.items()},
        "positives": dataset.positives(),
    }


def _attributes(text: str) -> Sequence[str]:
    from icgan_sdk.celeba import CELEBA_ATTRIBUTES, PAPER_ATTRIBUTES

    named = {"all": CELEBA_ATTRIBUTES, "paper": PAPER_ATTRIBUTES}
    return named.get(text) or [name.strip() for name in text.split(",")]


def _crop(text: str) -> "Crop":
    from icgan_sdk.config import CELEBA_CROP, PAPER_CROP, Crop

    named = {"centre": CELEBA_CROP, "paper": PAPER_CROP}
    if text in named:
        return named[text]
    try:
        left, top, right, bottom = (int(number) for number in text.split(","))
    except ValueError as error:
        raise typer.BadParameter("give centre, paper or L,T,R,B", param_hint="--crop") from error
    return Crop(CELEBA_CROP.frame, (left, top, right, bottom))


def _box_of_frame(text: str) -> "Crop":
    from icgan_sdk.config import Crop

    try:
        box, frame = text.split("@")
        left, top, right, bottom = (int(number) for number in box.split(","))
        width, height = (int(number) for number in frame.split(","))
    except ValueError as error:
        raise typer.BadParameter("give L,T,R,B@W,H", param_hint="--crop") from error
    if width == height:  # square pictures count as finished crops and would stay as they are
        raise typer.BadParameter("W and H must differ", param_hint="--crop")
    return Crop((width, height), (left, top, right, bottom))


def _groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    groups = {}
    for text in texts:
        name, equals, members = text.partition("=")
        if not (name and equals and members):
            raise typer.BadParameter("give NAME=ATTRIBUTE,ATTRIBUTE", param_hint="--group")
        groups[name.strip()] = tuple(member.strip() for member in members.split(","))
    return groups


def _show(report: "PrepareReport", out: Path) -> None:
    for name, reason in report.unreadable[:LISTED]:
        typer.echo(f"left out {name}: {reason}", err=True)
    if left_out := len(report.unreadable):
        total = report.written + left_out
        listed = out / "unreadable.txt"
        typer.echo(f"{left_out} of {total} pictures left out; see {listed}", err=True)
    for note in report.notes:
        typer.echo(f"icgan: warning: {note}", err=True)
    print(f"{report.written} pictures in {out}")

"""``icgan attributes`` and ``icgan info``: what a model reads in pictures, and facts about it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from icgan_sdk.artefacts.layout import CARD_FILE, count_parameters, read_artefact
from icgan_sdk.artefacts.quality import Quality, read_quality
from icgan_sdk.artefacts.resolving import bundled_names, resolve
from icgan_sdk.cli.console import for_each
from icgan_sdk.cli.options import (
    DEFAULT_MODEL,
    AlignOption,
    Device,
    FaceOption,
    Inputs,
    Json,
    Model,
    Runtime,
    open_model,
    parse_one_face,
)
from icgan_sdk.cli.paths import expand
from icgan_sdk.config import ModelConfig

BAR = 20


def attributes(
    images: Inputs,
    model: Model = DEFAULT_MODEL,
    device: Device = "auto",
    runtime: Runtime = "auto",
    align: AlignOption = "auto",
    face: FaceOption = "largest",
    as_json: Json = False,
) -> None:
    """Print the attributes a model reads in pictures, from 0 (absent) to 1 (present)."""
    chosen = parse_one_face(face)
    inputs = expand(images)
    icgan = open_model(model, device, runtime)
    scores: dict[str, dict[str, float]] = {}

    def work(path: Path) -> None:
        scores[str(path)] = icgan.predict_attributes(path, align=align, face=chosen)
        if not as_json:
            print(_table(path, scores[str(path)]))

    try:
        for_each(inputs, work)
    finally:
        if as_json:
            print(json.dumps(scores, indent=2))


def _table(path: Path, scores: dict[str, float]) -> str:
    width = max((len(name) for name in scores), default=0)
    lines = [
        f"  {name:<{width}}  {score:.2f}  {'#' * round(BAR * score)}".rstrip()
        for name, score in scores.items()
    ]
    return "\n".join([str(path), *(lines or ["  the model has no attributes"])])


def info(
    name: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="The model, as with --model.")
    ] = None,
    model: Model = DEFAULT_MODEL,
    as_json: Json = False,
) -> None:
    """Print a model's sizes, parameters, attributes, groups and card, and the bundled models."""
    if name and model != DEFAULT_MODEL:
        raise typer.BadParameter("name one model", param_hint="'--model'")
    model = name or model
    folder = resolve(model)
    artefact = read_artefact(folder)
    config, counts = artefact.config, count_parameters(artefact)
    card, quality = folder / CARD_FILE, read_quality(folder)
    facts: dict[str, object] = {
        "model": model,
        "folder": str(folder),
        "card": str(card) if card.is_file() else None,
        "quality": asdict(quality) if quality else None,
        "parameters": counts,
        "config": config.to_dict(),
        "bundled": list(bundled_names()),
    }
    print(json.dumps(facts, indent=2) if as_json else _describe(facts, counts, config, quality))


def _describe(
    facts: dict[str, object], counts: dict[str, int], config: ModelConfig, quality: Quality | None
) -> str:
    colours = "grey" if config.channels == 1 else "colour"
    lines = {
        "model": f"{facts['model']} ({facts['folder']})",
        "card": facts["card"] or "none",
        "pictures": f"{config.picture_size}×{config.picture_size}, {colours}",
        "z": f"{config.z_dim} numbers",
        "encoders": config.encoder_design + (", E_z sees faces" if config.encoder_z_faces else ""),
        "parameters": ", ".join(f"{name} {count:,}" for name, count in counts.items()),
        "attributes": ", ".join(config.attributes.names) or "none",
        **{f"group {g}": ", ".join(m) for g, m in config.attributes.groups.items()},
        "not real yet": _shortcomings(quality),
        "bundled": ", ".join(bundled_names()) or "none",
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in lines.items())


def _shortcomings(quality: Quality | None) -> str:
    """The edits that are known not to look real, as settings."""
    if quality is None:
        return "not measured"
    return (
        ", ".join(
            f"{name}={presence}"
            for presence, values in ((1, quality.adding), (0, quality.taking_away))
            for name in values
            if quality.falls_short(name, presence)
        )
        or "none"
    )

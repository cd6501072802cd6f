"""The model card of an artefact folder: what the model is, how it was made, how good it is."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from icgan_sdk.artefacts.hub_faults import check_settings
from icgan_sdk.config import ModelConfig

PAPER = "https://arxiv.org/abs/1611.06355"


def model_card(
    config: ModelConfig,
    *,
    name: str,
    data: str,
    license: str,
    command: str,
    seed: int | None,
    metrics: Mapping[str, float | str],
    notes: str = "",
    title: str = "",
) -> str:
    """Write the card as Markdown, with the front matter the Hub reads.

    Args:
        config: The model's.
        name: What users load it by.
        data: The data set, its source and the part used.
        license: Licence identifier or terms of the weights, as the data allow ("mit", "other").
        command: The exact command that trained it.
        seed: Of the training; None if unknown.
        metrics: Measured figures by name, numbers or text with units.
        notes: More Markdown: training time, known weaknesses.
        title: Heading of the card; by default the name.
    """
    sections = [
        _front_matter(license),
        f"# {title or name}: an IcGAN model",
        f"Edits {_pictures(config)} by their attributes: an [Invertible Conditional GAN]({PAPER}).",
        *_painter(config),
        "## Use\n\n" + _usage(config, name),
        "## Attributes\n\n" + _attributes(config),
        f"## Data\n\n{data}",
        f"## Terms\n\n{license}",
        "## Recipe\n\n" + _recipe(command, seed),
        "## Measured\n\n" + _table(metrics),
    ]
    if notes:
        sections.append(f"## Notes\n\n{notes}")
    return "\n\n".join(sections) + "\n"


def blank_card(config: ModelConfig, name: str) -> str:
    """The card of a model of which nothing is recorded."""
    return model_card(
        config,
        name=name,
        data="Not recorded.",
        license="other",
        command="not recorded",
        seed=None,
        metrics={},
    )


def for_repository(card: str, repo_id: str) -> str:
    """A card with a Hub repository in its title and usage, in place of a folder.

    A card that names a bundled model or a repository stays as it is.
    """
    named = re.search(r'from_pretrained\(("(?:[^"\\]|\\.)*")\)', card)
    if named is None:
        return card
    name = json.loads(named[1])
    if not (name.startswith((".", "~")) or Path(name).is_absolute()):
        return card
    card = card.replace(f"# {name}: ", f"# {repo_id}: ", 1)
    return card.replace(named[1], _quoted(repo_id))


def _front_matter(terms: str) -> str:
    check_settings()
    from huggingface_hub import ModelCardData

    is_identifier = terms == terms.lower() and not any(c.isspace() for c in terms)
    data = ModelCardData(
        library_name="icgan-sdk",
        pipeline_tag="image-to-image",
        license=terms if is_identifier else "other",
        tags=["icgan", "gan", "image-editing", "conditional-gan"],
    )
    return f"---\n{data.to_yaml()}\n---"


def _pictures(config: ModelConfig) -> str:
    colours = "grey" if config.channels == 1 else "colour"
    return f"{colours} pictures of {config.picture_size}×{config.picture_size} pixels"


def _painter(config: ModelConfig) -> list[str]:
    if not config.painter_size:
        return []
    side = config.photo.picture_size
    return [
        "The model has a painter: a network that changes the photo itself, where an edit needs it, "
        f"at {side}×{side} pixels. Edits of photos use it, unless they ask for generated pictures."
    ]


def _usage(config: ModelConfig, name: str) -> str:
    example = '.reconstruct("in.png")'
    if config.attributes.one_hot:
        group, members = next(iter(config.attributes.groups.items()))
        example = f'.edit("in.png", {{{_quoted(group)}: {_quoted(members[-1])}}})'
    elif config.n_attributes:
        example = f'.edit("in.png", {{{_quoted(config.attributes.names[-1])}: 1}})'
    return (
        "```python\nfrom icgan_sdk import IcGAN\n\n"
        f"model = IcGAN.from_pretrained({_quoted(name)})\n"
        f'model{example}.save("out.png")\n```'
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _attributes(config: ModelConfig) -> str:
    if not config.n_attributes:
        return "None."
    lines = [", ".join(config.attributes.names) + "."]
    lines += [f"- `{g}`, one of: {', '.join(m)}" for g, m in config.attributes.groups.items()]
    return "\n\n".join([lines[0], "\n".join(lines[1:])]).strip()


def _recipe(command: str, seed: int | None) -> str:
    return f"```\n{command}\n```\n\nSeed: {'unknown' if seed is None else seed}."


def _table(metrics: Mapping[str, float | str]) -> str:
    if not metrics:
        return "Nothing measured yet."
    rows = [f"| {k} | {v if isinstance(v, str) else f'{v:.4g}'} |" for k, v in metrics.items()]
    return "\n".join(["| figure | value |", "|---|---|", *rows])

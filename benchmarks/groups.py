"""How well edits work by group of people: target hit and preservation, as a Markdown table.

    python benchmarks/groups.py celeba --data prepared/celeba --labels prepared/celeba40 \
        --referees referees --group Male --group Young --group Pale_Skin

`--labels` is the same data prepared with all attributes, for groups the model doesn't know.
Figures are those of `icgan evaluate`, relative to what the referee reads off real images of the
same group. `--short` needs none of them: it measures an untrained model on made-up pictures, only
to see that everything runs.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from memory import made_up_data, made_up_model

from icgan_sdk.artefacts.resolving import resolve
from icgan_sdk.artefacts.store import load_artefact
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.edit_figures import Edits
from icgan_sdk.evaluation.metrics.edits import measure_edits
from icgan_sdk.evaluation.referees.referee_training import ensure_referee


def main(words: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--labels", required=True, type=Path)
    parser.add_argument("--referees", required=True, type=Path)
    parser.add_argument("--group", action="append", required=True)
    parser.add_argument("--limit", type=int, default=1000, help="images edited of each group")
    options = parser.parse_args(words)

    dataset = PreparedDataset.open(options.data)
    referee = ensure_referee(dataset, options.referees / "residual", "residual")
    networks = load_artefact(resolve(options.model)).eval()
    test = dataset.part("test")
    labelled = PreparedDataset.open(options.labels, "test")
    if len(labelled) != len(test) or not torch.equal(
        labelled.images(slice(0, 8)), test.images(slice(0, 8))
    ):
        raise SystemExit("--labels are not those of --data")
    print(
        "| group | test images | adding | removing | others preserved |\n|---|---:|---:|---:|---:|"
    )
    for group in options.group:
        has = labelled.all_labels()[:, labelled.attributes.names.index(group)] > 0
        for name, chosen in ((group, has), (f"not {group}", ~has)):
            part = test.where(chosen)
            print(
                _row(name, len(part), measure_edits(networks, part, referee, limit=options.limit))
            )


def _row(name: str, count: int, edits: Edits) -> str:
    shares = (edits.mean_adding.relative, edits.mean_removing.relative, edits.mean.preservation)
    cells = ["–" if share is None else f"{share:.3f}" for share in shares]
    return f"| {name.replace('_', ' ')} | {count:,} | {' | '.join(cells)} |"


def short(folder: Path) -> list[str]:
    """Arguments for a run of seconds."""
    data, model = folder / "data", folder / "model"
    parts = {"train": 64, "validation": 64, "test": 32}
    made_up_model(model, made_up_data(data, 64, parts))
    return [
        str(model), "--data", str(data), "--labels", str(data),
        "--referees", str(folder / "referees"), "--group", "Light", "--limit", "8",
    ]  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:] == ["--short"]:
        with tempfile.TemporaryDirectory() as temporary:
            main(short(Path(temporary)))
    else:
        main(sys.argv[1:])

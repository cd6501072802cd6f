import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.evaluation.evaluation_report import report, summary
from tests.evaluation.made_up import made_up

PLOTS = {name: f"images/{name}.png" for name in ("attributes", "confusion", "edits")}
PICTURES = {
    name: f"images/{name}.png"
    for name in ("samples", "reconstructions", "variations", "interpolation", "swap", "neighbours")
}


def tables(text: str) -> Iterator[list[list[str]]]:
    """The cells of each table; a pipe after a backslash is part of a cell."""
    for block in re.findall(r"(?:^\|.*\|$\n)+", text, re.M):
        yield [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]


def rows(text: str, title: str) -> dict[str, list[str]]:
    """The rows of the first table after a heading, by their first cell."""
    after = text.split(f"# {title}", 1)[1]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in next(tables(after))}


@pytest.mark.parametrize("kind", ["tiny_config", "digits_config"])
def test_every_figure_has_its_place(kind: str, request: pytest.FixtureRequest) -> None:
    config: ModelConfig = request.getfixturevalue(kind)
    text = report(made_up(config), PLOTS | PICTURES)
    assert text.startswith("# Evaluation of `made-up`\n")
    found = list(tables(text))
    assert len(found) == (13 if config.attributes.one_hot else 14)
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}
        assert set("".join(table[1])) <= set(" -:")
        assert all(cell.strip() not in {"", "None", "nan"} for row in table for cell in row)
    assert sorted(re.findall(r"\]\((images/.*?)\)", text)) == sorted((PLOTS | PICTURES).values())
    assert [n for n in PICTURES if f"images/{n}.png" in text] == list(PICTURES)


def test_attributes(tiny_config: ModelConfig) -> None:
    text = report(made_up(tiny_config), PLOTS)
    lines = summary(made_up(tiny_config))
    assert len(lines) == 18
    assert lines[0] == (
        "Generated attributes, read by the Anet: accuracy / F1",
        "93.75 % / 81.25 %",
        "real: 93.75 % / 81.25 %",
    )
    assert rows(text, "Summary")["Added attributes read as asked: hit (relative)"] == [
        "80.00 % (85.00 %)",
        "best: 100 %",
    ]
    assert rows(text, "By the residual")["`Smiling`"] == [
        "98.00", "90.00", "97.00", "90.00", "96.00", "90.00",
    ]  # fmt: skip
    assert rows(text, "Adding")["`Male`"] == [
        "10",
        "90.00",
        "95.00",
        "96.00",
        "0.75",
        "62.50",
        "0.125",
        "0.50 ± 0.04",
    ]
    assert rows(text, "Summary")["Edits told from real ones"][0] == "0.588 ± 0.019"
    assert rows(text, "Told apart")["G(z, y)"] == ["400", "410", "1.000 ± 0.000"]
    assert rows(text, "Removing")["`Male`"][1] == "80.00"
    assert rows(text, "Adding")["**mean**"][1] == "80.00"
    assert rows(text, "Encoders")["L_ez"] == ["50 generated", "0.43"]
    assert rows(text, "Encoders")["PSNR / SSIM"] == ["100 real", "19.50 dB / 0.750"]
    assert rows(text, "Distribution")["FID (referee features)"] == ["12.5"]
    assert "No Inception FID: no network." in text
    assert rows(text, "Diversity")["Diversity: perceptual distance"] == ["0.31", "0.35"]
    assert "3 steps of refinement" in text
    assert "Class" not in text


def test_classes(digits_config: ModelConfig) -> None:
    result = made_up(digits_config)
    text = report(result, PLOTS)
    shown = rows(text, "Summary")
    name = "Classes of generated images, read by the residual referee"
    assert shown[name] == ["95.75 %", "real: 95.75 %"]
    assert "Changed classes read as asked: hit (relative)" in shown
    assert not shown.keys() & {"Other attributes an edit keeps", "Identity an edit keeps"}
    assert "Inception FID" not in shown
    assert rows(text, "Attributes")["Read by"][-1] == "Class accuracy, %"
    assert rows(text, "Changing the class")["Attribute"] == [
        "Edits", "Hit, %", "Relative, %", "Identity", "Recognised, %", "Change outside",
        "Told apart",
    ]  # fmt: skip
    assert "Removing\n" not in text


def test_pictures_left_out_are_told_of(tiny_config: ModelConfig) -> None:
    result = made_up(tiny_config)
    assert "left out" not in report(result, PLOTS | PICTURES)
    assert "Pictures were left out." in report(result, PLOTS)
    generated = report(result, PLOTS | {"samples": "images/samples.png"})
    assert "Pictures of the data set, and those made from them, were left out." in generated
    assert "## Training" not in generated
    losses = report(result, PLOTS | {"losses": "images/losses.png"})
    assert "## Training\n\n![losses](images/losses.png)" in losses


def test_odd_names_and_missing_figures(tiny_config: ModelConfig) -> None:
    config = replace(tiny_config, attributes=AttributeSet(("a|b", "$x$", "_c_", "*")))
    result = made_up(config)
    nothing = replace(result.edits.mean, hit=None, preservation=float("nan"))
    changed = {
        "edits": replace(result.edits, mean_adding=nothing, mean=nothing),
        "fidelity": replace(result.fidelity, fid=float("nan")),
        "memorisation": replace(result.memorisation, ratio=None),
    }
    result = replace(result, figures=result.figures | changed)
    text = report(result, PLOTS)
    assert "nan" not in text
    assert "None" not in text
    assert [k for k in rows(text, "By the Anet") if k.startswith("`")] == [
        "`a\\|b`", "`$x$`", "`_c_`", "`*`",
    ]  # fmt: skip
    assert "FID (referee features)" not in rows(text, "Summary")
    assert rows(text, "Distribution")["FID (referee features)"] == ["–"]

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from icgan_sdk.attributes import AttributeSet
from icgan_sdk.config import ModelConfig
from icgan_sdk.errors import ConfigError, FontWarning
from icgan_sdk.evaluation.evaluation_report import plots
from icgan_sdk.evaluation.metrics.attribute_readings import attribute_bars, count_bars
from icgan_sdk.evaluation.metrics.class_confusion import class_matrix
from icgan_sdk.evaluation.metrics.edits import edit_bars
from icgan_sdk.evaluation.report.loss_curves import loss_curves
from icgan_sdk.evaluation.report.plots import check_matplotlib, save_plots
from icgan_sdk.pictures import lettering
from tests.evaluation.made_up import made_up

LOSSES: list[dict[str, float | str]] = [
    {"stage": "gan", "step": 5, "epoch": 1, "d": 0.5, "g": 1.5, "seconds": 1.0},
    {"stage": "gan", "step": 10, "epoch": 2, "d": 0.4, "g": 2.5, "seconds": 1.0},
    {"stage": "encoder_y", "step": 4, "epoch": 1, "y": 0.1, "images_per_second": 9.0},
    {"stage": "encoder_y", "step": 4, "epoch": 1, "held_out_y": 0.2, "held_out_accuracy": 0.9},
]


def widths(axes: Any) -> list[list[float]]:
    """The lengths of the bars, by kind."""
    return [[bar.get_width() for bar in kind] for kind in axes.containers]


def labels(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_attribute_bars(tiny_config: ModelConfig) -> None:
    left, right = attribute_bars(made_up(tiny_config).attributes["residual"]).axes
    assert labels(left) == ["Male", "Smiling", "Black Hair", "Blond Hair"]
    assert widths(left) == [pytest.approx([99, 98, 97, 96]), pytest.approx([98, 97, 96, 95])]
    assert widths(right) == [pytest.approx([90] * 4)] * 2
    assert [kind.get_label() for kind in left.containers] == ["real", "generated"]


def test_edit_bars(tiny_config: ModelConfig, digits_config: ModelConfig) -> None:
    edits = made_up(tiny_config).edits
    missing = replace(edits.adding["Male"], relative=None)
    hits, told = edit_bars(replace(edits, adding=edits.adding | {"Male": missing})).axes
    adding, removing = widths(hits)
    assert adding[0] != adding[0]  # no figure, no bar
    assert adding[1:] == pytest.approx([85, 75, 65])
    assert removing == pytest.approx([85, 75, 65, 55])
    assert [bars[0] for bars in widths(told)] == pytest.approx([50, 60])
    hits, told = edit_bars(made_up(digits_config).edits).axes
    assert len(widths(hits)) == len(widths(told)) == 1


def test_count_bars(tiny_config: ModelConfig) -> None:
    (axes,) = count_bars(made_up(tiny_config).attributes["residual"]["generated"]).axes
    tp, fn, fp, tn = widths(axes)
    assert (tp, fn) == ([40] * 4, [0] * 4)
    assert fp == [2, 3, 4, 5]
    assert all(sum(row) == 100 for row in zip(tp, fn, fp, tn, strict=True))
    assert [bar.get_x() for bar in axes.containers[3]] == [42, 43, 44, 45]


def test_class_matrix() -> None:
    (axes,) = class_matrix([[40, 0, 0], [3, 27, 0], [0, 0, 0]], "012").axes
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown == {(0, 0): "100.0", (0, 1): "10.0", (1, 1): "90.0"}
    assert labels(axes) == ["0", "1", "2"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("read", "asked for")


def test_loss_curves() -> None:
    gan, encoder = loss_curves(LOSSES).axes
    lines = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in gan.lines}
    assert lines == {"d": [[1.0, 0.5], [2.0, 0.4]], "g": [[1.0, 1.5], [2.0, 2.5]]}
    assert [line.get_label() for line in encoder.lines] == ["y", "held_out_y"]
    assert (gan.get_title(), encoder.get_title()) == ("gan", "encoder_y")
    assert (gan.get_yscale(), encoder.get_yscale()) == ("linear", "log")


def test_files(tiny_config: ModelConfig, digits_config: ModelConfig, tmp_path: Path) -> None:
    # Formulas, were they read as such.
    odd = replace(tiny_config, attributes=AttributeSet(("$\\frac$", "a$b", "^", "{")))
    for name, config in (("odd", odd), ("digits", digits_config)):
        (tmp_path / name).mkdir()
        save_plots(plots(made_up(config)), tmp_path / name)
        files = {"attributes.png", "confusion.png", "edits.png"}
        assert {p.name for p in (tmp_path / name).iterdir()} == files
    save_plots({"losses": loss_curves(LOSSES)}, tmp_path / "odd")
    for path in tmp_path.glob("*/*.png"):
        with Image.open(path) as plot:
            assert len(set(plot.convert("L").tobytes())) > 10


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    check_matplotlib()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'icgan-sdk\[evaluation\]'"):
        check_matplotlib()


def test_names_in_any_script_have_labels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lettering, "FONTS", ())
    lettering._other_font.cache_clear()
    with pytest.warns(FontWarning, match="numbered instead: 2 眼镜"):
        plot = class_matrix([[1, 0], [0, 1]], ["Очки", "眼镜"])
    (axes, *_) = plot.axes
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["Очки", "2"]
    save_plots({"classes": plot}, tmp_path)  # without matplotlib's own warnings, which are errors

import math

from icgan_sdk.evaluation.report.markdown import (
    NONE,
    Section,
    code,
    document,
    number,
    percent,
    share_cell,
    table,
)


def test_neighbours_with_the_same_heading_become_one_section() -> None:
    sections = [Section("A", ["one"]), Section("A", ["two"]), Section("B", []), Section("A", ["x"])]
    text = document("Title", "Introduction.", sections)
    assert text == "# Title\n\nIntroduction.\n\n## A\n\none\n\ntwo\n\n## B\n\n## A\n\nx\n"


def test_columns_without_figures_are_left_out_and_numbers_are_aligned() -> None:
    rows = [("`a`", "-1.5", NONE, "x"), ("`b`", NONE, NONE, "2")]
    assert table(("name", "figure", "none", "text"), rows).splitlines() == [
        "| name | figure | text |",
        "| --- | ---: | --- |",
        "| `a` | -1.5 | x |",
        "| `b` | – | 2 |",
    ]
    assert table(("name", "figure"), []) == "| name | figure |\n| ---: | ---: |"


def test_cells() -> None:
    assert [code("a\nb"), code("a`b")] == ["`a b`", "`` a`b ``"]
    assert [code("a|b"), percent(0.5), share_cell(1 / 3), number(1234.56)] == [
        "`a\\|b`",
        "50.00 %",
        "33.33",
        "1235",
    ]
    assert {
        show(value) for show in (percent, share_cell, number) for value in (None, math.nan)
    } == {NONE}

import json
from pathlib import Path

import pytest

from icgan_sdk.errors import DatasetError
from icgan_sdk.versioned import JsonFormat

FORMAT = JsonFormat(version=2, error=DatasetError, remedy="write it again")


def test_values_come_back_without_the_version(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(FORMAT.to_json({"names": ["ä"], "size": 1}), encoding="utf-8")
    assert next(iter(json.loads(path.read_text("utf-8")))) == "format_version"
    assert FORMAT.read(path, required=("names",)) == {"names": ["ä"], "size": 1}


def test_older_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"format": 1, "size": 1}')
    assert JsonFormat(version=2, error=DatasetError, key="format").read(path) == {"size": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", r"is damaged: it is not valid JSON \(.*\); write it again"),
        ("[" * 100_000, "is not valid JSON"),
        ("\x80", "is not valid JSON"),
        ("[]", "must hold a JSON object, not list"),
        ("{}", "format_version must be a whole number, not None"),
        ('{"format_version": true}', "format_version must be a whole number, not True"),
        ('{"format_version": 0}', "format_version must be a whole number, not 0"),
        ('{"format_version": 3}', r"reads up to 2; upgrade it: .*, or write it again"),
        ('{"format_version": 2, "size": 1}', "is damaged: names missing; write it again"),
    ],
)
def test_files_that_cant_be_read_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DatasetError, match=problem):
        FORMAT.read(path, required=("size", "names"))
    with pytest.raises(DatasetError, match="can't be read"):
        FORMAT.read(tmp_path)

"""Streams: a record of each picture, in order, whatever happens to one."""

import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk import (
    ConfigError,
    EditResult,
    IcGAN,
    ImageError,
    NoFaceFoundError,
    ShapeError,
    UnknownAttributeError,
)
from icgan_sdk.artefacts.quality import Quality, write_quality
from icgan_sdk.artefacts.store import save_artefact
from icgan_sdk.config import ModelConfig
from tests.conftest import CARD, tiny_networks


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    draws = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for path in paths:
        Image.fromarray(draws.integers(0, 255, (20, 24, 3), np.uint8)).save(path)
    paths[2].write_text("no picture")
    return paths


def test_each_picture_has_its_record(tiny_model: IcGAN, files: list[Path]) -> None:
    results = list(
        tiny_model.stream(files, Smiling=1, on_error="skip", align="none", paste_back=True)
    )
    assert [result.number for result in results] == list(range(6))
    assert [Path(result.source) for result in results] == files
    for number, result in enumerate(results):
        if number == 2:
            assert result.image is None
            assert isinstance(result.error, ImageError)
            continue
        assert result.error is None
        assert result.image is not None
        one = tiny_model.edit(files[number], Smiling=1, align="none", paste_back=True)
        assert np.array_equal(np.asarray(result.image), np.asarray(one))
        assert result.scores == tiny_model.predict_attributes(files[number], align="none")


def test_the_first_error_ends_a_stream_unless_it_is_to_go_on(
    tiny_model: IcGAN, files: list[Path]
) -> None:
    results = tiny_model.stream(files, Smiling=1, align="none")
    assert next(results).number == 0
    assert next(results).number == 1
    with pytest.raises(ImageError, match=r"2\.png"):
        next(results)


def test_pictures_are_taken_as_they_are_needed(tiny_model: IcGAN) -> None:
    taken: list[int] = []

    def pictures() -> Iterator[Image.Image]:
        for number in range(1000):
            taken.append(number)
            yield Image.new("RGB", (16, 16), (number % 256, 90, 90))

    results = tiny_model.stream(pictures(), Smiling=1, align="none", at_once=2)
    for _ in range(4):
        next(results)
    assert len(taken) < 20
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 20


def test_squares_go_through_the_networks_together(
    tiny_model: IcGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    encode = tiny_model._engine.encode

    def counting(images: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> object:
        batches.append(len(images))
        return encode(images)

    monkeypatch.setattr(tiny_model._engine, "encode", counting)
    squares = [torch.full((3, 16, 16), 0.01 * n) for n in range(70)]
    squares[66] = torch.zeros(3, 7, 7)
    results = list(tiny_model.stream(squares, Smiling=1, on_error="skip", at_once=1))
    assert batches[0] == 64
    assert [r.number for r in results] == list(range(70))
    assert isinstance(results[66].error, ShapeError)
    assert all(r.image is not None for r in results if r.number != 66)
    assert all(r.source == "" for r in results)


def test_a_photo_without_a_face_is_an_error_of_its_own(tiny_config: ModelConfig) -> None:
    from icgan_sdk.config import CELEBA_CROP

    model = IcGAN(tiny_networks(replace(tiny_config, crop=CELEBA_CROP)), device="cpu")
    landscape = Image.new("RGB", (90, 60), "green")
    aligned = Image.new("RGB", (178, 218), "green")
    first, second = model.stream([landscape, aligned], Smiling=1, on_error="skip")
    assert isinstance(first.error, NoFaceFoundError)
    assert second.image is not None


def test_records_tell_what_a_single_edit_warns_of(tiny_config: ModelConfig, tmp_path: Path) -> None:
    networks = tiny_networks(replace(tiny_config, painter_size=16, painter_width=4))
    save_artefact(networks, tmp_path / "model", card=CARD)
    write_quality(tmp_path / "model", Quality({"Male": 0.1}, {}))
    model = IcGAN.from_pretrained(tmp_path / "model", device="cpu")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    score = model.predict_attributes(photo)["Smiling"]
    (result,) = model.stream([photo], Male=1, Smiling=score)  # no warning, or it would be an error
    assert result.already_there == ("Smiling",)
    assert result.not_real_yet == ("Male",)


def test_records_can_be_pickled_and_hold_no_model(tiny_model: IcGAN, files: list[Path]) -> None:
    results = list(tiny_model.stream(files, Smiling=1, on_error="skip", align="none"))
    for result in results:
        again: EditResult = pickle.loads(pickle.dumps(result))
        assert (again.number, again.source, again.scores) == (
            result.number,
            result.source,
            result.scores,
        )
        assert str(again.error) == str(result.error)
    assert len(pickle.dumps(replace(results[0], image=None))) < 4096


def test_wrong_requests_are_refused_before_the_first_picture(tiny_model: IcGAN) -> None:
    for error, options in (
        (UnknownAttributeError, {"Smilin": 1}),
        (ConfigError, {"Smiling": 1, "on_error": "ignore"}),
        (ConfigError, {"Smiling": 1, "at_once": 0}),
        (ConfigError, {"Smiling": 1, "paste_back": "maybe"}),
    ):
        with pytest.raises(error):
            tiny_model.stream([], **options)


def test_cores_are_shared_only_meanwhile(exported: Path) -> None:
    model = IcGAN.from_pretrained(exported, runtime="onnx")
    model.share_cores(3)
    results = model.stream([Image.new("RGB", (16, 16))] * 3, Smiling=1, align="none", at_once=2)
    next(results)
    assert model._engine.share_cores(2) == 2
    list(results)
    assert model._engine.share_cores(3) == 3

"""People stay the same as far as a face-recognition network can say."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import ImageFilter
from torch import Tensor

from icgan_sdk import IcGAN
from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.data import PreparedDataset
from icgan_sdk.evaluation.metrics.bench import Bench
from icgan_sdk.evaluation.metrics.measuring import measure_alone
from icgan_sdk.evaluation.metrics.same_person import SamePerson, SamePersonMetric
from icgan_sdk.evaluation.metrics.seeing import RealPictures
from icgan_sdk.model import IcGANNetworks
from icgan_sdk.model.compositing import Detail
from icgan_sdk.model.face_recognition import SAME_PERSON
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.pictures.arrays import picture_to_array
from tests.conftest import tiny_networks

PORTRAIT = Path(__file__).parents[3] / "examples" / "astronaut.jpg"


class Faithful(IcGANNetworks):
    """Hides the picture in z, and gives it back whatever y says."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x.new_zeros(len(x), self.config.n_attributes)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        return z.view(len(z), 3, 16, 16)


@pytest.fixture
def aligned(tiny_config: ModelConfig) -> ModelConfig:
    return replace(tiny_config, crop=CELEBA_CROP)


def measure(
    networks: IcGANNetworks, data: PreparedDataset, detail: Detail = "generated"
) -> SamePerson:
    bench = Bench(networks.eval(), RealPictures(data, {}), detail=detail)
    return measure_alone(SamePersonMetric(bench, limit=4))


def test_the_network_knows_a_person_again() -> None:
    model = IcGAN.from_pretrained("celeba", device="cpu")
    config = model.config.photo
    portrait = model.invert(PORTRAIT).square
    blurred = portrait.filter(ImageFilter.GaussianBlur(1))
    other = model.sample(1, seed=0)[0].resize(portrait.size)
    pictures = [portrait, blurred, other.convert("RGB")]
    images = torch.stack([torch.from_numpy(picture_to_array(p, config)) for p in pictures])
    faces = face_vectors(config)
    assert faces is not None
    vectors = faces(images)
    distances = (vectors - vectors[0]).norm(dim=1)
    assert distances[0] == 0
    assert 0 < distances[1] < SAME_PERSON < distances[2]


@pytest.mark.parametrize("detail", ["generated", "photo"])
def test_pictures_that_stay_show_the_same_person(
    faces: PreparedDataset, aligned: ModelConfig, detail: Detail
) -> None:
    found = measure(Faithful(aligned), faces.part("train"), detail)
    for recognition in (found.reconstructed, found.edited):
        assert recognition is not None
        assert (recognition.pictures, recognition.same) == (4, 1)
        assert recognition.distance < 1e-6


def test_other_pictures_are_farther_away(faces: PreparedDataset, aligned: ModelConfig) -> None:
    networks = tiny_networks(aligned)
    found = measure(networks, faces.part("train"))
    assert found.reconstructed is not None
    assert found.reconstructed.distance > 0.05
    assert measure(networks, faces.part("train")) == found


def test_what_shows_no_aligned_faces_is_not_judged(
    faces: PreparedDataset, tiny_config: ModelConfig
) -> None:
    drawings = measure(tiny_networks(tiny_config), faces.part("train"))
    assert drawings == SamePerson(None, None)
    assert SamePersonMetric.section(drawings, tiny_config, {}) is None
    assert SamePersonMetric.summary(drawings, tiny_config) == []


def test_the_report_shows_shares_and_distances(
    faces: PreparedDataset, aligned: ModelConfig
) -> None:
    found = measure(Faithful(aligned), faces.part("train"))
    section = SamePersonMetric.section(found, aligned, {})
    assert section is not None
    assert "100.00 %" in str(section.blocks)
    lines = SamePersonMetric.summary(found, aligned)
    assert [line.value for line in lines] == ["100.00 %", "100.00 %"]

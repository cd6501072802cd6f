"""The loss that keeps the person."""

import pytest
import torch

from icgan_sdk.config import CELEBA_CROP, ModelConfig
from icgan_sdk.model.face_recognition import FaceVectors
from icgan_sdk.model.face_vectors import face_vectors
from icgan_sdk.pictures.arrays import fit_picture, picture_to_array
from icgan_sdk.pictures.opening import open_picture
from icgan_sdk.training.losses import identity_loss
from tests.photo.conftest import PORTRAIT

CONFIG = ModelConfig(crop=CELEBA_CROP)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def faces() -> FaceVectors:
    found = face_vectors(CONFIG)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def person() -> torch.Tensor:
    square = fit_picture(open_picture(PORTRAIT, 3), CONFIG.picture_size, CELEBA_CROP)
    return torch.from_numpy(picture_to_array(square, CONFIG))[None]


def test_a_picture_shows_its_own_person(faces: FaceVectors, person: torch.Tensor) -> None:
    blurred = torch.nn.functional.avg_pool2d(person, 5, stride=1, padding=2)
    other = person.flip(2)
    losses = [float(identity_loss(faces, x, person, seeded())) for x in (person, blurred, other)]
    assert losses[0] == 0
    assert 0.01 < losses[1] < losses[2]
    assert float(identity_loss(faces, blurred, person, seeded(1))) != losses[1], "the cut moves"


def test_its_gradient_leads_to_the_person(faces: FaceVectors, person: torch.Tensor) -> None:
    image = torch.nn.functional.avg_pool2d(person, 9, stride=1, padding=4).requires_grad_()
    optimiser = torch.optim.Adam([image], 0.01)
    losses = []
    for step in range(8):
        loss = identity_loss(faces, image, person, seeded(step))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0], losses


def test_pictures_count_as_told(faces: FaceVectors, person: torch.Tensor) -> None:
    pair = torch.cat([person, person])
    images = torch.cat([person, person.flip(2)])
    left, right = torch.eye(2)
    assert float(identity_loss(faces, images, pair, seeded(), left)) == 0
    only = float(identity_loss(faces, images, pair, seeded(), right))
    both = float(identity_loss(faces, images, pair, seeded()))
    assert only == pytest.approx(2 * both, rel=1e-4)

"""dlib's network as one of torch sees what dlib's own sees."""

from pathlib import Path

import dlib
import numpy as np
import pytest
import torch
from PIL import Image

from icgan_sdk.artefacts import dlib_faces
from icgan_sdk.artefacts.dlib_faces import NETWORK, load_face_recognition, weights_of_faces
from icgan_sdk.errors import ConfigError, ModelFormatError
from icgan_sdk.model.face_recognition import CHIP

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_vectors_are_dlibs() -> None:
    portraits = [Image.open(EXAMPLES / name) for name in ("astronaut.jpg", "collins.jpg")]
    chips = [np.asarray(portrait.convert("RGB").resize((CHIP, CHIP))) for portrait in portraits]
    original = dlib.face_recognition_model_v1(str(weights_of_faces(NETWORK)))
    expected = torch.tensor(np.array(original.compute_face_descriptor(chips)))
    pixels = torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2) / 127.5 - 1
    vectors, maps = load_face_recognition()(pixels)
    torch.testing.assert_close(vectors, expected.float(), atol=1e-5, rtol=0)
    assert [found.shape[1] for found in maps[::3]] == [32, 64, 64, 128, 256]


def test_gradients_reach_the_pictures() -> None:
    chips = torch.zeros(1, 3, CHIP, CHIP, requires_grad=True)
    network = load_face_recognition()
    network(chips)[0].square().sum().backward()
    assert chips.grad is not None
    assert chips.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("kept", [0, 100, 10_000_000, -1])
def test_damaged_files_are_told(kept: int, tmp_path: Path) -> None:
    whole = weights_of_faces(NETWORK).read_bytes()
    damaged = tmp_path / "network.dat"
    damaged.write_bytes(whole[:kept] if kept >= 0 else whole.replace(b"con_4", b"con_9", 1))
    with pytest.raises(ModelFormatError, match=r"network\.dat is not dlib's"):
        load_face_recognition(damaged)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlib_faces, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'icgan-sdk\[identity\]'"):
        load_face_recognition()

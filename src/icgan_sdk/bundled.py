"""Files that come with the package."""

from importlib.resources import files
from pathlib import Path

BUNDLED_ROOT = Path(str(files("icgan_sdk") / "pretrained"))
"""Folder of the bundled models."""

FACES_FILE = BUNDLED_ROOT / "face_recognition.safetensors"
"""Weights of the face-recognition network, see `icgan_sdk.model.face_vectors`.

Encoders have learnt with it and graphs point into it, so the file must stay as it is.
"""

FACTOR = ".factor"
"""What the name of a weight's factors ends in, in that file: one for the bytes of each output."""

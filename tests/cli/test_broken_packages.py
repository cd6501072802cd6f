"""Packages that are installed but can't be loaded: one line says which, and what helps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from icgan_sdk.checks import require
from icgan_sdk.errors import ConfigError

PHOTO = Path(__file__).parents[2] / "examples" / "collins.jpg"
EDIT = ["edit", str(PHOTO), "Eyeglasses=1", "-o", "out.png"]


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command in a process whose packages in `folder` come first."""
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "icgan_sdk.cli.main", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize(
    ("package", "code", "command", "helps"),
    [
        ("onnxruntime", "raise ImportError('DLL load failed: x')", EDIT, "Visual C++"),
        ("onnxruntime", "raise AttributeError('_ARRAY_API not found')", EDIT, "another NumPy"),
        ("onnxruntime", "raise OSError('cannot enable executable stack')", EDIT, "newer release"),
        ("onnxruntime", "1 / 0", EDIT, "--runtime torch"),
        ("torch", "raise OSError('libcudnn.so.9: no such file')", [*EDIT, "--refine", "1"],
         "--runtime onnx"),
        ("torch", "import no_such_part", [*EDIT, "--runtime", "torch"], "no_such_part"),
        ("torch", "raise RuntimeError('x')", ["data", "info", "nowhere"], "force-reinstall torch"),
        ("numpy", "raise ImportError('numpy.core.multiarray failed')", EDIT, "another NumPy"),
        ("PIL", "raise ImportError('libjpeg.so.62')", EDIT, "libjpeg.so.62"),
        ("huggingface_hub", "raise SyntaxError('x')", ["pull", "o/n"], "reinstall huggingface_hub"),
        ("onnx", "raise TypeError('Descriptors cannot be created directly')",
         ["export", "mnist", "-o", "x"], "Descriptors cannot be created directly"),
        ("gradio", "raise OSError('x')", ["demo"], "--force-reinstall gradio"),
    ],
)  # fmt: skip
def test_a_broken_package_is_named(
    package: str, code: str, command: list[str], helps: str, tmp_path: Path
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(code)
    done = run(tmp_path, command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"icgan: error: {package} is installed, but can't be loaded: "), (
        done.stderr
    )
    assert helps in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("code", ["raise OSError('libheif.so')", "raise ImportError('x')", "1 / 0"])
def test_a_broken_reader_of_phones_photos_ends_only_those(code: str, tmp_path: Path) -> None:
    (tmp_path / "pi_heif.py").write_text(code)
    (tmp_path / "me.heic").write_bytes(b"what no plugin knows")
    from PIL import Image

    with Image.open(PHOTO) as photo:
        photo.save(tmp_path / "you.webp")
    done = run(tmp_path, ["edit", "you.webp", "me.heic", "Eyeglasses=1", "-o", "out"])
    assert done.returncode == 1
    assert (tmp_path / "out" / "you.png").is_file()
    assert (
        "me.heic is not an image in a format that is read; pi_heif is installed, but can't be"
        in (done.stderr)
    )
    assert done.stderr.count("\n") == 1


def test_what_is_missing_is_not_called_broken(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['safetensors'] = None")
    done = run(tmp_path, ["info", "mnist"])
    assert done.stderr == (
        "icgan: error: this needs safetensors, which is not installed: "
        "pip install icgan-sdk brings it\n"
    )
    with pytest.raises(ConfigError, match="get it"):
        require("no_such_package.part", "get it")

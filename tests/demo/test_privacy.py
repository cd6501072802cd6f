"""What leaves the demo says nothing beside its pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from icgan_sdk import IcGAN
from icgan_sdk.demo.full_size import full_size
from icgan_sdk.demo.parts import Upload, shown
from tests.photo.conftest import PORTRAIT

MARK = b"SECRET"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photo(path: Path, size: tuple[int, int] = (356, 436)) -> Path:
    """A portrait whose file tells all that its format can."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = exif[0x010F] = MARK.decode()
    exif.get_ifd(0x8769).update({0xA431: MARK.decode(), 0x927C: MARK, 0x9286: MARK})
    exif.get_ifd(0x8825).update({1: "N", 2: (10.0, 20.0, 30.0), 29: MARK.decode()})
    exif[0x8769] = exif[0x8825] = 0
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARK + b"</x:xmpmeta>"
    with Image.open(PORTRAIT) as opened:
        picture = opened.convert("RGB").resize(size)
    options: dict[str, Any] = {"exif": exif, "xmp": xmp, "icc_profile": PROFILE}
    if path.suffix == ".png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", MARK.decode())
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.save(path, pnginfo=texts, exif=exif, icc_profile=PROFILE)
    elif path.suffix == ".jpg":
        picture.save(path, comment=MARK, quality=71, **options)
    else:
        picture.save(path, **options)
    assert MARK in path.read_bytes()
    return path


@pytest.fixture(scope="module")
def celeba() -> IcGAN:
    return IcGAN.from_pretrained("celeba", runtime="onnx")


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", ["me.jpg", "me.png", "me.webp", "me.tif"])
def test_full_size_downloads(name: str, whole: bool, celeba: IcGAN, tmp_path: Path) -> None:
    path = photo(tmp_path / name)
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    written = full_size(
        celeba, Upload(path, name), picture, {"Eyeglasses": 1.0},
        face="largest", detail="auto", whole=whole,
    )  # fmt: skip
    assert MARK not in written.read_bytes()
    with Image.open(written) as result, Image.open(path) as original:
        assert not result.getexif()
        assert not {"comment", "xmp", "photoshop", "XML:com.adobe.xmp"} & set(result.info)
        assert result.info.get("icc_profile") == (PROFILE if whole else None)
        if isinstance(result, JpegImageFile) and whole:  # as good as it was
            assert isinstance(original, JpegImageFile)
            assert result.quantization == original.quantization


def test_pictures_of_every_tab_are_written_by_one_function(tmp_path: Path) -> None:
    for name in ("me.jpg", "me.png", "me.webp", "me.tif"):
        with Image.open(photo(tmp_path / name)) as picture:
            picture.load()
            before = dict(picture.info)
            written = Path(shown(picture, "original"))
            assert dict(picture.info) == before
        assert MARK not in written.read_bytes()
        with Image.open(written) as result:
            assert set(result.info) <= {"icc_profile"}
            assert result.info["icc_profile"] == PROFILE
    sources = Path("src/icgan_sdk/demo").glob("*.py")
    saving = [path.name for path in sources if ".save(" in path.read_text(encoding="utf-8")]
    assert saving == ["parts.py"]


def test_an_orientation_is_applied(celeba: IcGAN, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(PORTRAIT) as opened:
        upright = opened.convert("RGB")
    upright.rotate(90, expand=True).save(tmp_path / "me.png", exif=exif)
    written = full_size(
        celeba, Upload(tmp_path / "me.png", "me.png"), upright, {"Eyeglasses": 1.0},
        face="largest", detail="auto", whole=True,
    )  # fmt: skip
    with Image.open(written) as result:
        assert 0x0112 not in result.getexif()
        assert result.size == upright.size
        difference = np.abs(np.asarray(result, int) - np.asarray(upright, int))
        assert np.median(difference) == 0

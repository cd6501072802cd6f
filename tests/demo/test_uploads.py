"""Pictures from strangers."""

import struct
import zlib
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from icgan_sdk.demo.uploads import KEPT_SIDE, accept_upload, read_upload
from icgan_sdk.errors import ImageError


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG that says it is that large, in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("side", [8_000, 30_000])
def test_bombs_are_refused_by_their_header(tmp_path: Path, side: int) -> None:
    path = bomb(tmp_path / "x.png", side, side)
    with pytest.raises(ImageError, match=r"holiday\.png has (8000×8000|too many) pixels"):
        read_upload(path, "holiday.png")


def test_damaged_files_are_named_as_the_visitor_named_them(tmp_path: Path) -> None:
    path = tmp_path / "secret_folder.png"
    path.write_text("no picture")
    with pytest.raises(ImageError, match=r"^me\.png is not a picture that can be read$"):
        read_upload(path, "me.png")
    Image.new("RGB", (40, 40), "red").save(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError, match=r"^me\.png can't be read, it may be damaged$"):
        read_upload(path, "me.png")


def test_pictures_come_upright_and_no_larger_than_kept(tmp_path: Path) -> None:
    pixels = np.zeros((2000, 3000, 3), dtype=np.uint8)
    pixels[:, :1500] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: the left is the top
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    picture = read_upload(tmp_path / "x.jpg", "x.jpg")
    assert picture.mode == "RGB"
    assert (picture.height, picture.width) == (KEPT_SIDE, round(KEPT_SIDE * 2 / 3))
    assert picture.getpixel((300, 10)) == (255, 255, 255)
    assert picture.getpixel((300, KEPT_SIDE - 10)) == (0, 0, 0)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../../etc/passwd", "http://127.0.0.1/x.png"])
def test_only_uploaded_files_are_read(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with pytest.raises(gr.Error, match="Upload the picture itself"):
        accept_upload({"path": path, "orig_name": "x.png"})


def test_links_out_of_the_uploads_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (uploads / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(gr.Error, match="Upload the picture itself"):
        accept_upload({"path": str(uploads / "link.png")})
    Image.new("RGB", (8, 8)).save(uploads / "mine.png")
    accepted = accept_upload({"path": str(uploads / "mine.png")})
    assert accepted is not None
    assert accepted.size == (8, 8)


def test_messages_are_not_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "x").write_text("no picture")
    with pytest.raises(gr.Error) as raised:
        accept_upload({"path": str(tmp_path / "x"), "orig_name": "<img src=x onerror=alert(1)>"})
    assert "<" not in raised.value.message

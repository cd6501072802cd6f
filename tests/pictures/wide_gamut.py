"""A wide-gamut colour profile, as phones and cameras embed it."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms


def wide_gamut() -> bytes:
    """The profile of Display P3: sRGB's of Little CMS with other primaries."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Colorants in XYZ under the profile's D50 white.
    primaries = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2919, 0.6922, 0.0419),
        b"bXYZ": (0.1572, 0.0666, 0.7841),
    }
    (tags,) = struct.unpack_from(">I", profile, 128)
    for i in range(tags):
        name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * i)
        if name in primaries:
            numbers = [round(value * 65536) for value in primaries[name]]
            struct.pack_into(">3i", profile, offset + 8, *numbers)
    return bytes(profile)


def as_wide_gamut(picture: Image.Image) -> Image.Image:
    """An sRGB picture whose colours are written as a phone would: other numbers, same look."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    wide = ImageCms.ImageCmsProfile(BytesIO(wide_gamut()))
    converted = ImageCms.profileToProfile(picture, srgb, wide)
    assert converted is not None
    converted.info["icc_profile"] = wide_gamut()
    return converted


def difference(a: Image.Image, b: Image.Image) -> int:
    """The largest difference of two pictures' numbers."""
    return int(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).max())

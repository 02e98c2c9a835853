"""One picture file: what it may be, and its pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from wae.data.errors import DataError

FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # no others: Pillow starts other programs for some formats
GREY = ("1", "L", "LA")  # Pillow's modes without colour
PIXELS = 1 << 25  # of one picture, unless its data set says more; 33 million are an 8K screen
BITS_PER_SAMPLE = 258  # TIFF's tag
TURNS = {  # EXIF's orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit, which no entry could lift: PIXELS is stricter


def decoded(name: str, content: bytes) -> np.ndarray:
    """A picture as uint8 (1 or 3, h, w)."""
    with picture(name, content) as image:
        pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@contextmanager
def picture(name: str, content: bytes, most: int = 0) -> Iterator[Image.Image]:
    """The one picture of a file, turned upright by its EXIF data.

    DataError if it is not opaque, has more than 8 bits per channel or more than `most` pixels (0: PIXELS), or holds
    several frames. Errors while it is open, such as a damaged file, raise DataError too.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _suitable(name, image, content, most or PIXELS)
            image.load()  # Pillow turns a TIFF here, and deletes its orientation
            turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            yield image if turn is None else image.transpose(turn)
    except DataError:
        raise
    except UnidentifiedImageError as error:  # Pillow's message names only an object in memory
        raise DataError(_unknown(name, content)) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{name} is no picture that can be read: {error}") from error


def _unknown(name: str, content: bytes) -> str:
    found = "it is empty" if not content else f"its bytes are not recognised as {', '.join(FORMATS)}"
    return f"{name} is no picture that can be read: {found}"


def _suitable(name: str, image: Image.Image, content: bytes, most: int) -> None:
    if _deep(image, content):
        raise DataError(
            f"{name} has more than 8 bits a channel (mode {image.mode}), and which of its values is white is not "
            "known; write it as an 8-bit picture, or the whole set as floats from 0 to 1 in a .npy"
        )
    if image.width * image.height > most:  # known before anything is decoded
        raise DataError(
            f"{name} has {image.width:,}x{image.height:,} pixels; at most {most:,} are decoded, "
            "or as many as `pixels` of its data set says"
        )
    # A camera's JPEG may hold a preview or a gain map after the photograph (MPO).
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise DataError(f"{name} holds several frames or pages; here a file is one picture")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise DataError(f"{name} is transparent in places, and what is behind it is not known; lay it over a colour")


def _deep(image: Image.Image, content: bytes) -> bool:
    """Whether a file has more than 8 bits a channel. Pillow's mode does not say: it cuts 16-bit colour to 8."""
    deep = image.mode.startswith(("I", "F"))
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return deep or max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))) > 8
    if image.format == "PNG":
        return deep or content[24] > 8  # the bit depth of IHDR, which is always the first chunk
    return deep or (image.format == "PPM" and _most(content) > 255)


def _most(content: bytes) -> int:
    """The largest value that a PBM, PGM or PPM file announces; 1 for PBM."""
    kind, *header = b" ".join(line.split(b"#")[0] for line in content[:4096].split(b"\n")).split()[:4]
    return int(header[2]) if kind not in (b"P1", b"P4") and len(header) > 2 and header[2].isdigit() else 1

"""A picture with more than 8 bits a channel is refused: which of its values is white is not known."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from wae.data.errors import DataError
from wae.data.fitting import Fit
from wae.data.images import decode_all
from wae.data.picture import decoded

H, W = 6, 5
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # PNG's colour type (ISO/IEC 15948, 11.2.2) -> its channels


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(colour: int, bits: int) -> bytes:
    """A PNG by hand: Pillow writes no 16-bit colour. Alpha, where there is one, is opaque."""
    values = np.arange(H * W * CHANNELS[colour]).reshape(H, W, -1) % (1 << min(bits, 8))
    if colour in (4, 6):
        values[..., -1] = (1 << bits) - 1
    rows = values.astype(">u2" if bits == 16 else "u1").reshape(H, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def tiff(channels: int, bits: int, order: str = "<") -> bytes:
    """A TIFF by hand (TIFF 6.0): one strip, without compression; a second or fourth channel is opaque alpha."""
    values = np.arange(H * W * channels).reshape(H, W, channels) % 256
    if channels in (2, 4):
        values[..., -1] = (1 << bits) - 1
    pixels = values.astype(f"{order}u{bits // 8}").tobytes()
    depths = struct.pack(f"{order}{channels}H", *[bits] * channels)
    tags = [
        (256, 4, 1, W), (257, 4, 1, H), (258, 3, channels, 8), (259, 3, 1, 1), (262, 3, 1, 2 if channels > 2 else 1),
        (273, 4, 1, 16), (277, 3, 1, channels), (278, 4, 1, H), (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    tags += [(338, 3, 1, 2)] if channels in (2, 4) else []
    body = depths.ljust(8, b"\0") + pixels
    directory = struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        small = struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value)
        if tag == 258 and count < 3:  # it fits into its entry
            small = depths.ljust(4, b"\0")
        directory += struct.pack(f"{order}HHI", tag, kind, count) + small
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    return header + body + directory + bytes(4)


def pnm(kind: int, most: int) -> bytes:
    channels = 3 if kind == 6 else 1
    values = np.arange(H * W * channels) % 256
    return f"P{kind} {W} {H} {most}\n".encode() + values.astype(">u2" if most > 255 else "u1").tobytes()


DEEP: dict[str, bytes] = {
    "png grey": png(0, 16), "png colour": png(2, 16), "png grey alpha": png(4, 16), "png colour alpha": png(6, 16),
    "tiff grey": tiff(1, 16), "tiff grey, big-endian": tiff(1, 16, ">"), "tiff colour": tiff(3, 16),
    "tiff colour, big-endian": tiff(3, 16, ">"), "tiff colour alpha": tiff(4, 16),
    "tiff 32 bits": tiff(1, 32), "pgm": pnm(5, 65535), "pgm of 12 bits": pnm(5, 4095), "ppm": pnm(6, 65535),
}  # fmt: skip
READERS: dict[str, Callable[[bytes], np.ndarray]] = {
    "score": lambda content: decoded("a/x.png", content)[None],
    "prepare": lambda content: decode_all([("a/x.png", content)], fit=Fit((3, H, W), None, None)),
}


@pytest.mark.parametrize("case", DEEP)
@pytest.mark.parametrize("reader", READERS)
def test_more_than_8_bits_are_refused_not_cut(case: str, reader: str) -> None:
    with pytest.raises(DataError, match=r"^a/x\.png has more than 8 bits a channel .*8-bit.*\.npy") as caught:
        READERS[reader](DEEP[case])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "channels"), [(png(0, 8), 1), (png(2, 8), 3), (png(4, 8), 2), (png(6, 8), 4),
    (tiff(1, 8), 1), (tiff(3, 8), 3), (tiff(3, 8, ">"), 3), (tiff(2, 8), 2), (tiff(4, 8), 4), (pnm(5, 255), 1),
    (pnm(6, 255), 3)])  # fmt: skip
def test_8_bits_by_the_same_hands_are_read_as_they_are(content: bytes, channels: int) -> None:
    values = (np.arange(H * W * channels) % 256).reshape(H, W, channels).transpose(2, 0, 1)
    shown = {1: 1, 2: 1, 3: 3, 4: 3}[channels]
    np.testing.assert_array_equal(decoded("x", content), values[:shown])


def test_fewer_bits_are_stretched_to_white() -> None:
    assert decoded("x", pnm(5, 255)).max() == 29
    few = f"P5 {W} {H} 1\n".encode() + bytes(i % 2 for i in range(H * W))
    np.testing.assert_array_equal(decoded("x", few).ravel()[:4], [0, 255, 0, 255])


def test_the_hand_made_files_are_what_pillow_takes_them_for() -> None:
    assert {Image.open(io.BytesIO(content)).size for content in DEEP.values()} == {(W, H)}


def test_a_tiff_that_pillow_does_not_know_is_refused_too() -> None:
    with pytest.raises(DataError, match="x is no picture that can be read"):
        decoded("x", tiff(2, 16))

"""Faces, painted from back to front. Lengths are in half pictures. A head turns like an ellipsoid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wae.data.canvas import Array, Region, capsule, ellipse, smooth

Sitters = Mapping[str, Array]
DARK = np.array([0.09, 0.06, 0.06], np.float32)[:, None, None]
WHITE = np.array([0.97, 0.96, 0.94], np.float32)[:, None, None]


def draw(sitters: Sitters, side: int) -> np.ndarray:
    """The faces as uint8 (n, 3, side, side)."""
    canvas = Region.blank(len(sitters["x"]), side)
    backdrop(canvas, sitters)
    whole = canvas.turned(sitters["x"], sitters["y"], sitters["tilt"])
    light = skull_light(whole, sitters)
    hair_behind(whole, sitters, light)
    shoulders(canvas, sitters)
    ears(whole, sitters, light)
    head(whole, sitters, light)
    middle = canvas.window(-0.66, -0.5, 0.66, 0.4).turned(sitters["x"], sitters["y"], sitters["tilt"])
    for side_of_face in (-1, 1):
        eye(middle, sitters, side_of_face)
    nose(middle, sitters)
    low = canvas.window(-0.6, 0.1, 0.6, 0.75).turned(sitters["x"], sitters["y"], sitters["tilt"])
    mouth(low, sitters)
    hair_before(whole, sitters, light)
    glasses(middle, sitters)
    levels: np.ndarray = np.rint(np.clip(canvas.pixels, 0, 1) * 255).astype(np.uint8)
    return levels


def across(sitters: Sitters, longitude: Array | float) -> tuple[Array, Array]:
    """The position of a point at this longitude (sine of its angle from the nose), and its visible part."""
    cos = np.sqrt(1 - np.square(longitude))
    sin_yaw, cos_yaw = np.sin(sitters["yaw"]), np.cos(sitters["yaw"])
    place = longitude * cos_yaw + cos * sin_yaw
    return sitters["width"] * place, np.sqrt(np.maximum(1 - place * place, 0.05)) / cos


def skull_light(region: Region, sitters: Sitters) -> Array:
    """Brightness of an ellipsoid under the light: ambient and Lambert's cosine."""
    u, v = region.x / (sitters["width"] * 1.12), region.y / (sitters["height_of_head"] * 1.12)
    depth = np.sqrt(np.maximum(1 - u * u - v * v, 0.04))
    scale = 1 / np.sqrt(sitters["light"] ** 2 + sitters["above"] ** 2 + 0.64)
    cosine = (u * sitters["light"] - v * sitters["above"] + depth * 0.8) * scale
    brightness: Array = 0.50 + 0.58 * np.maximum(cosine, 0)
    return brightness


def lit(colour: Array, light: Array) -> Array:
    """A colour under a field of light. Dark parts become a little warmer, as on skin and hair."""
    warmth = np.array([1.0, 0.97, 0.95], np.float32)[:, None, None]
    warm: Array = colour * light[:, None] * (warmth + (1 - warmth) * np.minimum(light, 1)[:, None])
    return warm


def backdrop(canvas: Region, sitters: Sitters) -> None:
    """A wall, brighter where the light falls."""
    glow = 0.93 + 0.10 * canvas.x * sitters["light"] - 0.09 * canvas.y
    canvas.pixels[...] = sitters["background"] * glow[:, None]


def hair_behind(region: Region, sitters: Sitters, light: Array) -> None:
    """The mass of hair behind the head: an ellipse, stretched downwards, with curls along its edge."""
    x = region.x + 0.10 * np.sin(sitters["yaw"])
    y = region.y + 0.10
    y = y - np.clip(y, 0, sitters["length"])
    radius = np.sqrt(x * x + y * y) + np.float32(1e-6)
    cos, sin = x / radius, y / radius
    for _ in range(4):  # the angle doubled four times: sixteen curls
        cos, sin = cos * cos - sin * sin, 2 * cos * sin
    grow = 1 + sitters["curls"] * cos
    flat = np.maximum(sitters["mass"], 0.01), np.maximum(sitters["height"], 0.01)
    distance = ellipse(x, y, flat[0] * grow, flat[1] * grow)
    region.paint(region.cover(distance), lit(sitters["hair"], 0.15 + 0.72 * light))


def shoulders(canvas: Region, sitters: Sitters) -> None:
    """A neck in the head's shadow, and a shirt."""
    low = canvas.window(-1, 0.2, 1, 1)
    x, y = low.x - sitters["x"], low.y - sitters["y"]
    side = 0.78 + 0.35 * x * sitters["light"]
    neck = np.maximum(np.abs(x) - 0.22 - 0.10 * smooth(0.75, 1.0, y), 0.3 - y)
    low.paint(low.cover(neck), lit(sitters["skin"], side - 0.22 * smooth(0.85, 0.5, y)))
    shirt = ellipse(x, y - 1.28, 0.92, 0.52)
    collar = -ellipse(x, y - 0.70, 0.25, 0.16)
    low.paint(low.cover(np.maximum(shirt, collar)), lit(sitters["shirt"], side + 0.2))


def ears(region: Region, sitters: Sitters, light: Array) -> None:
    """Two ears; the one that the head turns away from the viewer hides behind it."""
    for side in (-1, 1):
        x = region.x - side * sitters["width"] * 0.97 + 0.09 * np.sin(sitters["yaw"])
        outer = ellipse(x, region.y - 0.03, 0.085, 0.125)
        region.paint(region.cover(outer), lit(sitters["skin"], light * 0.92))
        inner = ellipse(x, region.y - 0.03, 0.04, 0.075)
        region.paint(0.5 * region.cover(inner), lit(sitters["skin"], light * 0.6))


def head(region: Region, sitters: Sitters, light: Array) -> None:
    """The face: an ellipse that narrows to the chin, with blushing cheeks."""
    down = np.clip(region.y / sitters["height_of_head"], 0, 1)
    x = region.x - 0.05 * np.sin(sitters["yaw"]) * down
    distance = ellipse(x / (1 - sitters["jaw"] * down * down), region.y, sitters["width"], sitters["height_of_head"])
    region.paint(region.cover(distance), lit(sitters["skin"], light))
    blush = np.array([0.90, 0.38, 0.36], np.float32)[:, None, None]
    for side in (-1, 1):
        place, shown = across(sitters, side * 0.52)
        cheek = np.maximum(1 - ((region.x - place) / (0.15 * shown)) ** 2 - ((region.y - 0.17) / 0.13) ** 2, 0)
        region.paint(sitters["blush"] * cheek, blush)


def eye(region: Region, sitters: Sitters, side: int) -> None:
    """White, iris, pupil and glint, the lid above, and the brow."""
    place, shown = across(sitters, side * sitters["eyes"])
    x, y = region.x - place, region.y + 0.04
    width = sitters["eye"] * np.minimum(shown, 1.1)
    almond = ellipse(x, y, width, sitters["lids"])
    region.paint(0.35 * region.cover(ellipse(x, y + 0.01, width * 1.3, sitters["lids"] * 1.6)), sitters["skin"] * 0.6)
    region.paint(region.cover(almond), WHITE)
    look = x - sitters["gaze"] - 0.03 * np.sin(sitters["yaw"])
    ring = ellipse(look, y, 0.046 * np.minimum(shown, 1), 0.046)
    region.paint(region.cover(np.maximum(almond, ring)), sitters["iris"])
    region.paint(region.cover(np.maximum(almond, ring + 0.022)), DARK)
    region.paint(0.9 * region.cover(ellipse(look - 0.018 * sitters["light"], y + 0.016, 0.012, 0.012)), WHITE)
    lid = np.maximum(np.abs(almond) - 0.010, y)
    region.paint(0.85 * region.cover(lid), DARK)
    brow = capsule(x, y + sitters["brow_height"], width * 1.15, side * sitters["brows"] + 0 * x, 0.017)
    region.paint(0.9 * region.cover(brow), 0.55 * sitters["hair"] + 0.1 * DARK)


def nose(region: Region, sitters: Sitters) -> None:
    """A ridge, bright on the side of the light and shaded on the other, over two nostrils."""
    sin = np.sin(sitters["yaw"])
    tip = (sitters["width"] + 0.06) * sin
    down = np.clip((region.y + 0.05) / (sitters["nose"] + 0.05), 0, 1)
    x = region.x - tip * (0.80 + 0.20 * down)
    fade = down * np.clip(1 - (region.y - sitters["nose"]) / 0.06, 0, 1) * (down > 0)
    half = 0.025 + 0.045 * down
    turn = sitters["light"] + 0.5 * sin
    for side in (-1, 1):
        flank = np.maximum(1 - ((x - side * half) / 0.045) ** 2, 0) * fade
        shade = np.where(side * turn > 0, 1.15, 0.62).astype(np.float32)
        region.paint(
            flank * np.minimum(0.25 + 0.5 * np.abs(turn), 0.6), np.minimum(sitters["skin"] * shade[:, None], 1)
        )
    region.paint(
        0.5 * region.cover(ellipse(x, region.y - sitters["nose"] - 0.028, sitters["nostrils"], 0.020)),
        sitters["skin"] * 0.45,
    )


def mouth(region: Region, sitters: Sitters) -> None:
    """Lips between two arcs; an open mouth shows teeth above and dark below."""
    place, shown = across(sitters, 0.0)
    width = sitters["mouth"] * shown
    x = region.x - place * 0.82  # the face is narrower here than at the eyes
    along = np.square(x / width)
    y = region.y - 0.365 + sitters["corners"] * (along - 0.5)
    bow = np.maximum(1 - along, 0)
    lips, gap = sitters["lips"] * bow + 0.006, sitters["opening"] * bow
    middle = y - 0.35 * gap
    ends = np.abs(x) - width
    outer = np.maximum(np.abs(middle) - lips - gap, ends)
    rose = 0.55 * sitters["skin"] + np.array([0.27, 0.05, 0.08], np.float32)[:, None, None]
    region.paint(region.cover(outer), rose)
    line = np.maximum(np.abs(middle) - np.maximum(gap, 0.009), ends)
    region.paint(region.cover(line), np.array([0.30, 0.08, 0.09], np.float32)[:, None, None])
    teeth = np.maximum(np.abs(middle + 0.45 * gap) - 0.5 * gap, ends + 0.02)
    region.paint(region.cover(teeth) * (sitters["opening"] > 0.015), WHITE)


def hair_before(region: Region, sitters: Sitters, light: Array) -> None:
    """Hair on the skull, above a hairline that falls to the sides, and its gloss."""
    sin = np.sin(sitters["yaw"])
    x = region.x + 0.03 * sin
    thick = sitters["thickness"]
    skull = ellipse(x, region.y, sitters["width"] + thick * 0.8, sitters["height_of_head"] + thick)
    off = region.x - 0.30 * sin - sitters["parting"]
    line = region.y - sitters["hairline"] - sitters["fall"] * off * off
    cover = region.cover(np.maximum(skull, line)) * (sitters["thickness"] > 0.02)
    band = np.maximum(1 - np.square((region.y + 0.42 + 0.35 * x * x) / 0.10), 0)
    region.paint(cover, lit(sitters["hair"], light * (0.92 + sitters["gloss"] * band)))


def glasses(region: Region, sitters: Sitters) -> None:
    """Round rims, a bridge and a faint reflection, for those who wear them."""
    places = []
    for side in (-1, 1):
        place, shown = across(sitters, side * sitters["eyes"])
        rim = ellipse(
            region.x - place, region.y + 0.035, sitters["lens"] * np.minimum(shown, 1.05), sitters["lens"] * 0.9
        )
        region.paint(0.13 * sitters["glasses"] * region.cover(rim), WHITE)
        region.paint(sitters["glasses"] * region.cover(np.abs(rim) - 0.014), DARK)
        places.append(place - side * sitters["lens"] * np.minimum(shown, 1.05))
    between = np.maximum(places[0] - region.x, region.x - places[1])
    region.paint(sitters["glasses"] * region.cover(np.maximum(between, np.abs(region.y + 0.06) - 0.013)), DARK)

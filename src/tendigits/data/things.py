"""Filled shapes with a texture: what a camera sees of things, where a reader expects ink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits import imaging

SIDE = imaging.SIDE
FINE = 8  # drawn so many times as large, then shrunk

CORNERS = 64  # of an outline
WAVES = 5  # harmonics that an outline deviates from an ellipse by
ROUGHNESS = 0.35  # of the first harmonic, times the radius; higher ones are smaller
LEAST_ASPECT = 0.45  # a narrower thing is read as a 1
SIDES = (14.0, 27.0)  # pixels: the longest side
MIRRORED = 0.7  # share of things that have an axis, as most made things have


def thing(random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a filled thing, plain, shaded, striped or rough, (28, 28) uint8."""
    texture = np.clip(_brightness(random), 0.15, 1)
    return np.asarray(np.round(255 * _shape(random) * texture), np.uint8)


def _shape(random: np.random.Generator) -> NDArray[np.float64]:
    """Return how much of each pixel a thing covers, (28, 28) in [0, 1]."""
    points = _outline(random)
    points *= random.uniform(*SIDES) / np.ptp(points, axis=0).max()
    points -= (points.min(axis=0) + points.max(axis=0)) / 2
    canvas = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    corners = np.round((points + SIDE / 2) * FINE).astype(np.int32)
    cv2.fillPoly(canvas, [corners], 255)
    return np.asarray(cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255)


def _outline(random: np.random.Generator) -> NDArray[np.float64]:
    """Return the corners of an outline around the origin, (CORNERS, 2)."""
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = np.ones(CORNERS)
    for wave in range(1, WAVES + 1):
        phase = 0 if random.random() < MIRRORED else random.uniform(0, 2 * np.pi)
        radius += ROUGHNESS * random.normal() / np.sqrt(wave) * np.cos(wave * angle + phase)
    radius = np.maximum(radius, 0.25)
    wide = random.uniform(LEAST_ASPECT, 1 / LEAST_ASPECT)
    # The axis of those that have one stands upright, or lies.
    across, along = radius * np.sin(angle) * wide, radius * np.cos(angle)
    return np.stack([across, along] if random.random() < 0.7 else [along, across], axis=1)


def _brightness(random: np.random.Generator) -> NDArray[np.float64]:
    """Return the brightness of a texture, (28, 28), about 0 to 1."""
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = random.uniform(0, 2 * np.pi)
    along = np.cos(angle) * rows + np.sin(angle) * columns
    bright = random.uniform(0.35, 1) + random.uniform(0, 0.4) * along
    bright += random.uniform(0, 0.3) * np.sign(np.sin(random.uniform(4, 25) * along))
    return np.asarray(bright + random.uniform(0, 0.2) * random.normal(size=(SIDE, SIDE)))

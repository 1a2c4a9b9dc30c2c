"""Ink that a hand adds to digits, as a bar through a 7, and to lines: points, commas, dashes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tendigits.results import Box

Ink = NDArray[np.float32]
Random = np.random.Generator

NARROW = 0.28  # heights: a 4 that is open by less has a pointed top once it is closed
SHIFT = 4  # bits of a fraction in cv2's coordinates


def stroke(ink: Ink, points: list[tuple[float, float]], pen: float) -> None:
    """Draw a broken line through points (x, y) into (H, W) ink, in place; `pen` in pixels."""
    fixed = np.rint(np.array(points) * 2**SHIFT).astype(np.int32).reshape(-1, 1, 2)
    layer = np.zeros(ink.shape, np.uint8)
    cv2.polylines(layer, [fixed], False, 255, max(1, round(pen)), cv2.LINE_AA, SHIFT)
    np.maximum(ink, layer / np.float32(255), out=ink)


def pad_sides(ink: Ink, width: int) -> Ink:
    """Return (H, W) ink with `width` empty columns on both sides."""
    return np.pad(ink, ((0, 0), (width, width)))


def cross_seven(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 7, (H, W), with a bar through its stem, as many Europeans write it."""
    height = ink.shape[0]
    y = height * random.uniform(0.42, 0.62)
    dark = np.flatnonzero(ink[int(y)] > 0.5)
    if not len(dark):
        return ink
    middle, reach = float(dark.mean()), height * random.uniform(0.16, 0.42)
    tilt = reach * random.uniform(-0.2, 0.25)
    margin = int(reach) + 2
    wide = pad_sides(ink, margin)
    middle += margin
    stroke(wide, [(middle - reach, y + tilt), (middle + reach, y - tilt)], pen)
    return wide


def flag_one(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 1, (H, W), with a flag on its top, and now and then a foot."""
    height = ink.shape[0]
    dark = np.flatnonzero(ink[: max(1, height // 8)].max(axis=0) > 0.5)
    if not len(dark):
        return ink
    margin = int(0.7 * height)
    wide = pad_sides(ink, margin)
    top = (float(dark.mean()) + margin, pen / 2)
    long = random.uniform(0.2, 0.9) * height
    reach = min(long * random.uniform(0.4, 1.1), 0.95 * margin)
    end = (top[0] - reach, top[1] + long)
    stroke(wide, [end, top], pen)
    if random.random() < 0.3:
        foot = np.flatnonzero(ink[-max(1, height // 8) :].max(axis=0) > 0.5)
        if len(foot):
            x, y = float(foot.mean()) + margin, height - 1 - pen / 2
            reach = height * random.uniform(0.2, 0.35)
            stroke(wide, [(x - reach, y), (x + reach, y)], pen)
    return wide


def close_four(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 4, (H, W), whose arm meets its stem at the top; as it is if it is closed anyway."""
    height = ink.shape[0]
    row = int(height * random.uniform(0.06, 0.16))
    edges = np.flatnonzero(np.diff(np.pad(ink[row] > 0.5, 1).astype(np.int8)))
    runs = edges.reshape(-1, 2).mean(axis=1) if len(edges) else edges
    if len(runs) < 2 or np.ptp(runs) > NARROW * height:  # a wide one would become a 9
        return ink
    above = int(0.15 * height)
    closed = np.pad(ink, ((above, 0), (0, 0)))
    tip = above + max(0.0, row - height * random.uniform(0, 0.2))
    stroke(closed, [(float(runs[0]), float(above + row)), (float(runs[-1]), tip)], pen)
    return closed


def bar_five(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 5, (H, W), whose top stroke goes on far to the right."""
    height = ink.shape[0]
    top = ink[: max(2, height // 6)] > 0.5
    across = np.flatnonzero(top.any(axis=0))
    if not len(across):
        return ink
    x, above = float(across[-1]), int(0.2 * height)
    y = above + float(np.flatnonzero(top[:, across[-1]]).mean())
    long = height * random.uniform(0.15, 0.5)
    wide = np.pad(ink, ((above, 0), (0, int(long) + 2)))
    stroke(wide, [(x, y), (x + long, y - long * random.uniform(-0.1, 0.4))], pen)
    return wide


def hook_nine(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 9, (H, W), whose stem ends in a hook to the left, as a g does."""
    height = ink.shape[0]
    dark = np.flatnonzero(ink[-max(1, height // 10) :].max(axis=0) > 0.5)
    if not len(dark):
        return ink
    margin = int(0.6 * height)
    wide = np.pad(ink, ((0, int(0.2 * height)), (margin, 0)))
    x, y = float(dark.mean()) + margin, height - 1 - pen / 2
    reach, deep, rise = height * random.uniform([0.2, 0.0, -0.05], [0.55, 0.14, 0.2])
    turn = np.linspace(0, 1, 8)
    across = x - reach * turn**1.5
    down = y - 0.05 * height + (deep + 0.05 * height) * np.sin(np.pi * turn) - rise * turn**2
    stroke(wide, list(zip(across.tolist(), down.tolist(), strict=True)), pen)
    return wide


def tail_zero(ink: Ink, pen: float, random: Random) -> Ink:
    """Return a 0, (H, W), whose stroke began or ends with a tail at the top."""
    height = ink.shape[0]
    dark = np.flatnonzero(ink[: max(1, height // 10)].max(axis=0) > 0.5)
    if not len(dark):
        return ink
    above, margin = int(0.3 * height), int(0.4 * height)
    wide = np.pad(ink, ((above, 0), (margin, margin)))
    x, y = float(dark.mean()) + margin, above + pen / 2
    across, up = height * random.uniform([-0.3, -0.25], [0.35, 0.25])
    bend = height * random.normal(0, 0.05)
    stroke(wide, [(x, y), (x + across / 2 + bend, y - up / 2), (x + across, y - up)], pen)
    return wide


def add_marks(ink: Ink, boxes: list[Box], *, pen: float, chance: float, random: Random) -> None:
    """Draw points, commas and dashes that are no digits into (H, W) ink, in place.

    Args:
        ink: The line.
        boxes: Of its digits.
        pen: Width of a stroke, in pixels.
        chance: That there is a mark after a group of three digits, and after the last.
        random: Draws which.
    """
    tall = max(1, int(np.median([bottom - top for _, top, _, bottom in boxes])))
    for place, (_, top, right, bottom) in enumerate(boxes[:-1]):
        if (len(boxes) - 1 - place) % 3 == 0 and random.random() < chance:
            x = (right + boxes[place + 1][0]) / 2
            part_groups(ink, x, top, bottom, pen, random)
    if random.random() < chance:
        end_line(ink, boxes[-1], tall, pen, random)
    if random.random() < 0.2 * chance:
        begin_line(ink, boxes[0], pen, random)


def part_groups(ink: Ink, x: float, top: int, bottom: int, pen: float, random: Random) -> None:
    """Draw what stands between two groups of digits: a point mostly, a dash, an apostrophe."""
    tall = max(1, bottom - top)
    kind = random.random()
    if kind < 0.7:
        draw_point(ink, x, bottom - 0.05 * tall, tall, pen, random)
    elif kind < 0.8:
        draw_point(ink, x, bottom - random.uniform(0.1, 0.5) * tall, tall, pen, random)
    elif kind < 0.9:
        draw_point(ink, x, top - 0.05 * tall, tall, pen, random)
    else:
        long = tall * random.uniform(0.08, 0.2)
        y = bottom - random.uniform(0, 0.5) * tall
        stroke(ink, [(x - long, y), (x + long, y + 0.2 * long)], pen)


def end_line(ink: Ink, last: Box, tall: int, pen: float, random: Random) -> None:
    """Draw what closes an amount so that nobody adds a digit: points, dashes, a wave, a slash."""
    _, top, right, bottom = last
    middle = (top + bottom) / 2
    apart = tall * random.uniform(0.1, 0.5)
    kind = random.random()
    if kind < 0.6:
        draw_point(ink, right + apart, bottom - 0.05 * tall, tall, pen, random)
        apart += 0.2 * tall
    if 0.3 < kind < 0.9:
        level = random.choice([middle, middle, bottom, top + 0.2 * tall])
        draw_dashes(ink, right + apart, level, tall, pen, random)
    elif kind >= 0.95:
        x = right + apart
        stroke(ink, [(x, bottom), (x + 0.4 * tall, top - 0.1 * tall)], pen)
        draw_dashes(ink, x + 0.35 * tall, middle, tall, pen, random)
    elif kind >= 0.9:
        turns = np.arange(int(random.integers(4, 9)))
        across = right + apart + 0.14 * tall * turns
        down = middle + 0.12 * tall * np.cos(np.pi * turns / 2)
        stroke(ink, list(zip(across.tolist(), down.tolist(), strict=True)), pen)


def begin_line(ink: Ink, first: Box, pen: float, random: Random) -> None:
    """Draw what stands before an amount: a double dash, a hash, a cross."""
    left, top, _, bottom = first
    tall = max(1, bottom - top)
    side = tall * random.uniform(0.3, 0.6)
    x, y = left - side - 0.2 * tall, (top + bottom) / 2
    level = [[(x, y + part * side), (x + side, y + part * side)] for part in (-0.25, 0.25)]
    upright = [
        [(x + part * side, y + 0.6 * side), (x + (part + 0.15) * side, y - 0.6 * side)]
        for part in (0.2, 0.6)
    ]
    crossed = [
        [(x, y - side / 2), (x + side, y + side / 2)],
        [(x, y + side / 2), (x + side, y - side / 2)],
    ]
    for points in ([*level, *upright], level, crossed)[int(random.integers(3))]:
        stroke(ink, points, pen)


def draw_point(ink: Ink, x: float, y: float, tall: int, pen: float, random: Random) -> None:
    """Draw a point or a comma at (x, y); `tall` is the height of a digit in pixels."""
    length = tall * random.choice([0.02, random.uniform(0.08, 0.36)])
    x += tall * random.normal(0, 0.04)
    stroke(ink, [(x, y), (x - 0.4 * length, y + length)], pen * random.uniform(1, 1.5))


def draw_dashes(ink: Ink, x: float, y: float, tall: int, pen: float, random: Random) -> None:
    """Draw a dash, or two, that begins at x, somewhat about the height y."""
    y += tall * random.normal(0, 0.12)
    length = tall * random.uniform(0.25, 0.9)
    tilt = length * random.normal(0, 0.2)
    bend = length * random.normal(0, 0.08)
    for line in range(int(random.integers(1, 3))):
        below = y + line * tall * random.uniform(0.15, 0.3)
        middle = (x + length / 2, below - tilt / 2 + bend)
        stroke(ink, [(x, below), middle, (x + length, below - tilt)], pen)
        length *= random.uniform(0.6, 1.2)

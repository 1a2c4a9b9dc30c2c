"""Ink on paper: light and shadow, rules, boxes, security patterns, colour, blur, grain."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.float32]
Random = np.random.Generator

PLAIN = 0.3  # of papers have nothing printed on them, and even light
PATTERNS = 48  # different security patterns
PATTERN_SHAPE = (320, 1200)  # pixels; a larger line repeats it
WRITTEN = 0.5  # of the ink: a row with more is written on
BEYOND = 1.3  # times as high as the writing, a frame's upright side cannot be taken for a 1


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What the ink lies on. Brightness is in [0, 1], lengths in pixels.

    Attributes:
        ground: Brightness of the paper.
        ink: Brightness of the ink; above the ground's it is light on dark.
        colour: The ink is blue or red, and the picture has colours.
        shade: How much of the light is lost at the darker end.
        shadow: How much of the light an edge of shadow takes.
        pattern: How much of the contrast a printed pattern has.
        rules: How many printed lines run along the writing.
        frames: A printed frame, and a line between digits now and then.
        rule_strength: How much of the contrast printed lines have.
        blur: Standard deviation.
        grain: Standard deviation of the noise.
        fade: How much the ink's strength changes along a stroke.
        quality: Of JPEG, 1 to 95; 0 for no loss.
    """

    ground: float = 0.95
    ink: float = 0.15
    colour: bool = False
    shade: float = 0.0
    shadow: float = 0.0
    pattern: float = 0.0
    rules: int = 0
    frames: bool = False
    rule_strength: float = 0.7
    blur: float = 0.4
    grain: float = 0.01
    fade: float = 0.0
    quality: int = 0


def sample_paper(random: Random) -> Paper:
    """Return a paper such as there are: some clean, some of each kind."""
    ground = float(random.uniform(0.55, 1.0))
    ink = float(ground * random.uniform(0.05, 0.6))
    if random.random() < 0.1:
        ground, ink = ink, ground
    if random.random() < PLAIN:
        return Paper(ground=ground, ink=ink, blur=float(random.uniform(0.2, 0.8)))
    return Paper(
        ground=ground,
        ink=ink,
        colour=bool(random.random() < 0.25),
        shade=float(random.choice([0.0, random.uniform(0, 0.4)])),
        shadow=float(random.choice([0.0, 0.0, random.uniform(0.1, 0.5)])),
        pattern=float(random.choice([0.0, random.uniform(0.05, 0.5)])),
        rules=int(random.choice([0, 0, 1, 2])),
        frames=bool(random.random() < 0.25),
        rule_strength=float(random.uniform(0.3, 1.0)),
        blur=float(random.uniform(0.2, 1.2)),
        grain=float(random.uniform(0, 0.05)),
        fade=float(random.choice([0.0, random.uniform(0, 0.5)])),
        quality=int(random.choice([0, int(random.integers(40, 95))])),
    )


def put_on_paper(ink: Ink, paper: Paper, random: Random) -> NDArray[np.uint8]:
    """Photograph ink on paper.

    Args:
        ink: (H, W) float32, 0 to 1.
        paper: What it lies on.
        random: Draws where lines, shadows and patterns lie.

    Returns:
        (H, W) uint8, or (H, W, 3) where the ink has a colour.
    """
    cover = ink * (1 - paper.fade * cloud(ink.shape, random)) if paper.fade else ink.copy()
    printed = np.zeros_like(ink)
    if paper.pattern:
        np.maximum(printed, paper.pattern * cut_pattern(ink.shape, random), out=printed)
    if paper.rules or paper.frames:
        lines = draw_rules(ink, paper, random)
        np.maximum(printed, paper.rule_strength * lines, out=printed)
    cover = np.maximum(cover, printed)
    if paper.blur:
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), paper.blur), np.float32)
    light = paper.ground + (paper.ink - paper.ground) * cover
    light *= lighten(ink.shape, paper, random)
    if paper.grain:
        light += paper.grain * random.standard_normal(ink.shape, np.float32)
    grey = np.asarray((light * 255).clip(0, 255), np.uint8)
    picture = tint(grey, cover, random) if paper.colour else grey
    return squeeze(picture, paper.quality) if paper.quality else picture


def cloud(shape: tuple[int, int], random: Random) -> Ink:
    """Return soft random clouds, (H, W) float32 in [0, 1], about a dozen across."""
    height, width = shape
    coarse = random.random((3 + height // 24, 3 + width // 24), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))


def lighten(shape: tuple[int, int], paper: Paper, random: Random) -> Ink:
    """Return how much light falls on each pixel, (H, W) float32 in [0, 1]."""
    height, width = shape
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = np.ones(shape, np.float32)
    if paper.shade:
        turn = random.uniform(0, 2 * np.pi)
        slope = 0.5 + 0.5 * (np.cos(turn) * (2 * x - 1) + np.sin(turn) * (2 * y - 1)) / 1.42
        light *= (1 - paper.shade * slope).astype(np.float32)
    if paper.shadow:
        turn = random.uniform(-0.7, 0.7)
        edge = x + turn * (y - 0.5) - random.uniform(0.2, 0.8)
        softness = random.uniform(0.02, 0.2)
        dark = ((edge / softness).clip(-1, 1) + 1) / 2
        light *= (1 - paper.shadow * dark).astype(np.float32)
    return light


def draw_rules(ink: Ink, paper: Paper, random: Random) -> Ink:
    """Draw printed lines along the writing, (H, W), and a frame; (H, W) float32 in [0, 1]."""
    height, width = ink.shape
    layer = np.zeros(ink.shape, np.uint8)
    thick = max(1, round(height * random.uniform(0.005, 0.03)))
    tilt = height * random.normal(0, 0.03)
    for _ in range(paper.rules):
        y = int(height * random.choice([random.uniform(0, 0.18), random.uniform(0.78, 1)]))
        cv2.line(layer, (0, y), (width, int(y + tilt)), 255, thick, cv2.LINE_AA)
    if paper.frames:
        draw_frame(layer, np.flatnonzero((ink > WRITTEN).any(axis=1)), thick, random)
    return np.asarray(layer / np.float32(255), np.float32)


def draw_frame(
    layer: NDArray[np.uint8], written: NDArray[np.int64], thick: int, random: Random
) -> None:
    """Draw a frame onto (H, W), in place; a side of it may lie outside the picture.

    Args:
        layer: To draw on.
        written: The rows that have ink, ascending. Upright sides that are about as high as the
            writing are left out: nothing would tell them from a 1.
        thick: Pixels of its lines.
        random: Draws where it lies.
    """
    height, width = layer.shape
    left, top, right, below = (int(inset) for inset in height * random.uniform(0, 0.12, 4))
    if random.random() < 0.5:
        left, top, right, below = (
            inset if random.random() < 0.5 else -2 * thick for inset in (left, top, right, below)
        )
    corner = (width - 1 - right, height - 1 - below)
    side = min(corner[1], height - 1) - max(top, 0)
    if len(written) and side < BEYOND * (written[-1] - written[0]):
        for row in (top, corner[1]):
            cv2.line(layer, (left, row), (corner[0], row), 255, thick, cv2.LINE_AA)
        return
    cv2.rectangle(layer, (left, top), corner, 255, thick, cv2.LINE_AA)


@lru_cache(maxsize=1)
def security_patterns() -> tuple[Ink, ...]:
    """Return printed patterns, each (320, 1200) float32 in [0, 1]: waves, hatches, dots."""
    random = np.random.default_rng(0)
    return tuple(_pattern(random) for _ in range(PATTERNS))


def _pattern(random: Random) -> Ink:
    height, width = PATTERN_SHAPE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    total = np.zeros(PATTERN_SHAPE, np.float32)
    for _ in range(int(random.integers(1, 4))):
        period = random.uniform(4, 14)
        turn = random.choice([np.pi / 2, random.uniform(0, np.pi)]) + random.normal(0, 0.15)
        swing, length = random.uniform(0, 12), random.uniform(40, 300)
        along = np.cos(turn) * y - np.sin(turn) * x
        across = np.cos(turn) * x + np.sin(turn) * y
        phase = (across + swing * np.sin(2 * np.pi * along / length)) * (2 * np.pi / period)
        wave = np.sin(phase + random.uniform(0, 6))
        np.maximum(total, ((wave - random.uniform(0.3, 0.8)) * 4).clip(0, 1), out=total)
    if random.random() < 0.3:
        dots = random.random((height // 3, width // 3), np.float32)
        fine = cv2.resize(dots, (width, height), interpolation=cv2.INTER_LINEAR)
        total = np.asarray(fine, np.float32) ** 2
    return total


def cut_pattern(shape: tuple[int, int], random: Random) -> Ink:
    """Return a piece of a printed pattern, (H, W) float32 in [0, 1]."""
    patterns = security_patterns()
    pattern = patterns[int(random.integers(len(patterns)))]
    y, x = (int(random.integers(0, side // 2)) for side in PATTERN_SHAPE)
    piece = pattern[y : y + shape[0], x : x + shape[1]]
    missing = [(0, want - have) for want, have in zip(shape, piece.shape, strict=True)]
    return np.pad(piece, missing, mode="wrap") if max(missing)[1] else piece


def tint(grey: NDArray[np.uint8], cover: Ink, random: Random) -> NDArray[np.uint8]:
    """Give (H, W) a paper and an ink with a colour each, (H, W, 3)."""
    paper = random.uniform(0.9, 1, 3)
    ink = random.permutation([1.0, random.uniform(0.2, 0.7), random.uniform(0.1, 0.5)])
    bright = grey[..., None].astype(np.float32)
    lift = (160 * cover)[..., None] * ink.astype(np.float32)
    return np.asarray((bright * paper.astype(np.float32) + lift).clip(0, 255), np.uint8)


def squeeze(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Send a picture through JPEG."""
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), np.uint8)

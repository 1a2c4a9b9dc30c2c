"""Random changes of a batch's ink and of how it was scanned: pens, dots, dirt, poor light.

Every function takes and returns (N, 1, H, W) float32 in [0, 1], ink = 1; each picture gets a change
of its own unless said otherwise. A generator is on the CPU.
"""

import torch
from torch import Tensor
from torch.nn import functional

THINNEST = 0.6  # of a pixel is the most that is taken off each edge: thin strokes must survive
COARSEST, FINEST = 12, 24  # pixels: sides that pictures are brought down to
LEVELS = (0.25, 0.6)  # of ink, between which pictures are cut into black and white
FAINTEST = 0.3  # share of full contrast
LIGHTEST_GROUND = 0.6  # share of full ink
NOISIEST = 0.25  # standard deviation of noise, a share of full ink
SOFTENING = (0.25, 0.5, 0.25)  # a blur of about a pixel


def batch_pen(images: Tensor, generator: torch.Generator) -> Tensor:
    """Make strokes thicker or thinner, by up to a pixel on each edge."""
    amount = evenly(generator, images, -1.0, 1.0)
    grown = functional.max_pool2d(images, 3, 1, 1)
    shrunk = -functional.max_pool2d(-images, 3, 1, 1)
    thicker = images + amount * (grown - images)
    thinner = images + amount * THINNEST * (images - shrunk)
    return torch.where(amount > 0, thicker, thinner)


def batch_coarsen(images: Tensor, generator: torch.Generator) -> Tensor:
    """Bring pictures down to fewer pixels and back; half of the batches in black and white.

    The side is drawn once for the whole batch.
    """
    side = int(torch.randint(COARSEST, FINEST + 1, (), generator=generator))
    is_binary, is_blocky = (torch.rand(2, generator=generator) < torch.tensor([0.5, 0.3])).tolist()
    coarse = functional.interpolate(images, (side, side), mode="area")
    if is_binary:
        coarse = (coarse > evenly(generator, images, *LEVELS)).float()
    size = images.shape[-2:]
    if is_blocky:
        return functional.interpolate(coarse, size, mode="nearest")
    return functional.interpolate(coarse, size, mode="bilinear", align_corners=False)


def batch_scan(images: Tensor, overprint: Tensor, generator: torch.Generator) -> Tensor:
    """Scan pictures badly: foreign strokes, blur, faint ink, a grey ground, noise, each in some.

    Args:
        images: The pictures.
        overprint: (M, 1, H, W) in [0, 1], foreign strokes to choose from.
        generator: For all that is random.
    """
    chosen = torch.randint(len(overprint), (len(images),), generator=generator)
    strokes = overprint[chosen.to(overprint.device)] * evenly(generator, images, 0.3, 1.0)
    images = torch.maximum(images, strokes * some(generator, images, 0.4))
    softness = some(generator, images, 0.4) * evenly(generator, images, 0.0, 1.0)
    images = images + softness * (soften(images) - images)
    contrast = 1 - some(generator, images, 0.4) * evenly(generator, images, 0.0, 1 - FAINTEST)
    ground = some(generator, images, 0.3) * evenly(generator, images, 0.0, LIGHTEST_GROUND)
    images = ground + (1 - ground) * contrast * images
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    loudness = some(generator, images, 0.3) * evenly(generator, images, 0.0, NOISIEST)
    return (images + loudness * noise).clamp_(0, 1)


def soften(images: Tensor) -> Tensor:
    """Blur by about a pixel."""
    weights = torch.tensor(SOFTENING, device=images.device)
    rows = functional.conv2d(images, weights.view(1, 1, 3, 1), padding=(1, 0))
    return functional.conv2d(rows, weights.view(1, 1, 1, 3), padding=(0, 1))


def evenly(generator: torch.Generator, images: Tensor, low: float, high: float) -> Tensor:
    """Return a number for each picture, (N, 1, 1, 1), evenly from `low` to `high`."""
    numbers = low + (high - low) * torch.rand(len(images), 1, 1, 1, generator=generator)
    return numbers.to(images.device)


def some(generator: torch.Generator, images: Tensor, share: float) -> Tensor:
    """Return 1 for a random `share` of the pictures and 0 for the others, (N, 1, 1, 1)."""
    return (evenly(generator, images, 0.0, 1.0) < share).float()

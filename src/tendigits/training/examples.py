"""What the network is shown, and what it should answer: pictures changed at random, and targets."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tendigits.data.digits import CLASSES, Digits
from tendigits.data.ductus import write_digits
from tendigits.data.european import make_european
from tendigits.data.not_digits import make_not_digits
from tendigits.data.overprint import make_overprint
from tendigits.data.rare_forms import make_rare
from tendigits.training.augmentation import Augmentation, batch_augment
from tendigits.training.batches import batch_shift
from tendigits.training.recipe import Recipe
from tendigits.training.teacher import Teacher

OVERPRINT_COUNT = 3_000
OUTLIER_COUNT = 12_000  # each is warped anew whenever it is shown
MADE_SEED = 0  # of everything that is made once; what is drawn from it depends on the run's seed


class Examples:
    """Makes what a step of training shows and asks for.

    Args:
        recipe: Its augmentation, its shift and its teacher say what is made.
        digits: The training pictures, of which pictures of no digit are made.
        device: Where examples are made.

    Raises:
        UnknownNameError: There is no such teacher.
        WeightsError: The teacher's file is not the one that was shipped.
    """

    def __init__(self, recipe: Recipe, digits: Digits, device: torch.device | str = "cpu") -> None:
        self.shift = recipe.shift
        self.augmentation = recipe.augmentation
        self.calm_augmentation = recipe.calm_augmentation
        self.overprint = self.outliers = torch.empty(0, 1, 28, 28)
        self.outlier_count = 0  # of each batch
        self.teacher: Teacher | None = None
        self.teacher_share = recipe.teacher_share
        if recipe.teacher:
            in_bfloat16 = recipe.precision == "bfloat16"
            self.teacher = Teacher(recipe.teacher, device, in_bfloat16=in_bfloat16)
        if any(one and one.foreign for one in (self.augmentation, self.calm_augmentation)):
            self.overprint = as_input(make_overprint(OVERPRINT_COUNT, MADE_SEED), device)
        if self.augmentation is not None and self.augmentation.outliers:
            made = make_not_digits(digits.images, digits.labels, OUTLIER_COUNT, MADE_SEED)
            self.outliers = as_input(made, device)
            self.outlier_count = round(self.augmentation.outliers * recipe.batch_size)

    def make(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, calm: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return what to show and what to ask for.

        Args:
            images: (N, 1, 28, 28) float32 in [0, 1], digits.
            labels: (N,) int64.
            generator: On the CPU.
            calm: Change pictures as the recipe's calm end does.

        Returns:
            (N + M, 1, 28, 28) float32, the digits first, M pictures of no digit behind them; and
            their targets: (N,) int64, the labels, where these are all there is to learn, else
            (N + M, 10) float32, the chance of each class. A teacher is asked about digits only.
        """
        if self.shift:
            images = batch_shift(images, self.shift, generator)
        augmentation = self.calm_augmentation if calm else self.augmentation
        if augmentation is not None:
            images = self._join_outliers(images, generator)
            images = batch_augment(images, augmentation, self.overprint, generator)
        if self.teacher is None and len(images) == len(labels):
            return images, labels
        targets = spread(labels, len(images))
        if self.teacher is not None:
            digits = slice(len(labels))
            answers = self.teacher.answer(images[digits], labels)
            targets[digits] = torch.lerp(targets[digits], answers, self.teacher_share)
        return images, targets

    def _join_outliers(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return `images` with some pictures of no digit behind them."""
        if not self.outlier_count:
            return images
        chosen = torch.randint(len(self.outliers), (self.outlier_count,), generator=generator)
        return torch.cat([images, self.outliers[chosen.to(images.device)]])


def join_made(digits: Digits, augmentation: Augmentation | None) -> Digits:
    """Return the training pictures with those that are made once.

    Args:
        digits: The training pictures.
        augmentation: Its shares of European ones and sevens and of rare forms are made of some of
            them, its share of written ones of nothing.
    """
    if augmentation is None:
        return digits
    joined = digits
    for make, share in (
        (make_european, augmentation.european),
        (make_rare, augmentation.rare_forms),
    ):
        random = np.random.default_rng(MADE_SEED)
        chosen = random.permutation(len(digits))[: round(share * len(digits))]
        if len(chosen):
            joined = joined.join(make(digits.take(chosen), MADE_SEED))
    written = round(augmentation.written * len(digits))
    return joined.join(write_digits(written, MADE_SEED)) if written else joined


def spread(labels: Tensor, count: int) -> Tensor:
    """Return the labels as chances, and the same chance for every class behind them.

    Args:
        labels: (N,) int64.
        count: N + M.

    Returns:
        (N + M, 10) float32.
    """
    known = functional.one_hot(labels, CLASSES).float()
    unknown = known.new_full((count - len(labels), CLASSES), 1 / CLASSES)
    return torch.cat([known, unknown])


def as_input(pictures: NDArray[np.uint8], device: torch.device | str) -> Tensor:
    """Return pictures, (M, 28, 28) uint8, as a network takes them: (M, 1, 28, 28) in [0, 1]."""
    return torch.from_numpy(pictures).unsqueeze(1).to(device).float().div_(255)

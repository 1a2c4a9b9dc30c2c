"""What the line network alone says of a line, and whether it may be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.ctc import (
    LogProbs,
    best_texts,
    looks_log_probs,
    merge_blanks,
    text_log_probs,
)
from tendigits.reading.joint import READINGS, keeps_to
from tendigits.reading.search import Rules

SURE = 0.75  # chance: above it lines by strangers are read as well without a second reader
CHECKS = 1  # further looks at a line, of `LOOKS`, that a sure text is checked by
LEAST_CHECKED = 0.5  # chance of it at each; with less it is doubtful


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard:
    """What the line network alone says of a line.

    Attributes:
        looks: (T, 11) each, the logarithms of the chances at each place.
        merged: (U, 11), the first look without sure blanks.
        texts: K likely ones by the first look, the likeliest first.
    """

    looks: Sequence[LogProbs]
    merged: LogProbs
    texts: list[str]

    @cached_property
    def chances(self) -> NDArray[np.float64]:
        """(K,): of each text."""
        return np.asarray(np.exp(text_log_probs(self.merged, self.texts)))


def listen(looks: Sequence[LogProbs]) -> Heard:
    """Return the likely texts of what the line network says at first."""
    merged = merge_blanks(looks[0])
    texts = [text for text, _ in best_texts(merged, count=READINGS)]
    return Heard(looks=looks, merged=merged, texts=texts)


def check(heard: Heard) -> float | None:
    """Return the mean chance of the first text over the first look and `CHECKS` further ones.

    None if one of them finds it so unlikely that it is doubtful.
    """
    merged = [heard.merged, *(merge_blanks(look) for look in heard.looks[1 : 1 + CHECKS])]
    chances = np.exp(looks_log_probs(merged, heard.texts[:1]))
    return float(chances.mean()) if chances.min() >= LEAST_CHECKED else None


def is_sure(heard: Heard, rules: Rules | None, sure: float = SURE) -> bool:
    """Say whether the line network alone may be believed, and its text keeps to the rules.

    Of a single digit, or of none, it never is: see `single`. It must give more than `sure`.
    """
    text = heard.texts[0]
    if len(text) <= 1 or heard.chances[0] <= sure:
        return False
    return rules is None or keeps_to(rules, text)

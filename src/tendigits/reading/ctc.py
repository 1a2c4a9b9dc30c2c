"""What the line network says, by connectionist temporal classification.

At each place it gives the chance of every digit and of a blank. A text's chance is the sum over all
ways to spell it: each digit at one place or at several in a row, blanks anywhere, and one at least
between two equal digits (Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
classification", 2006).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.search import Rules

BLANK = 10  # the symbol after the ten digits
FILLING = 11  # no symbol, and without a chance: what shorter texts are filled up with
LEAST_SYMBOL = 1e-3  # chance: a less likely digit is not looked for at a place
LEAST_RULED = 1e-4  # the same where rules may ask for what is unlikely
LEAST_BEGINNING = 1e-5  # of the likeliest beginning's chance: a less likely one is given up
SURE_BLANK = 1e-4  # chance: where no digit has more, a likely text has a blank
TINY = 1e-300  # instead of 0 where it would be divided by
BEAM = 12  # beginnings that are kept from one place to the next
BEAM_RULED = 20

LogProbs = NDArray[np.float64]
_Beam = dict[str, list[float]]  # text so far -> chances of having ended on a blank, on a digit


def text_log_probs(log_probs: LogProbs, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the logarithm of the chance of each text.

    Args:
        log_probs: (T, 11), the logarithms of the chances at each place.
        texts: K strings of digits.

    Returns:
        (K,) float64; -inf for a text that does not fit into T places, or has next to no chance.
    """
    return np.asarray(looks_log_probs([log_probs], texts)[0])


def looks_log_probs(looks: Sequence[LogProbs], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the logarithm of the chance of each text at each look at a line.

    The forward algorithm, for all texts and looks at once; shorter looks end in sure blanks.

    Args:
        looks: N of (T, 11), the logarithms of the chances at each place; T may differ.
        texts: K strings of digits.

    Returns:
        (N, K) float64; -inf for a text that does not fit into the places of a look, or whose
        chance there is less than numbers can say.
    """
    symbols, skips, ends = _spell(texts)
    longest = max(map(len, looks))
    chances = np.zeros((longest, len(looks), FILLING + 1))
    chances[..., BLANK] = 1.0
    for number, log_probs in enumerate(looks):
        chances[: len(log_probs), number, :FILLING] = np.exp(log_probs)
    may_skip = skips.astype(np.float64)
    may_skip[:, 1:2] = 1.0  # from the beginning, which stands before the first blank
    # Two places for symbols before the first, so that each has one before it, and one before that.
    # A step is short: taking views out of arrays anew would be half of its time.
    padded = np.zeros((len(looks), len(texts), symbols.shape[1] + 2))
    total, before, before_blank = padded[..., 2:], padded[..., 1:-1], padded[..., :-2]
    padded[..., 1] = 1.0  # the beginning; nothing is left of it after the first step
    moved, skipped = np.empty_like(total), np.empty_like(total)
    scales = np.empty((longest, len(looks), len(texts), 1))  # what each place is divided by
    divisor = np.empty(scales.shape[1:])
    for place, scale in zip(chances, scales, strict=True):
        np.add(total, before, out=moved)
        np.multiply(may_skip, before_blank, out=skipped)
        np.add(moved, skipped, out=moved)
        np.multiply(moved, place.take(symbols, axis=1), out=total)
        np.add.reduce(total, axis=-1, keepdims=True, out=scale)
        np.maximum(scale, TINY, out=divisor)
        np.divide(total, divisor, out=total)
        padded[..., 1] = 0.0
    rows = np.arange(len(texts))
    last = total[:, rows, ends] + np.where(ends > 0, total[:, rows, ends - 1], 0)
    with np.errstate(divide="ignore"):  # what cannot be spelled has the logarithm -inf
        return np.asarray(np.log(last) + np.log(scales[..., 0]).sum(axis=0))


def digit_log_probs(log_probs: LogProbs) -> NDArray[np.float64]:
    """Return the logarithm of the chance of each digit alone, (10,): as `text_log_probs`, quicker.

    A digit from place s to place e, and blanks before and after: the sum over all s and e.

    Args:
        log_probs: (T, 11), finite, the logarithms of the chances at each place; T is 1 or more.
    """
    sums = np.vstack([np.zeros(BLANK + 1), np.cumsum(log_probs, axis=0)])
    digits, blanks = sums[:, :BLANK], sums[:, BLANK:]
    begins = np.logaddexp.accumulate((blanks - digits)[:-1], axis=0)
    ends = digits[1:] + blanks[-1] - blanks[1:]
    return np.asarray(np.logaddexp.reduce(begins + ends, axis=0))


def merge_blanks(log_probs: LogProbs) -> LogProbs:
    """Return what stands at the places where digits may be, for texts that are likely.

    After a blank, further ones only multiply what every text has: their chances are put into the
    first. Most places of a line are such.

    Args:
        log_probs: (T, 11), the logarithms of the chances at each place.

    Returns:
        (U, 11), U at most T.
    """
    if not len(log_probs):
        return log_probs
    places = without_blanks(log_probs)
    dropped = log_probs[:, BLANK].copy()
    dropped[places] = 0
    return np.asarray(log_probs[places] + np.add.reduceat(dropped, places)[:, None])


def without_blanks(log_probs: LogProbs) -> NDArray[np.int64]:
    """Return the places of (T, 11), ascending, but of several sure blanks in a row only the first.

    Sure is where no digit has `SURE_BLANK`; T is at least 1.
    """
    blank = log_probs[:, :BLANK].max(axis=1) < np.log(SURE_BLANK)
    return np.flatnonzero(np.append(True, ~(blank[1:] & blank[:-1])))


def fits(text: str, places: int) -> bool:
    """Say whether a text can be spelled at so many places: a blank stands between equal digits."""
    return len(text) + sum(left == right for left, right in pairwise(text)) <= places


def align(
    log_probs: LogProbs, text: str, places: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the place of each digit of a text on the likeliest way to spell it (Viterbi, 1967).

    Args:
        log_probs: (T, 11), the logarithms of the chances at each place.
        text: L digits that fit into the places that are looked at.
        places: (U,), ascending, which these are, such as `without_blanks`; None for all.

    Returns:
        (L,) float64: the mean of the places where the digit stands.
    """
    symbols, skips, ends = (part[0] for part in _spell([text]))
    count = len(symbols)
    total = np.full(count, -np.inf)
    total[0] = 0.0
    places = np.arange(len(log_probs)) if places is None else places
    came = np.zeros((len(places), count), np.int64)
    for place, row in enumerate(log_probs[places]):
        ways = np.full((3, count), -np.inf)
        ways[0], ways[1, 1:] = total, total[:-1]
        if place:
            ways[2, 2:] = np.where(skips[2:], total[:-2], -np.inf)
        came[place] = ways.argmax(axis=0)
        total = ways.max(axis=0) + row[symbols]
    state = int(ends)
    if state and total[state - 1] > total[state]:
        state -= 1
    path = np.empty(len(places), np.int64)
    for place in range(len(places) - 1, -1, -1):
        path[place] = state
        state -= int(came[place, state])
    return np.array([places[path == 2 * letter + 1].mean() for letter in range(len(text))])


def best_texts(
    log_probs: LogProbs, rules: Rules | None = None, *, count: int
) -> list[tuple[str, float]]:
    """Return likely texts, the likeliest first, by a search that keeps the best beginnings.

    Prefix beam search (Hannun, Maas, Jurafsky and Ng, "First-pass large vocabulary continuous
    speech recognition using bi-directional recurrent DNNs", 2014), without a language model.

    Args:
        log_probs: (T, 11), the logarithms of the chances at each place.
        rules: What a text must keep to; None for anything, also nothing at all.
        count: Of texts, at most.

    Returns:
        Texts and the logarithms of what was found of their chances; none if none keeps to the
        rules.
    """
    least, width = (LEAST_SYMBOL, BEAM) if rules is None else (LEAST_RULED, BEAM_RULED)
    states: dict[str, Any] = {"": None if rules is None else rules.start()}
    beam: _Beam = {"": [1.0, 0.0]}
    scale = 0.0  # logarithm of what all chances of the beam were divided by
    for row in np.exp(log_probs):
        symbols: list[int] = np.flatnonzero(row[:BLANK] >= least).tolist()
        if not symbols:  # as at most places: nothing but a blank; what each text has is the same
            scale += float(np.log(row[BLANK]))
            if any(parts[1] for parts in beam.values()):
                beam = {text: [sum(parts), 0.0] for text, parts in beam.items()}
            continue
        beam = _extend(beam, row, symbols, rules, states)
        best = sorted(beam, key=lambda text: -sum(beam[text]))[:width]
        whole = sum(beam[best[0]])
        if whole == 0:  # what the rules ask for is less likely than numbers can say
            return []
        if rules is None:
            best = [text for text in best if sum(beam[text]) >= LEAST_BEGINNING * whole]
        beam = {text: [part / whole for part in beam[text]] for text in best}
        scale += float(np.log(whole))
    found = [
        (text, scale + float(np.log(sum(parts))))
        for text, parts in beam.items()
        if sum(parts) > 0 and (rules is None or rules.is_whole(states[text]))
    ]
    return sorted(found, key=lambda pair: -pair[1])[:count]


def _extend(
    beam: _Beam,
    row: NDArray[np.float64],
    symbols: list[int],
    rules: Rules | None,
    states: dict[str, Any],
) -> _Beam:
    """Return the beginnings of texts one place on; `states` takes up those of new ones."""
    longer: _Beam = {}
    for text, (on_blank, on_digit) in beam.items():
        entry = longer.setdefault(text, [0.0, 0.0])
        entry[0] += (on_blank + on_digit) * float(row[BLANK])
        entry[1] += on_digit * (float(row[int(text[-1])]) if text else 0.0)
        for digit in symbols:
            letter = str(digit)
            before = on_blank if text.endswith(letter) else on_blank + on_digit
            if before == 0:
                continue
            new = text + letter
            if new not in states:
                states[new] = None if rules is None else rules.step(states[text], digit)
            if rules is None or states[new] is not None:
                longer.setdefault(new, [0.0, 0.0])[1] += before * float(row[digit])
    return longer


def _spell(
    texts: Sequence[str],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return the symbols of texts with blanks between them, filled up to one length S.

    Returns:
        (K, S) int64 symbols; (K, S) whether the blank before a symbol may be left out; (K,) int64,
        the place of each text's last blank.
    """
    longest = max(map(len, texts), default=0)
    symbols = np.full((len(texts), 2 * longest + 1), FILLING)
    for row, text in zip(symbols, texts, strict=True):
        row[: 2 * len(text) + 1] = BLANK
        row[1 : 2 * len(text) : 2] = [int(letter) for letter in text]
    skips = np.zeros(symbols.shape, bool)
    skips[:, 2:] = (symbols[:, 2:] != BLANK) & (symbols[:, 2:] != symbols[:, :-2])
    return symbols, skips, np.array([2 * len(text) for text in texts], np.int64)

"""The sums and searches over all ways to read a line, held against trying every one of them."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from rules import keeps
from tendigits.reading.expressions import parse
from tendigits.reading.lattice import (
    Lattice,
    Steps,
    backward,
    chances,
    forward,
    one_digit,
    text_chances,
    text_log_chances,
)
from tendigits.reading.patterns import Pattern
from tendigits.reading.search import best_readings

Way = tuple[str, float, tuple[int, ...], tuple[int, ...]]  # text, score, candidates, skipped atoms


def random_lattice(seed: int, atoms: int = 4) -> Lattice:
    """Return a lattice with some of all runs of atoms, and random scores."""
    random = np.random.default_rng(seed)
    runs = [(i, j) for i in range(atoms) for j in range(i, atoms) if random.random() < 0.8]
    return Lattice(
        steps=Steps(
            count=atoms,
            first=np.array([i for i, _ in runs], np.int64),
            last=np.array([j for _, j in runs], np.int64),
        ),
        digits=random.normal(0, 2, (len(runs), 10)),
        skips=random.normal(-1, 1, atoms),
    )


def all_ways(lattice: Lattice, node: int = 0) -> Iterator[Way]:
    """Yield every way from a node to the end."""
    if node == lattice.steps.count:
        yield "", 0.0, (), ()
        return
    for text, score, taken, skipped in all_ways(lattice, node + 1):
        yield text, score + lattice.skips[node], taken, (node, *skipped)
    for candidate in np.flatnonzero(lattice.steps.first == node).tolist():
        rest = list(all_ways(lattice, int(lattice.steps.last[candidate]) + 1))
        for digit in range(10):
            gain = lattice.digits[candidate, digit]
            for text, score, taken, skipped in rest:
                yield f"{digit}{text}", score + gain, (10 * candidate + digit, *taken), skipped


@pytest.fixture(params=range(5))
def lattice(request: pytest.FixtureRequest) -> Lattice:
    return random_lattice(request.param, atoms=3)


def test_totals_are_sums_over_all_ways(lattice: Lattice) -> None:
    total = np.logaddexp.reduce([score for _, score, _, _ in all_ways(lattice)])
    assert forward(lattice)[-1] == pytest.approx(total)
    assert backward(lattice)[0] == pytest.approx(total)


def test_the_chance_of_a_text_counts_all_its_cuts(lattice: Lattice) -> None:
    ways = list(all_ways(lattice))
    total = np.logaddexp.reduce([score for _, score, _, _ in ways])
    for text in ("", "7", "33", "407", "1234"):
        scores = [score for found, score, _, _ in ways if found == text]
        expected = np.logaddexp.reduce(scores) - total if scores else -np.inf
        assert text_log_chances(lattice, [text])[0] == pytest.approx(expected)


@pytest.mark.parametrize("text", [None, "7", "33"])
def test_chances_of_steps_are_shares_of_the_ways(lattice: Lattice, text: str | None) -> None:
    ways = [way for way in all_ways(lattice) if text is None or way[0] == text]
    found = chances(lattice) if text is None else text_chances(lattice, text)
    if not ways:
        assert found is None
        return
    assert found is not None
    weights = np.exp([score for _, score, _, _ in ways])
    weights /= weights.sum()
    digits, skips = np.zeros(lattice.digits.size), np.zeros(lattice.steps.count)
    for weight, (_, _, taken, skipped) in zip(weights, ways, strict=True):
        digits[list(taken)] += weight
        skips[list(skipped)] += weight
    np.testing.assert_allclose(found[0].ravel(), digits, atol=1e-9)
    np.testing.assert_allclose(found[1], skips, atol=1e-9)


@pytest.mark.parametrize("pattern", [None, r"\d{2}", r"[1-4]\d?", r"12|34\d|5"])
def test_readings_come_out_best_first_and_keep_to_the_rules(
    lattice: Lattice, pattern: str | None
) -> None:
    rules = None if pattern is None else Pattern(parse(pattern))
    best: dict[str, float] = {}
    for text, score, _, _ in all_ways(lattice):
        best[text] = max(best.get(text, -np.inf), score)
    if rules is not None:
        best = {text: score for text, score in best.items() if text and keeps(rules, text)}
    expected = sorted(best, key=lambda text: -best[text])[:12]
    readings = list(islice(best_readings(lattice, rules), 12))
    assert [reading.text for reading in readings] == expected
    for reading in readings:
        assert reading.score == pytest.approx(best[reading.text])
        assert len(reading.path) == len(reading.text)


def test_where_nothing_keeps_to_the_rules_there_is_no_reading(lattice: Lattice) -> None:
    assert list(best_readings(lattice, Pattern(parse(r"\d{9}")))) == []


def test_a_line_without_candidates_says_nothing() -> None:
    none = np.zeros(0, np.int64)
    empty = Lattice(
        steps=Steps(count=2, first=none, last=none), digits=np.zeros((0, 10)), skips=np.zeros(2)
    )
    assert [reading.text for reading in best_readings(empty)] == [""]
    assert forward(empty)[-1] == 0


@pytest.mark.parametrize("seed", range(5))
def test_one_digit_is_the_total_of_all_ways_to_read_that_digit_alone(seed: int) -> None:
    lattice = random_lattice(seed)
    expected = [
        np.logaddexp.reduce([way[1] for way in all_ways(lattice) if way[0] == str(digit)])
        for digit in range(10)
    ]
    np.testing.assert_allclose(one_digit(lattice), expected)

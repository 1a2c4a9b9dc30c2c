"""The sums of connectionist temporal classification, held against every way to spell a text."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rules import keeps
from tendigits.reading.ctc import (
    BLANK,
    align,
    best_texts,
    digit_log_probs,
    looks_log_probs,
    merge_blanks,
    text_log_probs,
    without_blanks,
)
from tendigits.reading.expressions import parse
from tendigits.reading.patterns import Pattern

SYMBOLS = (1, 2, BLANK)  # that are likely at all, so that every way can be tried


def random_places(seed: int, count: int) -> NDArray[np.float64]:
    """Return the logarithms of chances at some places, (count, 11)."""
    random = np.random.default_rng(seed)
    logits = np.full((count, 11), -40.0)
    logits[:, SYMBOLS] = random.normal(0, 2, (count, len(SYMBOLS)))
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def spelled(way: tuple[int, ...]) -> str:
    """Return the text of a symbol at each place."""
    new = [symbol for place, symbol in enumerate(way) if place == 0 or symbol != way[place - 1]]
    return "".join(str(symbol) for symbol in new if symbol != BLANK)


def all_texts(log_probs: NDArray[np.float64]) -> dict[str, float]:
    """Return the chance of each text, by every way to spell it."""
    chances: dict[str, float] = {}
    for way in product(SYMBOLS, repeat=len(log_probs)):
        chance = float(np.exp(log_probs[np.arange(len(way)), way].sum()))
        chances[spelled(way)] = chances.get(spelled(way), 0.0) + chance
    return chances


places = st.builds(random_places, st.integers(0, 10_000), st.integers(1, 6))


@given(places)
@settings(max_examples=40, deadline=None)
def test_the_chance_of_a_text_is_the_sum_over_all_ways(log_probs: NDArray[np.float64]) -> None:
    expected = all_texts(log_probs)
    found = np.exp(text_log_probs(log_probs, list(expected)))
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-9)


@given(places, places)
@settings(max_examples=40, deadline=None)
def test_looks_of_other_lengths_are_as_each_alone(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> None:
    texts = ["", "1", "11", "120", "0121"]
    both = looks_log_probs([first, second], texts)
    alone = [text_log_probs(first, texts), text_log_probs(second, texts)]
    np.testing.assert_allclose(both, alone, rtol=1e-9)


def test_a_long_line_takes_memory_for_one_place_at_a_time() -> None:
    looks, texts = [random_places(0, 1_000)], ["12" * 40] * 10
    every_place = 8 * 1_000 * 10 * (2 * 80 + 1)  # bytes of the chances of all symbols everywhere
    tracemalloc.start()
    looks_log_probs(looks, texts)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 0.1 * every_place


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_likely_texts_keep_their_chance_without_the_blanks_between(
    seed: int, gaps: list[int]
) -> None:
    written = random_places(seed, len(gaps))
    sure = np.full((1, 11), np.log(5e-5))
    sure[0, BLANK] = np.log1p(-5e-4)
    log_probs = np.concatenate(
        [
            part
            for row, gap in zip(written, gaps, strict=True)
            for part in (row[None], *[sure] * gap)
        ]
    )
    short = merge_blanks(log_probs)
    assert len(short) == sum(1 + min(gap, 1) for gap in gaps)
    nothing = text_log_probs(log_probs, [""])
    np.testing.assert_allclose(text_log_probs(short, [""]), nothing, atol=1e-9)
    likely = [text for text, _ in best_texts(log_probs, count=3)]
    expected = np.exp(text_log_probs(log_probs, likely))
    np.testing.assert_allclose(np.exp(text_log_probs(short, likely)), expected, atol=5e-3)


@given(places)
@settings(max_examples=40, deadline=None)
def test_the_search_finds_the_likeliest_texts(log_probs: NDArray[np.float64]) -> None:
    expected = all_texts(log_probs)
    found = best_texts(log_probs, count=3)
    best = max(expected.values())  # of all 60,006 that are drawn here, 27 are told 2 to 11 % less
    assert expected[found[0][0]] >= 0.97 * best
    assert np.exp(found[0][1]) >= 0.85 * best
    for text, score in found:
        assert np.exp(score) <= expected[text] * (1 + 1e-9)


@given(places, st.sampled_from(["1", "[12]{2}", "2?1", "12|21"]))
@settings(max_examples=40, deadline=None)
def test_the_search_keeps_to_the_rules(log_probs: NDArray[np.float64], pattern: str) -> None:
    rules = Pattern(parse(pattern))
    expected = {
        text: chance for text, chance in all_texts(log_probs).items() if text and keeps(rules, text)
    }
    found = best_texts(log_probs, rules, count=9)
    for text, _ in found:
        assert text
        assert keeps(rules, text)
    if max(expected.values(), default=0) > 0.01:
        assert np.exp(found[0][1]) == pytest.approx(max(expected.values()), rel=0.05)


def test_a_text_that_does_not_fit_has_no_chance() -> None:
    log_probs = random_places(0, 3)
    assert text_log_probs(log_probs, ["1212", "11", "111"]).tolist()[0] == -np.inf
    assert text_log_probs(log_probs, ["11"])[0] > -np.inf  # with a blank between
    assert text_log_probs(log_probs, ["111"])[0] == -np.inf


def test_a_text_beside_a_far_longer_one_is_as_likely_as_alone() -> None:
    log_probs, texts = random_places(0, 1_300), ["", "12" * 100]
    for text, found in zip(texts, text_log_probs(log_probs, texts), strict=True):
        assert found == pytest.approx(text_log_probs(log_probs, [text])[0])
        assert found <= 0


def test_digits_are_placed_where_they_are_likely() -> None:
    chances = np.full((9, 11), 1e-4)
    chances[:, BLANK] = 0.99
    chances[2, [3, BLANK]] = 0.9, 0.09
    chances[5:7, [3, BLANK]] = 0.9, 0.09
    np.testing.assert_allclose(align(np.log(chances), "33"), [2, 5.5])


def test_nothing_is_a_text_too() -> None:
    log_probs = np.log(np.array([[0.01] * 10 + [0.9]] * 4))
    assert best_texts(log_probs, count=1)[0][0] == ""
    assert text_log_probs(log_probs, [""])[0] == pytest.approx(4 * np.log(0.9))
    assert len(align(log_probs, "")) == 0


def test_hard_answers_and_no_places_are_merged_too() -> None:
    with np.errstate(divide="ignore"):
        hard = np.log(np.eye(11)[[3, BLANK, BLANK, BLANK, 4]])
    assert merge_blanks(hard).shape == (3, 11)
    assert best_texts(merge_blanks(hard), count=1)[0][0] == "34"
    assert merge_blanks(np.zeros((0, 11))).shape == (0, 11)


def test_digits_are_placed_alike_without_the_sure_blanks() -> None:
    log_probs = np.full((60, 11), np.log(1e-6))
    log_probs[:, BLANK] = np.log1p(-1e-5)
    for place, digit in ((10, 1), (11, 1), (40, 2)):
        log_probs[place, [digit, BLANK]] = np.log([0.99, 0.01])
    places = without_blanks(log_probs)
    assert len(places) < 10
    assert align(log_probs, "12").tolist() == align(log_probs, "12", places).tolist() == [10.5, 40]


@pytest.mark.parametrize("places", [1, 2, 9])
def test_the_chances_of_one_digit_are_those_of_its_text(places: int) -> None:
    logits = np.random.default_rng(places).normal(0, 3, (places, 11))
    look = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    expected = text_log_probs(look, [str(digit) for digit in range(10)])
    np.testing.assert_allclose(digit_log_probs(look), expected)

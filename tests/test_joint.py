"""Two readers of one line are weighed together, and the outcome is calibrated."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.reading.ctc import BLANK
from tendigits.reading.expressions import parse
from tendigits.reading.fitting_joint import Pair, fit_joint, fit_logistic
from tendigits.reading.heard import CHECKS
from tendigits.reading.joint import Evidence, gather, measure_answer, posterior
from tendigits.reading.lattice import Lattice, Steps
from tendigits.reading.patterns import Pattern
from tendigits.reading.weights import SCORE_MEASURES, JointWeights, even_weights

TRUE = 4.0  # what the right digit has more than the others


def lattice_of(rows: NDArray[np.float64]) -> Lattice:
    """Return a lattice in which each atom is a digit, with these scores, (L, 10)."""
    places = np.arange(len(rows))
    return Lattice(
        steps=Steps(count=len(rows), first=places, last=places),
        digits=rows,
        skips=np.full(len(rows), -9.0),
    )


def places_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a line network says that sees the same digits, with blanks between them."""
    logits = np.full((2 * len(rows) + 1, 11), -9.0)
    logits[::2, BLANK] = 9.0
    logits[1::2, :10] = rows
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def noisy(text: str, noise: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return scores of digits, (L, 10), of a reader that errs."""
    rows = random.normal(0, noise, (len(text), 10))
    rows[np.arange(len(text)), [int(letter) for letter in text]] += TRUE
    return rows


def make_pairs(count: int, seed: int) -> list[Pair]:
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        text = "".join(map(str, random.integers(0, 10, 3).tolist()))
        seen = noisy(text, 1.3, random)
        looks = [seen, *(seen + random.normal(0, 0.3, seen.shape) for _ in range(CHECKS))]
        pairs.append(
            Pair(
                lattice=lattice_of(noisy(text, 1.6, random)),
                looks=[places_of(rows) for rows in looks],
                text=text,
            )
        )
    return pairs


def read(evidence: Evidence, weights: JointWeights) -> tuple[str, float]:
    """Return the best text and its calibrated chance."""
    raw = posterior(evidence, weights)
    best = int(raw.argmax())
    odds = float(measure_answer(evidence, best, float(raw[best])) @ weights.field)
    return evidence.texts[best], 1 / (1 + np.exp(-odds))


def test_a_line_that_is_in_no_pieces_is_said_by_the_line_network_alone() -> None:
    seen = places_of(noisy("12", 0.5, np.random.default_rng(0)))
    evidence = gather(lattice_of(np.zeros((0, 10))), [seen])
    assert len(set(evidence.lattice.tolist())) == 1
    assert read(evidence, even_weights())[0] == "12"


def test_together_they_read_more_than_each_alone_and_say_how_sure_they_are() -> None:
    weights = fit_joint(make_pairs(500, seed=0), make_pairs(300, seed=2))
    right: dict[str, list[bool]] = {"both": [], "lattice": [], "line": []}
    said = []
    for pair in make_pairs(400, seed=1):
        evidence = gather(pair.lattice, pair.looks)
        text, chance = read(evidence, weights)
        said.append(chance)
        right["both"].append(text == pair.text)
        for name, logs in (("lattice", evidence.lattice), ("line", evidence.line)):
            right[name].append(evidence.texts[int(logs.argmax())] == pair.text)
    shares = {name: float(np.mean(found)) for name, found in right.items()}
    assert shares["both"] > max(shares["lattice"], shares["line"]) + 0.05
    assert np.mean(said) == pytest.approx(shares["both"], abs=0.06)
    surest = np.argsort(said)[::-1][:200]
    assert np.mean(np.array(right["both"])[surest]) > shares["both"]


def test_strangers_say_how_much_each_counts_and_others_how_sure_it_is() -> None:
    known, strangers = make_pairs(100, seed=0), make_pairs(100, seed=3)
    deaf = [replace(pair, looks=[np.zeros_like(look) for look in pair.looks]) for pair in strangers]
    both, lattice_only = fit_joint(known, strangers), fit_joint(known, deaf)
    names = dict(zip(SCORE_MEASURES, zip(both.score, lattice_only.score, strict=True), strict=True))
    assert names["line network"][1] < 0.5 * names["line network"][0]
    assert names["lattice"][1] > 1 > names["line network"][1]


def test_texts_of_both_are_gathered_with_rules_and_without() -> None:
    rows = noisy("123", 0.0, np.random.default_rng(0))
    rules = Pattern(parse(r"9\d{2}"))
    evidence = gather(lattice_of(rows), [places_of(rows)], rules)
    kept = [text for text, keeps in zip(evidence.texts, evidence.keeps, strict=True) if keeps]
    assert "123" in evidence.texts
    assert "923" in kept
    assert all(text.startswith("9") and len(text) == 3 for text in kept)
    raw = posterior(evidence, even_weights())
    assert raw.sum() == pytest.approx(1)
    assert evidence.texts[int(raw.argmax())] == "123"


def test_logistic_regression_finds_the_weights_that_made_its_data() -> None:
    random = np.random.default_rng(0)
    measures = np.stack([random.normal(0, 2, 4_000), np.ones(4_000)], axis=1)
    chance = 1 / (1 + np.exp(-measures @ [1.5, -0.5]))
    found = fit_logistic(measures, random.random(4_000) < chance)
    np.testing.assert_allclose(found, [1.5, -0.5], atol=0.2)


def test_logistic_regression_stays_finite_where_all_is_right() -> None:
    found = fit_logistic(np.ones((50, 2)), np.ones(50, bool))
    assert np.isfinite(found).all()

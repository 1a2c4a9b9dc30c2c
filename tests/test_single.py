"""A line of one digit: a network of digits and the line network count the same."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines, write
from tendigits.data.paper import Paper, put_on_paper
from tendigits.reading import Reader
from tendigits.reading.candidates import Candidates
from tendigits.reading.classifier import Classify, find_model, load_classifier
from tendigits.reading.ctc import BLANK, digit_log_probs
from tendigits.reading.ground import find_ink
from tendigits.reading.heard import listen
from tendigits.reading.lattice import Lattice, one_digit
from tendigits.reading.postcode import find_rules
from tendigits.reading.reader import load_recognisers
from tendigits.reading.segment import find_lines
from tendigits.reading.single import Judged, among_digits, answer_one, judge_one
from tendigits.reading.strings import cut_lines
from tendigits.reading.weights import weigh

SEVEN, OTHER = 7, 1


def hear(digit: int, sure: float) -> list[NDArray[np.float64]]:
    """Return a look of a line network that hears one digit with a chance."""
    look = np.full((5, 11), -40.0)
    look[:, BLANK] = 0.0
    look[2, :] = np.log((1 - sure) / 10)
    look[2, digit] = np.log(sure)
    return [look]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(fields="one")


@pytest.fixture
def cut_seven(reader: Reader, mnist: DigitSet) -> tuple[Candidates, Lattice]:
    ink, _ = write(mnist.test.take([0]), Hand(height=60), np.random.default_rng(0))
    picture = put_on_paper(ink, Paper(), np.random.default_rng(0))
    (line,) = find_lines(find_ink(picture), one=True)
    return cut_lines([line.mask], reader.recognisers)[0]


def judge(
    reader: Reader,
    cut: tuple[Candidates, Lattice],
    looks: list[NDArray[np.float64]],
    *,
    own: bool = False,
    form: str | None = None,
    second: Classify | None = None,
) -> Judged:
    weights = reader.recognisers.weights
    judged = judge_one(*cut, listen(looks), weights, find_rules(form), own=own, second=second)
    assert judged is not None
    return judged


def test_agreement_is_surer_than_dispute(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    weights = reader.recognisers.weights
    agreed = answer_one(judge(reader, cut_seven, hear(SEVEN, 0.999)), weights)
    disputed = answer_one(judge(reader, cut_seven, hear(OTHER, 0.6)), weights)
    assert agreed.text == disputed.text == str(SEVEN)
    assert agreed.chance > 0.95 > disputed.chance
    assert disputed.others[0][0] == str(OTHER)
    for answer in (agreed, disputed):
        (letter,) = answer.letters
        assert letter.chances.sum() <= 1 + 1e-9  # what is left: it is no digit
        assert letter.chances.argmax() == SEVEN
        assert letter.chances[SEVEN] == pytest.approx(answer.chance)


def test_the_surer_network_decides_unless_the_other_is_somebodys_own(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    candidates, lattice = cut_seven
    unsure = Lattice(steps=lattice.steps, digits=0.1 * lattice.digits, skips=lattice.skips)
    heard = hear(OTHER, 0.9999)
    assert judge(reader, (candidates, unsure), heard).digit == OTHER
    assert judge(reader, (candidates, unsure), heard, own=True).digit == SEVEN


def test_a_second_network_is_asked_where_there_is_doubt_and_counts_as_much_as_the_first(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    asked = []

    def second(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(images))
        return np.tile(np.where(np.arange(10) == OTHER, 9, 0).astype(np.float32), (len(images), 1))

    candidates, lattice = cut_seven
    judge(reader, cut_seven, hear(SEVEN, 0.9999), second=second)
    assert not asked  # both are sure
    unsure = Lattice(steps=lattice.steps, digits=0.1 * lattice.digits, skips=lattice.skips)
    heard = hear(SEVEN, 0.3)
    before = judge(reader, (candidates, unsure), heard)
    after = judge(reader, (candidates, unsure), heard, second=second)
    assert asked == [len(candidates.images)]
    assert (before.digit, after.digit) == (SEVEN, OTHER)
    anew = weigh(candidates, second(candidates.images), reader.recognisers.weights)
    first, other = (among_digits(one_digit(one)) for one in (unsure, anew))
    line = among_digits(digit_log_probs(listen(heard).merged))
    logs = (first + other) / 2 + line
    np.testing.assert_allclose(after.chances, np.exp(logs - np.logaddexp.reduce(logs)), rtol=1e-6)


def test_a_readers_second_network_is_not_asked_beside_somebodys_own(
    reader: Reader, mnist: DigitSet
) -> None:
    asked = []

    def second(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(images))
        return np.zeros((len(images), 10), np.float32)

    disputing = replace(
        reader.recognisers, transcribe=lambda sheet: hear(OTHER, 0.999)[0], second=second
    )
    for alone in (False, True):
        Reader(replace(disputing, alone=alone), fields="one").read(mnist.test.images[0])
        assert len(asked) == alone


@pytest.mark.parametrize(
    ("model", "other"), [("small", "best"), ("best", "small"), ("ensemble", "small")]
)
def test_beside_a_shipped_model_another_one_is_asked(
    mnist: DigitSet, model: str, other: str
) -> None:
    second = load_recognisers(model).second
    assert second is not None
    some = mnist.test.images[:50]
    np.testing.assert_array_equal(second(some), load_classifier(other, threads=1)(some))


def test_beside_ones_own_model_no_other_is_asked() -> None:
    own = find_model("small")  # a file of one's own
    assert all(load_recognisers(model).second is None for model in (own, load_classifier()))


@pytest.mark.parametrize("own", [False, True])
def test_clear_digits_are_accepted_whoever_has_made_the_network(mnist: DigitSet, own: bool) -> None:
    lines = list(make_lines(mnist.test, 60, seed=0, least=1, most=1, hand=Hand(), paper=Paper()))
    shipped = load_recognisers()
    reader = Reader(replace(shipped, alone=not own), fields="one")
    pages = [reader.read(line.picture) for line in lines]
    accepted = [page.accepted for page in pages]
    assert np.mean(accepted) > 0.7
    assert all(
        page.text == line.text
        for page, line, sure in zip(pages, lines, accepted, strict=True)
        if sure
    )


def test_rules_decide_what_is_not_allowed(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    judged = judge(reader, cut_seven, hear(OTHER, 0.9), form="regex:[0-6]")
    assert judged.digit == OTHER
    assert judged.chances[SEVEN] == 0


@pytest.mark.parametrize("sure", [0.05, 0.2, 0.4])
def test_ink_that_rules_forbid_makes_unsure_not_wrong(
    reader: Reader, cut_seven: tuple[Candidates, Lattice], sure: float
) -> None:
    looks = [np.logaddexp(hear(OTHER, sure)[0], hear(SEVEN, 1 - sure)[0]) - np.log(2)]
    judged = judge(reader, cut_seven, looks, form="regex:[0-6]")
    answer = answer_one(judged, reader.recognisers.weights)
    assert answer.text != str(SEVEN)
    assert answer.chance < 0.1
    assert answer.unconstrained == str(SEVEN)


def test_where_nothing_keeps_to_the_rules_the_digit_keeps_its_own_chance(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    judged = judge(reader, cut_seven, hear(SEVEN, 0.99), form="us-zip")
    answer = answer_one(judged, reader.recognisers.weights)
    assert (answer.text, answer.chance) == (str(SEVEN), 0.0)
    assert answer.letters[0].chances[SEVEN] > 0.9


def test_a_doubtful_digit_is_looked_at_again(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    candidates, lattice = cut_seven
    unsure = Lattice(steps=lattice.steps, digits=0.05 * lattice.digits, skips=lattice.skips)
    first, again = hear(OTHER, 0.6), hear(SEVEN, 0.999)
    once = judge(reader, (candidates, unsure), first)
    twice = judge(reader, (candidates, unsure), [*first, *again, *again])
    assert twice.chances[SEVEN] > once.chances[SEVEN] + 0.2


def test_totals_below_all_numbers_still_say_which_digit() -> None:
    logs = np.full(10, -820.0)
    logs[SEVEN] = -800.0
    assert among_digits(logs).argmax() == SEVEN
    assert np.isfinite(among_digits(np.full(10, -np.inf))).all()


def test_a_line_network_that_hears_nothing_decides_nothing(
    reader: Reader, cut_seven: tuple[Candidates, Lattice]
) -> None:
    silent = np.full((3, 11), -40.0)
    silent[:, BLANK] = 0.0
    assert judge(reader, cut_seven, [silent]).digit == SEVEN

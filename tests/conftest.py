"""Options of the whole suite, and the sets that many tests look at."""

from collections.abc import Generator

import pytest

from tendigits.data import Digits, DigitSet, load_mnist


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="count a skipped test as a failed one")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def mnist() -> DigitSet:
    """The real thing, read once."""
    return load_mnist()


@pytest.fixture(scope="session")
def few_digits(mnist: DigitSet) -> DigitSet:
    """2,000 real training digits and 1,000 real test digits."""
    return DigitSet(
        name="mnist-2000", train=mnist.train.take(slice(2_000)), test=mnist.test.take(slice(1_000))
    )


@pytest.fixture(scope="session")
def some_digits(few_digits: DigitSet) -> Digits:
    """256 real training digits, for what needs no accuracy."""
    return few_digits.train.take(slice(256))

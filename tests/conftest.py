"""Options of the whole suite, and the sets, folders and readers that many tests look at."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from folders import write_idx_set
from tendigits.data import Digits, DigitSet, load_mnist

if TYPE_CHECKING:
    from tendigits.data.lines import Line
    from tendigits.reading import Reader


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


@pytest.fixture(scope="session")
def tiny(few_digits: DigitSet) -> DigitSet:
    """60 and 20 of them."""
    return DigitSet(
        name="tiny", train=few_digits.train.take(slice(60)), test=few_digits.test.take(slice(20))
    )


@pytest.fixture(scope="session")
def idx_folder(few_digits: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 and 1,000 real digits as IDX files, in a folder whose path has a space."""
    folder = tmp_path_factory.mktemp("my digits")
    write_idx_set(folder, few_digits)
    return folder


@pytest.fixture
def small_set(few_digits: DigitSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 real digits where the runs expect MNIST."""
    monkeypatch.setattr("tendigits.training.run.open_data", lambda folder: few_digits)


@pytest.fixture
def mlp_file(tmp_path: Path) -> Path:
    """A model file of the tutorial's MLP, with weights as they are drawn."""
    from model_files import INFO
    from tendigits.models import MlpConfig, build_model
    from tendigits.weights import save_model

    path = tmp_path / "model.safetensors"
    save_model(path, build_model(MlpConfig()), MlpConfig(), INFO)
    return path


@pytest.fixture(scope="session")
def reader() -> "Reader":
    """The reader as it is shipped, for pictures of one field."""
    from tendigits.reading import Reader

    return Reader(fields="one", threads=1)


@pytest.fixture(scope="session")
def easy(reader: "Reader", few_digits: DigitSet) -> "Line":
    """A line of five that is read right, with certainty."""
    from handwriting import CLEAN, HAND
    from tendigits.data.lines import make_lines

    for line in make_lines(few_digits.test, 50, seed=1, least=5, most=5, hand=HAND, paper=CLEAN):
        page = reader.read(line.picture)
        if page.accepted and page.text == line.text:
            return line
    raise AssertionError("not one of fifty plain lines is read right")

import io
import sys

import numpy as np
import pytest

from tendigits import cli
from tendigits.cli.figures import print_figures
from tendigits.data.digits import DIGIT_NAMES, Digits
from tendigits.evaluation.measure import Answers
from tendigits.weights import ModelInfo


@pytest.fixture
def answers() -> Answers:
    """1,134 digits of each class, all read right."""
    labels = np.repeat(np.arange(10, dtype=np.uint8), 1_134)
    return Answers(
        info=ModelInfo(recipe="cnn", seed=0, data="mnist", train_fingerprint=""),
        data="mnist",
        classes=DIGIT_NAMES,
        part="test",
        trained_on=False,
        digits=Digits(images=np.zeros((len(labels), 28, 28), np.uint8), labels=labels),
        logits=9 * np.eye(10, dtype=np.float32)[labels],
    )


@pytest.mark.parametrize("columns", ["0", "40", "60", "80"])
@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
def test_no_width_takes_a_number_away(
    answers: Answers,
    columns: str,
    terminal: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich then takes the pipe for a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    print_figures(answers)
    printed = capsys.readouterr().out
    assert printed.count("1134") == 10
    assert "a row for each label, a column for each answer" in printed
    assert "11,340 test pictures of mnist" in printed


def test_what_a_terminal_cannot_show_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii"))
    monkeypatch.setattr(sys, "argv", ["tendigits", "--version"])
    monkeypatch.setattr(cli, "__version__", "0.1 ·")
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    sys.stdout.flush()
    assert shown.getvalue() == b"tendigits 0.1 ?\n"

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageShow

from tendigits.data import Digits, DigitSet, open_available
from tendigits.errors import DataNotFoundError, SettingError
from tendigits.evaluation.plots import WRONG, WRONG_SIGN, prediction_figure, save_figure
from tendigits.evaluation.show import draw_answers
from tendigits.evaluation.window import has_screen, open_window
from tendigits.models import MlpConfig, build_model
from tendigits.weights import ModelInfo, save_model

FASHION = (
    "Top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "$5$",
    "Boot",
)


@pytest.fixture(autouse=True)
def mnist_read_once(mnist: DigitSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the half-second of reading it for each command."""
    monkeypatch.setattr(
        "tendigits.evaluation.measure.open_available",
        lambda folder: mnist if folder is None else open_available(folder),
    )


@pytest.fixture
def digits(mnist: DigitSet) -> Digits:
    """The tutorial's pictures: 7, 2, 1, 0, 4, and two more: 1, 4."""
    return mnist.test.take(slice(7))


@pytest.fixture
def logits(digits: Digits) -> np.ndarray[Any, np.dtype[np.float64]]:
    """All right but the third, which is read as a 7."""
    logits = 9.0 * np.eye(10)[digits.labels]
    logits[2, 7] = 12
    return logits


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def marks(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_titles_are_the_tutorials(digits: Digits, logits: Any) -> None:
    figure = prediction_figure(digits.take(slice(5)), logits[:5])
    assert titles(figure) == [
        "Pred: 7, Label: 7",
        "Pred: 2, Label: 2",
        "Pred: 7, Label: 1",
        "Pred: 0, Label: 0",
        "Pred: 4, Label: 4",
    ]
    rows = {round(axes.get_subplotspec().rowspan.start) for axes in figure.axes}  # type: ignore[union-attr]
    assert rows == {0}


def test_wrong_answers_have_a_sign_and_a_colour(digits: Digits, logits: Any) -> None:
    axes = prediction_figure(digits, logits).axes
    assert [marks(place) for place in axes[:4]] == [[], [], [WRONG_SIGN], []]
    assert [place.title.get_color() == WRONG for place in axes[:4]] == [False, False, True, False]


def test_the_pictures_are_drawn(digits: Digits, logits: Any) -> None:
    for axes, image in zip(prediction_figure(digits, logits).axes, digits.images, strict=False):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)


def test_how_sure_is_said_below(digits: Digits, logits: Any) -> None:
    axes = prediction_figure(digits, logits).axes
    assert axes[0].get_xlabel() == "99.9 % sure"
    assert axes[2].get_xlabel() == "95.3 % sure"


def test_many_pictures_wrap_into_rows(digits: Digits, logits: Any) -> None:
    figure = prediction_figure(digits, logits)
    assert len(figure.axes) == 10
    assert len(titles(figure)) == 7
    assert not any(axes.axison for axes in figure.axes[7:])


def test_class_names_are_taken_as_they_are(digits: Digits, logits: Any, tmp_path: Path) -> None:
    figure = prediction_figure(digits.take([0, 1]), logits[[0, 1]], classes=FASHION)
    assert titles(figure)[0] == "Pred: Sneaker,\nLabel: Sneaker"
    dollars = 9 * np.eye(10)[[8]]
    figure = prediction_figure(digits.take([0]), dollars, classes=FASHION)
    save_figure(figure, tmp_path / "dollars.png")  # as mathematics, it would be read as 5
    assert not figure.axes[0].title.get_parse_math()


def test_no_pictures_are_refused(digits: Digits) -> None:
    with pytest.raises(SettingError, match="no pictures to draw"):
        prediction_figure(digits.take([]), np.empty((0, 10)))


def test_a_figure_is_saved_whole_as_png(digits: Digits, logits: Any, tmp_path: Path) -> None:
    path = tmp_path / "five.png"
    save_figure(prediction_figure(digits.take(slice(5)), logits[:5]), path)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size == (1350, 322)
    assert list(tmp_path.iterdir()) == [path]


def test_another_format_is_refused(digits: Digits, logits: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected a name that ends in"):
        save_figure(prediction_figure(digits, logits), tmp_path / "five.jpg")


def test_a_failed_drawing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "five.png"
    path.write_bytes(b"good")

    class Failing(Figure):
        def savefig(self, *args: Any, **kwargs: Any) -> None:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        save_figure(Failing(), path)
    assert path.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_global_is_drawn_with() -> None:
    program = "import sys, tendigits.evaluation.plots; print('matplotlib.pyplot' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


@pytest.mark.parametrize(("room", "missing"), [("plots", "matplotlib"), ("report", "jinja2")])
def test_without_its_packages_it_says_what_to_install(room: str, missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import tendigits.evaluation.{room}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ExtraMissingError: drawing needs more than the base" in run.stderr
    assert "pip install 'tendigits[train]'" in run.stderr


def test_without_a_screen_no_window_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_screen()
    assert not open_window(Path("there is not even a file"))


class Viewer(ImageShow.Viewer):
    """A desktop's viewer that takes notes, or cannot be started."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.shown: list[tuple[int, int]] = []

    def show(self, image: Image.Image, **options: Any) -> int:
        if self.fails:
            raise OSError("no viewer")
        self.shown.append(image.size)
        return 1


@pytest.mark.parametrize("fails", [False, True])
def test_with_a_screen_the_picture_is_opened(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Viewer(fails=fails)
    monkeypatch.setattr(ImageShow, "_viewers", [viewer])
    monkeypatch.setenv("DISPLAY", ":0")
    Image.new("L", (30, 20)).save(tmp_path / "picture.png")
    assert open_window(tmp_path / "picture.png") is not fails
    assert viewer.shown == ([] if fails else [(30, 20)])


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A folder with an untrained model, which reads most digits wrong."""
    config = MlpConfig(hidden=())
    info = ModelInfo(recipe="none", seed=0, data="mnist", train_fingerprint="")
    save_model(tmp_path / "model.safetensors", build_model(config), config, info)
    return tmp_path


def test_the_figure_is_put_beside_the_model(run_folder: Path) -> None:
    assert draw_answers(run_folder, device="cpu") == run_folder / "show.png"
    model = run_folder / "model.safetensors"
    assert draw_answers(model, mistakes=True, device="cpu") == run_folder / "mistakes.png"
    assert (run_folder / "show.png").stat().st_size > 1_000
    assert (run_folder / "mistakes.png").stat().st_size > 1_000


@pytest.mark.parametrize("count", [0, 501])
def test_an_odd_count_is_refused(run_folder: Path, count: int) -> None:
    with pytest.raises(SettingError, match=f"cannot draw {count} pictures: expected 1 to 500"):
        draw_answers(run_folder, count=count)


def test_a_file_that_cannot_be_written_is_a_failure(run_folder: Path) -> None:
    with pytest.raises(OSError, match=r"cannot write .*No such file"):
        draw_answers(run_folder, out=run_folder / "none" / "five.png", device="cpu")


def test_no_mistakes_cannot_be_drawn(
    run_folder: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_right = DigitSet(name="seven", train=digits, test=digits)
    monkeypatch.setattr("tendigits.evaluation.measure.open_available", lambda folder: all_right)
    monkeypatch.setattr(
        "tendigits.evaluation.measure.predict_logits", lambda *a, **k: np.eye(10)[digits.labels]
    )
    with pytest.raises(DataNotFoundError, match="all 7 pictures were read right"):
        draw_answers(run_folder, mistakes=True)

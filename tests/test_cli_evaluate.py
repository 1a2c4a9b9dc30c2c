import json
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from tendigits.cli.evaluate import evaluate
from tendigits.cli.show import show
from tendigits.data import DigitSet, idx, open_available
from tendigits.errors import SettingError, TendigitsError, UnknownNameError, WeightsError
from tendigits.evaluation import measure
from tendigits.models import MlpConfig, build_model
from tendigits.weights import ModelInfo, save_model

app = typer.Typer(rich_markup_mode=None)
app.command()(evaluate)
app.command()(show)


@pytest.fixture(autouse=True)
def mnist_read_once(mnist: DigitSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the half-second of reading it for each command."""
    monkeypatch.setattr(
        "tendigits.evaluation.measure.open_available",
        lambda folder: mnist if folder is None else open_available(folder),
    )


@pytest.fixture(scope="module")
def run_folder(mnist: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("001-[bold]run")
    config = MlpConfig(hidden=())
    known = mnist.train.fingerprint()
    info = ModelInfo(recipe="[red]none", seed=8, data="mnist", train_fingerprint=known)
    save_model(folder / "model.safetensors", build_model(config), config, info)
    return folder


def run(*words: str | Path) -> str:
    """Return what the command prints; its error is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_is_one_object_and_nothing_else(run_folder: Path) -> None:
    printed = run("evaluate", run_folder, "--json", "--device", "cpu")
    assert json.loads(printed) == measure.answer(run_folder, device="cpu").to_dict()
    assert len(printed.splitlines()) == 1


def test_a_person_reads_every_figure(run_folder: Path) -> None:
    figures = measure.answer(run_folder, device="cpu").to_dict()
    printed = run("evaluate", run_folder / "model.safetensors", "--device", "cpu")
    assert "[red]none, seed 8, measured on the 10,000 test pictures of mnist\n" in printed
    assert f"{figures['accuracy']:.2%}".replace("%", " %") in printed
    assert f"{figures['errors']:,} of 10,000" in printed
    assert f"(95 % interval {10_000 * figures['error_interval'][0]:,.0f} to " in printed
    assert f"{figures['loss']:.4f} nats" in printed
    rows = [line.split() for line in printed.splitlines()]
    for label, row in enumerate(figures["confusion"]):
        cells = [
            str(times) if times or answer == label else "." for answer, times in enumerate(row)
        ]
        assert [str(label), *cells] in rows
    support = [f"{row['support']:,}" for row in figures["per_class"]]
    assert [row[-1] for row in rows if row[2:3] == ["%"] or row[-2:-1] == ["%"]][-10:] == support


def test_the_part_is_said(run_folder: Path) -> None:
    printed = run("evaluate", run_folder, "--part", "train", "--device", "cpu")
    assert (
        "the 60,000 training pictures of mnist: it was trained on some of them, or may have been"
        in printed
    )


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["--part", "tset"], UnknownNameError, "did you mean 'test'"),
        (["--device", "toaster"], UnknownNameError, "no device 'toaster'"),
        (["--data", "/there/is/none"], TendigitsError, "/there/is/none"),
    ],
)
def test_what_cannot_be_done_is_one_error(
    run_folder: Path, words: list[str], kind: type[TendigitsError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        run("evaluate", run_folder, *words)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_model_is_an_error(tmp_path: Path) -> None:
    for command in ("evaluate", "show"):
        with pytest.raises(WeightsError, match="there is no model"):
            run(command, tmp_path)


def test_show_prints_the_path_of_what_it_drew(run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "three.png"
    printed = run("show", run_folder, "--count", "3", "--out", out, "--no-window")
    assert printed == f"{out}\n"
    assert out.read_bytes().startswith(b"\x89PNG")


def test_show_draws_mistakes_beside_the_model(run_folder: Path) -> None:
    assert run("show", run_folder, "--mistakes") == f"{run_folder / 'mistakes.png'}\n"


def test_show_leaves_the_figure_of_the_run_alone(run_folder: Path) -> None:
    assert run("show", run_folder) == f"{run_folder / 'show.png'}\n"
    assert not (run_folder / "predictions.png").exists()


@pytest.mark.parametrize(("option", "opened"), [("--window", True), ("--no-window", False)])
def test_a_window_is_opened_on_request(
    run_folder: Path, option: str, opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[Path] = []
    monkeypatch.setattr("tendigits.evaluation.window.open_window", windows.append)
    run("show", run_folder, option)
    assert windows == ([run_folder / "show.png"] if opened else [])


def test_show_refuses_another_format(run_folder: Path) -> None:
    with pytest.raises(SettingError, match="expected a name that ends in"):
        run("show", run_folder, "--out", "five.jpg")


def test_arguable_labels_need_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("show", "--arguable") == "arguable.png\n"
    assert run("show", "--arguable", "--count", "2", "--out", "two.png") == "two.png\n"
    with Image.open("arguable.png") as twenty, Image.open("two.png") as two:
        assert (twenty.size[0], twenty.size[1] > two.size[1]) == (two.size[0], True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is no model to show: name a model file or a run folder"),
        (["--mistakes"], "there is no model to show"),
        (["runs/001-cnn", "--arguable"], "not a model's answers"),
        (["--arguable", "--mistakes"], "not a model's answers"),
        (["--arguable", "--data", "."], "not a model's answers"),
        (["--arguable", "--device", "cpu"], "not a model's answers"),
        (["--arguable", "--count", "0"], "cannot draw 0 pictures"),
    ],
    ids=str,
)
def test_show_says_what_it_needs(words: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message) as caught:
        run("show", *words)
    assert (len(str(caught.value).splitlines()), caught.value.exit_code) == (1, 2)


@pytest.mark.parametrize("command", ["evaluate", "show"])
def test_what_may_not_be_read_is_left_to_our_own_error(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # typer would answer with its usage
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        run(command, tmp_path, "--data", tmp_path)


@pytest.mark.parametrize("part", ["t10k", "train"])
def test_what_there_is_of_a_set_is_measured(
    run_folder: Path, tmp_path: Path, mnist: DigitSet, part: str
) -> None:
    """A test part alone; or one picture a digit, which cannot be divided."""
    places = [int((mnist.test.labels == digit).argmax()) for digit in range(10)]
    digits = mnist.test.take(places)
    idx.write_idx(tmp_path / f"{part}-images-idx3-ubyte", digits.images)
    idx.write_idx(tmp_path / f"{part}-labels-idx1-ubyte", digits.labels)
    printed = run("evaluate", run_folder, "--data", tmp_path, "--json", "--device", "cpu")
    assert json.loads(printed)["count"] == 10
    assert run("show", run_folder, "--data", tmp_path, "--out", tmp_path / "show.png")

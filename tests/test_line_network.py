"""The network over whole lines, and what its training does to lines."""

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from benchmarks.fit_lines import (
    MOST_DIFFERENCE,
    disturb,
    export,
    find_loss,
    greedy_texts,
    packaged,
)
from benchmarks.line_batches import Lines, collate, join
from benchmarks.line_pool import Sheet, digits_to_write, make_sheets, read_shard, write_shard
from benchmarks.line_weights import read_line_network, widen

from tendigits import registry
from tendigits.models import count_parameters
from tendigits.models.line import SYMBOLS, LineConfig, LineNetwork
from tendigits.reading.canvas import LOOKS, Canvas
from tendigits.reading.ctc import LogProbs, text_log_probs
from tendigits.reading.line_network import Looks, load_line_network
from tendigits.training.line_warp import change_ink, change_pen, warp_lines

LAST = LineConfig().channels[-1]  # features that the classifier sees


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    return list(make_sheets(12, seed=3, held_out=True))


def test_it_is_small_and_two_pixels_are_a_place() -> None:
    network = LineNetwork(LineConfig()).eval()
    assert count_parameters(network) == 666_262
    with torch.inference_mode():
        assert network(torch.zeros(3, 2, 40, 84)).shape == (3, 42, SYMBOLS)


def test_the_exported_network_is_the_same(sheets: list[Sheet], tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = LineConfig(channels=(4, 4, 4, 4, 4, 4, 4))
    export(LineNetwork(config).eval(), tmp_path / "line.onnx", sheets)
    assert (tmp_path / "line.onnx").stat().st_size < 1e5


def test_the_packaged_network_can_learn_on(sheets: list[Sheet]) -> None:
    path = registry.line_file()
    lines = collate(sheets[:8]).lines
    network = read_line_network(path, lines)
    assert network.training
    known = copy.deepcopy(network).eval()
    taught = copy.deepcopy(network)
    taught.features[-1].eval()  # without dropout, training on these lines is evaluation
    with torch.inference_mode():
        torch.testing.assert_close(taught(lines), known(lines), atol=0.05, rtol=0.01)
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            lengths = layer.weight.flatten(1).norm(dim=1)
            torch.testing.assert_close(lengths, torch.ones_like(lengths))
    transcribe = load_line_network(path)
    network.eval()
    for sheet in sheets[8:]:  # the means of the normalisations came from others
        line = torch.from_numpy(sheet.canvas[None]).float() / 255
        with torch.inference_mode():
            log_probs = network(line).log_softmax(-1)[0].numpy()
        np.testing.assert_allclose(log_probs, transcribe(sheet.canvas), atol=MOST_DIFFERENCE)


def test_learning_on_begins_where_the_packaged_network_is(tmp_path: Path) -> None:
    sheets = list(make_sheets(400, seed=4))
    write_shard(tmp_path / "000.npz", sheets)
    network = packaged(tmp_path)
    lines, random = Lines(sheets, seed=1), torch.Generator().manual_seed(1)
    batches = [lines.draw() for _ in range(4)]
    shown = [(batch, *disturb(batch.lines, random)) for batch in batches]

    def loss(*, training: bool) -> float:
        network.train(training)
        network.features[-1].eval()  # dropout, which costs by itself
        with torch.no_grad():
            losses = [find_loss(network(seen), batch, far, 0) for batch, seen, far in shown]
        return float(torch.stack(losses).mean())

    evaluated = loss(training=False)
    assert loss(training=True) < 1.25 * evaluated  # 1.7 times, with means of lines of all widths


def test_a_wider_network_says_the_same(sheets: list[Sheet]) -> None:
    torch.manual_seed(0)
    network = LineNetwork(LineConfig(channels=(4, 5, 6, 7, 8, 9, 10))).eval()
    channels = (4, 6, 6, 9, 8, 12, 15)
    wide = widen(network, channels, torch.Generator().manual_seed(0))
    assert wide.config == LineConfig(channels=channels)
    lines = collate(sheets[:4]).lines
    with torch.inference_mode():
        torch.testing.assert_close(wide(lines), network(lines))
    wide.train()(lines).square().sum().backward()
    gradient = wide.classifier.weight.grad
    assert gradient is not None
    assert (gradient[:, 10:] != 0).any()  # what is new can be learnt


@pytest.mark.parametrize(
    ("part", "shape", "message"),
    [
        ("features.0.weight", (32, 2, 3, 3), "filters of another size"),
        ("features.3.weight_bias", None, "features.3.weight_bias is not there"),
        ("classifier", (LAST, 20), "its classifier is not there"),
    ],
)
def test_a_file_of_another_network_is_refused(
    part: str, shape: tuple[int, ...] | None, message: str, sheets: list[Sheet], tmp_path: Path
) -> None:
    network = onnx.load(registry.line_file())
    saved = network.graph.initializer
    # The classifier's weights go by a number of the exporter's, so they are known by their shape.
    (old,) = (
        one for one in saved if one.name == part or [part, *one.dims] == ["classifier", LAST, 22]
    )
    saved.remove(old)
    if shape is not None:
        saved.append(onnx.numpy_helper.from_array(np.zeros(shape, np.float32), old.name))
    onnx.save(network, tmp_path / "line.onnx")
    with pytest.raises(ValueError, match=message):
        read_line_network(tmp_path / "line.onnx", collate(sheets[:2]).lines)


def test_lines_come_back_from_a_shard(sheets: list[Sheet], tmp_path: Path) -> None:
    write_shard(tmp_path / "000.npz", sheets)
    for before, after in zip(sheets, read_shard(tmp_path / "000.npz"), strict=True):
        np.testing.assert_array_equal(before.canvas, after.canvas)
        np.testing.assert_array_equal(before.places, after.places)
        assert before.text == after.text


def test_digits_are_where_the_places_say(sheets: list[Sheet]) -> None:
    for sheet in sheets:
        assert len(sheet.places) == len(sheet.text)
        assert (sheet.places > 0).all()
        assert (sheet.places < sheet.canvas.shape[2]).all()
        ink = sheet.canvas[0].any(axis=0)
        near = [ink[max(0, int(x) - 6) : int(x) + 7].any() for x in sheet.places]
        assert np.mean(near or [True]) > 0.7


def test_strokes_that_calibrate_are_none_that_anything_learnt() -> None:
    learnt, held_out = (digits_to_write(0, held_out=held_out) for held_out in (False, True))
    known = {image.tobytes() for image in learnt.images}
    assert not any(image.tobytes() in known for image in held_out.images)


def test_looks_are_taken_when_they_are_asked_for_and_kept(sheets: list[Sheet]) -> None:
    taken: list[int] = []

    def transcribe(canvas: Canvas) -> LogProbs:
        taken.append(len(taken))
        return np.full((canvas.shape[2] // 2, SYMBOLS), float(taken[-1]))

    looks = Looks(sheets[0].canvas, transcribe)
    assert looks[:0] == []
    assert taken == []
    assert [int(look[0, 0]) for look in looks[:2]] == [0, 1]
    assert int(looks[-1][0, 0]) == len(LOOKS)
    assert [int(look[0, 0]) for look in looks[-3:-1]] == [len(LOOKS) - 2, len(LOOKS) - 1]
    assert [int(look[0, 0]) for look in looks] == taken == list(range(len(looks)))
    with pytest.raises(IndexError):
        looks[len(looks)]


def test_joined_lines_have_both_texts(sheets: list[Sheet]) -> None:
    both = join(sheets[0], sheets[1])
    assert both.text == sheets[0].text + sheets[1].text
    assert both.canvas.shape[2] == sheets[0].canvas.shape[2] + sheets[1].canvas.shape[2]


def test_the_loss_is_that_of_the_forward_algorithm(sheets: list[Sheet]) -> None:
    batch = collate(sheets)
    logits = torch.randn(
        len(sheets), batch.lines.shape[3] // 2, SYMBOLS, generator=torch.Generator().manual_seed(0)
    )
    log_probs = logits.log_softmax(-1).double().numpy()
    expected = -np.mean(
        [text_log_probs(row, [sheet.text])[0] for row, sheet in zip(log_probs, sheets, strict=True)]
    )
    loss = find_loss(logits, batch, torch.ones(len(sheets)), hint=0.0)
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_greedy_texts_leave_out_blanks_and_repeats() -> None:
    symbols = [[10, 3, 3, 10, 3, 7, 7], [10, 10, 10, 10, 10, 10, 10]]
    logits = np.eye(SYMBOLS, dtype=np.float32)[np.array(symbols)]
    assert greedy_texts(logits) == ["337", ""]


def test_warped_lines_are_still_lines(sheets: list[Sheet]) -> None:
    random = torch.Generator().manual_seed(0)
    lines = collate(sheets).lines
    warped, stretch = warp_lines(lines, random)
    seen = change_ink(change_pen(warped, random), random)
    assert seen.shape == warped.shape
    assert seen.shape[3] % 4 == 0
    assert 0 <= float(seen.min()) <= float(seen.max()) <= 1
    ratio = warped[:, 0].sum((1, 2)) / lines[:, 0].sum((1, 2)) / stretch
    assert float(ratio.median()) == pytest.approx(1, abs=0.25)
    again, _ = warp_lines(lines, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again, warped)

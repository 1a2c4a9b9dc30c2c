"""Teaching: what is new is learned, what was known is kept, and every step can be taken back."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

import tendigits
from hands import mirrored_sevens
from tendigits import shelf
from tendigits.data import Digits, DigitSet
from tendigits.errors import SettingError, WeightsError
from tendigits.reading.classifier import load_classifier
from tendigits.teaching import teach_shelf
from tendigits.training import teach as teach_module
from tendigits.training.teach import BATCH, MixedBatches, chance_of_loss, teach
from tendigits.weights import LoadedModel


def test_fifty_corrections_are_learned_and_mnist_is_kept(mnist: DigitSet) -> None:
    _, lesson = teach(tendigits.load("small"), mirrored_sevens(mnist, 50))
    before, after = lesson.kept_errors
    assert lesson.corrections + lesson.kept == 50
    assert after < before / 2
    assert lesson.mnist_errors[1] <= lesson.mnist_errors[0] + 10
    assert lesson.accepted


def test_no_lesson_measures_on_what_an_earlier_one_learned(
    mnist: DigitSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Digits] = []

    def remember(loaded: LoadedModel, known: Digits, corrections: Digits, seed: int) -> nn.Module:
        learned.append(corrections)
        return loaded.model

    monkeypatch.setattr(teach_module, "train_further", remember)
    corrections, kept = mnist.test.take(slice(120)), 0
    for count in range(6, 121, 19):
        _, lesson = teach(tendigits.load("small"), corrections.take(slice(count)))
        assert lesson.kept + lesson.corrections == count
        assert lesson.kept >= kept
        kept = lesson.kept
    before = {image.tobytes() for part in learned[:-1] for image in part.images}
    last = {image.tobytes() for image in learned[-1].images}
    assert before <= last


def test_each_network_of_an_ensemble_is_shown_as_many_pictures_as_one_alone(
    mnist: DigitSet,
) -> None:
    known, learned = mnist.train, mirrored_sevens(mnist, 10)
    for networks in (1, 3):
        images, labels = MixedBatches(known, learned, 0, networks).at(0)
        assert len(images) == len(labels) == BATCH * networks
        assert (labels[-len(labels) // 4 :] == 7).all()


def test_wrong_corrections_are_not_accepted(mnist: DigitSet) -> None:
    wrong = mnist.test.take(slice(60))
    _, lesson = teach(
        tendigits.load("small"),
        Digits(images=wrong.images, labels=((wrong.labels + 1) % 10).astype(np.uint8)),
    )
    assert not lesson.accepted
    assert lesson.chance < 0.05


def test_what_is_right_already_changes_nothing(mnist: DigitSet, tmp_path: Path) -> None:
    lesson, place = teach_shelf(mnist.test.take(slice(30)), tmp_path / "taught")
    assert place is None
    assert not lesson.accepted
    assert shelf.current_model(tmp_path / "taught") is None


def test_a_taught_model_is_put_into_use_and_taken_back(mnist: DigitSet, tmp_path: Path) -> None:
    corrections = mirrored_sevens(mnist, 60)
    lesson, place = teach_shelf(corrections, tmp_path)
    assert lesson.accepted
    assert place == tmp_path / "001" == shelf.current_model(tmp_path)
    taught = load_classifier(place / "small.onnx")(corrections.images).argmax(axis=1)
    untaught = load_classifier("small")(corrections.images).argmax(axis=1)
    assert (taught == 7).sum() > (untaught == 7).sum()
    assert tendigits.load(place).calibration is not None
    assert shelf.undo(tmp_path) is None
    assert shelf.current_model(tmp_path) is None
    with pytest.raises(SettingError, match="nothing to undo"):
        shelf.undo(tmp_path)


def test_models_stand_in_the_order_they_came(tmp_path: Path) -> None:
    for number in range(1, 4):
        (tmp_path / "draft").mkdir()
        assert shelf.put_on_shelf(tmp_path, tmp_path / "draft").name == f"{number:03d}"
    assert shelf.undo(tmp_path) == tmp_path / "002"
    assert shelf.undo(tmp_path) == tmp_path / "001"


def test_what_was_taken_back_does_not_come_back(tmp_path: Path) -> None:
    for name in ("001", "002"):
        (tmp_path / "draft").mkdir()
        assert shelf.put_on_shelf(tmp_path, tmp_path / "draft").name == name
        assert shelf.undo(tmp_path) is None


def test_a_shelf_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in (b"004", b"../elsewhere", b"\xff\xfe"):
        (tmp_path / "current").write_bytes(name)
        with pytest.raises(WeightsError, match="expected a model of this folder"):
            shelf.current_model(tmp_path)


def test_a_model_whose_parent_is_not_there_is_not_taken_back(tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    taught = shelf.put_on_shelf(tmp_path, tmp_path / "draft")
    for name in (b"007", b"\xff\xfe"):
        (taught / "parent").write_bytes(name)
        with pytest.raises(WeightsError, match="expected a model of this folder"):
            shelf.undo(tmp_path)
    assert shelf.current_model(tmp_path) == taught


def test_too_few_corrections_are_refused(mnist: DigitSet) -> None:
    with pytest.raises(SettingError, match="there are 5 corrections: expected at least 6"):
        teach(tendigits.load("small"), mnist.test.take(slice(5)))


@pytest.mark.parametrize(
    ("lost", "gained", "chance"), [(0, 0, 1.0), (1, 0, 0.5), (5, 0, 1 / 32), (2, 1, 0.5)]
)
def test_the_chance_of_a_loss_is_that_of_coins(lost: int, gained: int, chance: float) -> None:
    assert chance_of_loss(lost, gained) == pytest.approx(chance)

"""Digits written stroke by stroke: MNIST's form, every class, and what readers take them for."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import tendigits
from tendigits.data import ductus
from tendigits.data.digits import SIDE
from tendigits.data.ductus import FORMS, write_by_one, write_digits, write_form
from tendigits.errors import SettingError

LEAST_READ = 0.85  # by a reader that learnt American forms mostly: the rest is what is to be learnt
KNOWN_FORM = 0.9  # of every class some form is as common as that


def test_they_have_the_form_of_mnist_and_every_class_in_turn() -> None:
    made = write_digits(200, seed=0)
    assert made.images.shape == (200, SIDE, SIDE)
    assert made.images.dtype == np.uint8
    assert made.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    ink = made.images >= 128
    assert max(ink.any(axis=1).sum(axis=1).max(), ink.any(axis=2).sum(axis=1).max()) <= 20
    weights = made.images.astype(np.float64) / made.images.sum(axis=(1, 2), keepdims=True)
    middles = np.stack([(weights.sum(axis=axis) * np.arange(SIDE)).sum(axis=1) for axis in (1, 2)])
    assert np.abs(middles - (SIDE - 1) / 2).max() < 1


def test_of_more_than_a_byte_counts_each_class_is_as_frequent() -> None:
    assert write_digits(300, seed=0).class_counts().tolist() == [30] * 10


def test_a_seed_repeats_itself_and_another_differs() -> None:
    first, second, other = (write_digits(30, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.images, second.images)
    assert not np.array_equal(first.images, other.images)


def test_none_and_fewer() -> None:
    assert write_digits(0, seed=0).images.shape == (0, SIDE, SIDE)
    with pytest.raises(SettingError, match="cannot write -1 digits with seed 0"):
        write_digits(-1, seed=0)


def test_one_person_writes_a_class_in_one_form(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    def watch(form: str, random: np.random.Generator) -> NDArray[np.uint8]:
        used.append(form)
        return write_form(form, random)

    monkeypatch.setattr(ductus, "write_form", watch)
    labels = np.tile(np.arange(10, dtype=np.uint8), 3)
    people = []
    for seed in range(5):
        made = write_by_one(labels, np.random.default_rng(seed))
        assert np.array_equal(made.labels, labels)
        assert used[:10] == used[10:20] == used[20:]
        assert all(form in FORMS[label] for label, form in enumerate(used[:10]))
        assert not np.array_equal(made.images[0], made.images[10])  # a hand misses its points
        people.append(tuple(used[:10]))
        used.clear()
    assert len(set(people)) == 5


def test_the_reader_in_the_package_takes_them_for_what_they_are() -> None:
    model = tendigits.load("best").model.eval()
    random = np.random.default_rng(0)
    shares = {}
    for label, forms in FORMS.items():
        for form in forms:
            pictures = np.stack([write_form(form, random) for _ in range(20)])
            with torch.inference_mode():
                answers = model(torch.from_numpy(pictures[:, None]).float() / 255).argmax(1)
            shares[label, form] = float((answers == label).float().mean())
    assert np.mean(list(shares.values())) > LEAST_READ
    for label in FORMS:
        assert max(share for (digit, _), share in shares.items() if digit == label) > KNOWN_FORM

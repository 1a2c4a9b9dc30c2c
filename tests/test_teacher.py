"""Training: what a teacher answers, and which of its networks is trusted."""

from pathlib import Path

import pytest
import torch

import tendigits
from tendigits.data import load_mnist
from tendigits.errors import UnknownNameError
from tendigits.models import Ensemble
from tendigits.training.teacher import Teacher

DIGITS = load_mnist().test.take(range(200))
IMAGES = torch.from_numpy(DIGITS.images).unsqueeze(1).float() / 255
LABELS = torch.from_numpy(DIGITS.labels).long()


def chances_of_members() -> torch.Tensor:
    """Return what each network of the shipped ensemble thinks likely: (networks, N, 10)."""
    model = tendigits.load("ensemble").model
    assert isinstance(model, Ensemble)
    with torch.no_grad():
        return torch.stack([member(IMAGES).softmax(1) for member in model.members])


def test_each_network_counts_as_much_as_it_gives_to_the_label() -> None:
    expected = chances_of_members()
    wrong = (LABELS + torch.arange(len(LABELS)) % 3) % 10  # one in three is right
    answers = Teacher("ensemble", "cpu", in_bfloat16=False).answer(IMAGES, wrong)
    for place, label in enumerate(wrong):
        chances = expected[:, place]
        trust = chances[:, label].clamp_min(0.01)
        mean = (trust[:, None] * chances).sum(0) / trust.sum()
        assert torch.allclose(answers[place], mean, atol=1e-5)
    assert not torch.allclose(answers, expected.mean(0), atol=1e-2)


def test_a_network_that_misreads_a_picture_is_hardly_heard() -> None:
    teacher = Teacher("ensemble", "cpu", in_bfloat16=False)
    sure = torch.tensor([[0.0] * 7 + [9.0] + [0.0] * 2])
    teacher.networks = [Says(sure), Says(sure.roll(1, 1))]
    answer = teacher.answer(IMAGES[:1], torch.tensor([7]))
    assert answer[0, 7] > 0.98
    assert answer.sum() == pytest.approx(1)


def test_one_network_teaches_too_and_in_bfloat16_about_the_same() -> None:
    whole = Teacher("small", "cpu", in_bfloat16=False).answer(IMAGES, LABELS)
    half = Teacher("small", "cpu", in_bfloat16=True).answer(IMAGES, LABELS)
    assert not whole.requires_grad
    assert not torch.equal(whole, half)
    assert (whole - half).abs().max() < 0.05
    assert torch.allclose(whole.sum(1), torch.ones(len(whole)), atol=1e-5)


def test_an_unknown_teacher_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="nobody"):
        Teacher("nobody", "cpu", in_bfloat16=False)


def test_what_lies_in_the_current_folder_teaches_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    Teacher("small", "cpu", in_bfloat16=False)


class Says(torch.nn.Module):
    """A network that answers the same to every picture."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return its logits, (N, 10)."""
        return self.logits.expand(len(images), -1)

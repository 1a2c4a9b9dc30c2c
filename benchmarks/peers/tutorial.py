"""The tutorial's own loop: a torch DataLoader that transforms a picture at a time.

Source: the "Training MNIST with PyTorch" tutorial, as retold countless times: pixels to float
tensors in [0, 1] one by one, shuffled batches of 64, its CNN of 421,642 parameters, Adam at 0.001,
cross-entropy, 5 epochs; running loss and accuracy are kept for the line that each epoch prints.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from tendigits.data import Digits

EPOCHS = 5
BATCH_SIZE = 64
LEARNING_RATE = 0.001


class TransformedDigits(Dataset[tuple[Tensor, int]]):
    """A picture becomes a float tensor when it is asked for.

    Args:
        digits: The pictures.
    """

    def __init__(self, digits: Digits) -> None:
        self.digits = digits

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = self.digits.images[index].astype(np.float32) / 255
        return torch.from_numpy(picture)[None], int(self.digits.labels[index])


def make_network() -> nn.Module:
    """Return the tutorial's CNN, layer by layer as it writes it."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def prepare(digits: Digits) -> tuple[Tensor, Tensor]:
    """Return pictures in [0, 1], (N, 1, 28, 28), and labels, as the network sees them."""
    images = torch.from_numpy(digits.images).float().div_(255).unsqueeze(1)
    return images, torch.from_numpy(digits.labels).long()


def train(digits: Digits, seed: int, epochs: int = EPOCHS) -> nn.Module:
    """Train as the tutorial does; return the network."""
    torch.manual_seed(seed)
    network = make_network()
    loader = DataLoader(TransformedDigits(digits), batch_size=BATCH_SIZE, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        train_epoch(network, loader, criterion, optimizer)
    return network


def train_epoch(
    network: nn.Module,
    loader: DataLoader[tuple[Tensor, int]],
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> tuple[float, float]:
    """Train an epoch; return its mean loss and its accuracy."""
    network.train()
    loss_sum, correct, total = 0.0, 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        logits = network(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        correct += int((logits.argmax(1) == labels).sum())
        total += len(labels)
    return loss_sum / total, correct / total

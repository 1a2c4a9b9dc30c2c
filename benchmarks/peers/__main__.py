"""Train one peer in a fresh process: python -m benchmarks.peers tutorial --seed 0 --out weights.

Prints a line of JSON: seconds of training (from data in memory to final weights), the instant at
which the weights were on the disk (seconds since the epoch), and the accuracy on the test set.
"""

import argparse
import json
import time
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from benchmarks.peers import train_mnist_fast, tutorial
from tendigits.data import Digits, load_mnist

PEERS = ("tutorial", "train-mnist-fast", "train-mnist-fast-channels-last")


def train_tutorial(digits: Digits, seed: int, epochs: int) -> tuple[nn.Module, float]:
    """Train as the tutorial does; return the network and the seconds."""
    start = time.perf_counter()
    network = tutorial.train(digits, seed, epochs)
    return network, time.perf_counter() - start


def train_published(digits: Digits, seed: int, *, channels_last: bool) -> tuple[nn.Module, float]:
    """Train as train_mnist_fast does; its pictures are normalised before the clock starts."""
    images, labels = train_mnist_fast.prepare(digits)
    start = time.perf_counter()
    network = train_mnist_fast.train(images, labels, seed, channels_last=channels_last)
    return network, time.perf_counter() - start


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of pictures that are read right."""
    network.eval()
    with torch.inference_mode():
        right = sum(
            int((network(batch).argmax(1) == answers).sum())
            for batch, answers in zip(images.split(1_000), labels.split(1_000), strict=True)
        )
    return right / len(labels)


def main() -> None:
    """Train, save, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=tutorial.EPOCHS, help="of the tutorial")
    parser.add_argument("--out", type=Path, required=True, help="file for the weights")
    arguments = parser.parse_args()
    mnist = load_mnist()
    if arguments.peer == "tutorial":
        network, seconds = train_tutorial(mnist.train, arguments.seed, arguments.epochs)
        prepare = tutorial.prepare
    else:
        channels_last = arguments.peer.endswith("channels-last")
        network, seconds = train_published(mnist.train, arguments.seed, channels_last=channels_last)
        prepare = train_mnist_fast.prepare
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    safetensors.torch.save_file(tensors, arguments.out)
    saved_at = time.time()
    line = {
        "train_seconds": seconds,
        "saved_at": saved_at,
        "test_accuracy": accuracy(network, *prepare(mnist.test)),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()

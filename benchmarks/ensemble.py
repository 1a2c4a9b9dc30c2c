"""What several trainings of a recipe read together: disjoint groups of seeds, each one ensemble.

    scripts/bench recipes member --seeds 9 --runs trained
    scripts/bench ensemble member --runs trained

Every seed's answers to the test pictures are kept beside the results, so that groups add up over
days. Groups are consecutive seeds: nothing is chosen.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import RESULTS, read_runs, summarise, write_results
from tendigits.data import load_mnist
from tendigits.errors import WeightsError
from tendigits.evaluation.metrics import evaluate_logits, log_softmax
from tendigits.evaluation.predict import predict_logits
from tendigits.weights import load_model

Logits = dict[int, NDArray[np.float16]]


def kept_answers(recipe: str) -> Path:
    """Return the file that holds the answers of every seed of `recipe`."""
    return RESULTS / f"answers-{recipe}.npz"


def read_answers(recipe: str) -> Logits:
    """Return the kept logits of each seed, (10000, 10)."""
    path = kept_answers(recipe)
    if not path.exists():
        return {}
    with np.load(path) as file:
        return {int(seed): file[seed] for seed in file.files}


def add_answers(recipe: str, runs: Path) -> Logits:
    """Let the finished runs of `recipe` in a folder answer; keep and return all seeds' logits."""
    answers = read_answers(recipe)
    images = load_mnist().test.images
    for folder in sorted(runs.glob(f"*-{recipe}")):
        try:
            loaded = load_model(folder)
        except WeightsError as error:  # a run that is still training has no model yet
            print(f"left out: {error}")
            continue
        answers[loaded.info.seed] = predict_logits(loaded.model, images).astype(np.float16)
    if answers:
        content: dict[str, Any] = {str(seed): answers[seed] for seed in sorted(answers)}
        np.savez_compressed(kept_answers(recipe), **content)
    return answers


def together(members: list[NDArray[np.float16]]) -> NDArray[np.float64]:
    """Return the logits of an ensemble, (N, 10), as `models.Ensemble` computes them."""
    log_probs = [log_softmax(member.astype(np.float64)) for member in members]
    mean: NDArray[np.float64] = np.logaddexp.reduce(log_probs, axis=0) - np.log(len(members))
    return mean


def measure_groups(recipe: str, answers: Logits, members: int) -> list[dict[str, Any]]:
    """Return the figures of each disjoint group of `members` seeds."""
    labels = load_mnist().test.labels
    seconds = {run["seed"]: run["train_seconds"] for run in read_runs(f"recipe-{recipe}")}
    seeds = sorted(answers)
    groups = [seeds[start : start + members] for start in range(0, len(seeds), members)]
    return [
        {
            "recipe": recipe,
            "seeds": group,
            "test_accuracy": evaluate_logits(
                together([answers[seed] for seed in group]), labels
            ).accuracy,
            "train_seconds": round(sum(seconds[seed] for seed in group), 1),
        }
        for group in groups
        if len(group) == members
    ]


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="member")
    parser.add_argument("--runs", type=Path, help="folder of run folders, to add their answers")
    parser.add_argument("--members", type=int, default=3)
    arguments = parser.parse_args()
    recipe, members = arguments.recipe, arguments.members
    answers = add_answers(recipe, arguments.runs) if arguments.runs else read_answers(recipe)
    groups = measure_groups(recipe, answers, members)
    command = f"scripts/bench ensemble {recipe} --members {members}"
    write_results("ensemble", command, groups)
    for group in groups:
        print(group)
    accuracy = summarise(group["test_accuracy"] for group in groups)
    print(f"mean {accuracy.mean:.4%}, sd {accuracy.deviation:.4%}, n = {accuracy.count}")


if __name__ == "__main__":
    main()

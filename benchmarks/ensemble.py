"""What several trainings read together: disjoint groups, each one ensemble.

    scripts/bench recipes member --seeds 3 --runs trained      # and of forms, and of small
    scripts/bench ensemble --runs trained

Of several recipes, a group is one training of each, all of the same seed; of one recipe, it is some
seeds in a row. Nothing is chosen. Every seed's answers to the test pictures are kept beside the
results, so that groups add up over days.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recipes import runs_of
from benchmarks.results import RESULTS, read_runs, summarise, write_results
from tendigits.data import load_mnist
from tendigits.errors import WeightsError
from tendigits.evaluation.metrics import evaluate_logits, log_softmax
from tendigits.evaluation.predict import predict_logits
from tendigits.weights import load_model

KINDS = ["forms", "member", "small"]  # of what is shipped, chosen on held-out digits (LOG)

Logits = dict[int, NDArray[np.float16]]
Group = list[tuple[str, int]]  # the recipe and the seed of each member


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
    for folder, _ in runs_of(runs, recipe):
        try:
            loaded = load_model(folder)
        except WeightsError as error:  # a run that is still training has no model yet
            print(f"left out: {error}")
            continue
        logits = predict_logits(loaded.model, images)
        logits -= logits.max(axis=1, keepdims=True)  # so near 0, float16 tells answers apart
        answers[loaded.info.seed] = logits.astype(np.float16)
    if answers:
        content: dict[str, Any] = {str(seed): answers[seed] for seed in sorted(answers)}
        np.savez_compressed(kept_answers(recipe), **content)
    return answers


def together(members: list[NDArray[np.float16]]) -> NDArray[np.float64]:
    """Return the logits of an ensemble, (N, 10), as `models.Ensemble` computes them."""
    log_probs = [log_softmax(member.astype(np.float64)) for member in members]
    mean: NDArray[np.float64] = np.logaddexp.reduce(log_probs, axis=0) - np.log(len(members))
    return mean


def make_groups(seeds: dict[str, list[int]], members: int) -> list[Group]:
    """Return disjoint groups of trainings: one of each recipe, or `members` seeds of the only one.

    Args:
        seeds: Of each recipe, those that were trained.
        members: Of a group, where there is one recipe.
    """
    if len(seeds) == 1:
        ((recipe, trained),) = seeds.items()
        starts = range(0, len(trained) - members + 1, members)
        return [[(recipe, seed) for seed in trained[at : at + members]] for at in starts]
    shared = set.intersection(*map(set, seeds.values()))
    return [[(recipe, seed) for recipe in seeds] for seed in sorted(shared)]


def measure_group(group: Group, answers: dict[str, Logits]) -> dict[str, Any]:
    """Return the figures of a group of trainings."""
    seconds = {
        (recipe, run["seed"]): run["train_seconds"]
        for recipe in answers
        for run in read_runs(f"recipe-{recipe}")
    }
    logits = together([answers[recipe][seed] for recipe, seed in group])
    return {
        "members": [{"recipe": recipe, "seed": seed} for recipe, seed in group],
        "test_accuracy": evaluate_logits(logits, load_mnist().test.labels).accuracy,
        "train_seconds": round(sum(seconds[member] for member in group), 1),
    }


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=KINDS)
    parser.add_argument("--runs", type=Path, help="folder of run folders, to add their answers")
    parser.add_argument("--members", type=int, default=3, help="seeds together, of one recipe")
    arguments = parser.parse_args()
    answers = {
        recipe: add_answers(recipe, arguments.runs) if arguments.runs else read_answers(recipe)
        for recipe in arguments.recipes
    }
    seeds = {recipe: sorted(known) for recipe, known in answers.items()}
    groups = [measure_group(group, answers) for group in make_groups(seeds, arguments.members)]
    if not groups:
        sys.exit(
            f"no group of {', '.join(arguments.recipes)} was trained: name their folder --runs"
        )
    command = f"scripts/bench ensemble {' '.join(arguments.recipes)}"
    if len(arguments.recipes) == 1:
        command += f" --members {arguments.members}"
    write_results("ensemble", command, groups)
    for group in groups:
        print(group)
    accuracy = summarise(group["test_accuracy"] for group in groups)
    print(f"mean {accuracy.mean:.4%}, sd {accuracy.deviation:.4%}, n = {accuracy.count}")


if __name__ == "__main__":
    main()

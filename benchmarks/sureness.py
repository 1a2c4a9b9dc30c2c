"""Where the line network may answer alone: is it then right as often as both readers together?

    scripts/bench sureness --lines 1500

It looks at lines of forms that two older networks have not learnt (benchmarks/strangers), at those
that a second look leaves sure (`heard.check`), and prints how many are read right either way, by
the chance that the line network gives its text at first. `heard.SURE` follows from it. How much
both readers count is fitted on lines that are less sure than `heard.SURE`, and on other digits.
"""

import argparse
from itertools import pairwise

import numpy as np

from benchmarks.fit_reading import STRANGERS, make_strangers
from tendigits.reading.ctc import text_log_probs
from tendigits.reading.fitting_joint import Pair
from tendigits.reading.joint import gather, posterior
from tendigits.reading.weights import JointWeights, load_weights

BOUNDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0)
SEED = 15  # of the lines; `fit_reading` fits on others


def read_jointly(pair: Pair, weights: JointWeights) -> str:
    """Return what both readers together take a line to say."""
    evidence = gather(pair.lattice, pair.looks, high=pair.high)
    return evidence.texts[int(posterior(evidence, weights).argmax())]


def main() -> None:
    """Print a row for each range of chances."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_500)
    arguments = parser.parse_args()
    weights = load_weights()
    rows = []
    for pair in make_strangers(STRANGERS, weights, arguments.lines, seed=SEED, sure=BOUNDS[0]):
        if pair.alone is not None:
            text = pair.alone.text
            chance = float(np.exp(text_log_probs(pair.looks[0], [text])[0]))
            jointly = read_jointly(pair, weights.joint)
            rows.append((chance, text == pair.text, jointly == pair.text))
    table = np.array(rows, float).reshape(-1, 3)
    print(f"{len(table)} of {arguments.lines} lines have {BOUNDS[0]} or more")
    for low, high in pairwise(BOUNDS):
        inside = table[(table[:, 0] > low) & (table[:, 0] <= high)]
        if len(inside):
            alone, both = inside[:, 1:].mean(axis=0)
            print(f"{low} to {high}: {len(inside)} lines, alone {alone:.1%}, both {both:.1%}")


if __name__ == "__main__":
    main()

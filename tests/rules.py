"""Rules asked about a text, a digit at a time, as a search does."""

from tendigits.reading.search import Rules


def keeps(rules: Rules, text: str) -> bool:
    state = rules.start()
    for letter in text:
        after = rules.step(state, int(letter))
        if after is None:
            return False
        state = after
    return rules.is_whole(state)

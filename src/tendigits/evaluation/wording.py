"""Numbers as people read them, the same in the terminal, the figure and the report."""

from collections.abc import Sequence

from tendigits.evaluation.metrics import Evaluation


def percent(share: float) -> str:
    """Return a share with two decimals; only all is 100 %, and only nothing is 0 %.

    >>> percent(0.9776), percent(1.0), percent(0.999999), percent(0.00001)
    ('97.76 %', '100 %', '> 99.99 %', '< 0.01 %')
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share > 0.9999:
        return "> 99.99 %"
    return f"{share:.2%}".replace("%", " %") if share >= 0.0001 else "< 0.01 %"


def sureness(prob: float) -> str:
    """Return the probability of an answer in words; no answer is quite certain.

    >>> sureness(0.9876), sureness(1.0)
    ('98.8 % sure', '> 99.9 % sure')
    """
    return f"{prob:.1%} sure".replace("%", " %") if prob <= 0.999 else "> 99.9 % sure"


def per_10_000(share: float) -> str:
    """Return a share of 10,000, whole where it is 10 or more.

    >>> per_10_000(0.0224), per_10_000(0.00079), per_10_000(0.0)
    ('224', '7.9', '0')
    """
    number = share * 10_000
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def interval_per_10_000(evaluation: Evaluation) -> str:
    """Return the 95 % interval of the errors in 10,000 in words, such as ``"202 to 255"``."""
    low, high = evaluation.error_interval
    return f"{per_10_000(low)} to {per_10_000(high)}"


def duration(seconds: float) -> str:
    """Return a time in words.

    >>> duration(3.72), duration(59.96), duration(200), duration(3725)
    ('3.7 s', '1 min 00 s', '3 min 20 s', '1 h 02 min')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def name_class(label: int, classes: Sequence[str]) -> str:
    """Return the number of a class, and its name where that says more.

    >>> name_class(1, ["0", "1"]), name_class(1, ["T-shirt/top", "Trouser"])
    ('1', '1 Trouser')
    """
    return str(label) if classes[label] == str(label) else f"{label} {classes[label]}"

"""What a ledger holds: decisions on pieces, and the runs that made them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided on a piece.

    Attributes:
        picture: The path of the piece in its folder.
        sha256: Of its content, in hexadecimal digits.
        code: The best guess; empty where there is none.
        confidence: The chance that the code is right, in [0, 1].
        bin: Where the piece goes.
        time: Of the decision, in seconds since 1970.
        model: That read it.
        number: In the ledger, from 1; 0 before it is there.
    """

    picture: str
    sha256: str
    code: str
    confidence: float
    bin: str
    time: float
    model: str
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One start of a sorting.

    Attributes:
        started: In seconds since 1970.
        model: That reads: its name, and the first digits of its file's sha256.
        format: What a code keeps to, by name; None for any digits.
        plan: The sha256 of the plan.
        reject_above: The chance of being wrong above which a person looks, in [0, 1].
        pieces: That it decided.
        seconds: From its start to its last decision.
    """

    started: float
    model: str
    format: str | None
    plan: str
    reject_above: float
    pieces: int = 0
    seconds: float = 0.0

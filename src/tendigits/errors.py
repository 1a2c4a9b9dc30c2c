"""Everything that tendigits raises on purpose, one class for each thing that a user can act on.

TendigitsError                 exit code 1
├── UsageError                 exit code 2: the request itself cannot be carried out
│   ├── SettingError           a setting is outside its range
│   ├── UnknownNameError       no recipe, data set or device has this name
│   └── ExtraMissingError      an optional part of the installation is needed
├── DataError                  pictures or labels
│   ├── DataNotFoundError      nothing readable there
│   ├── DataFormatError        there, but truncated, swapped, mislabelled, ...
│   └── DownloadError          no mirror delivered the file that was asked for
├── WeightsError               a model file that must not be used
├── SortingError               a folder of sorted mail that cannot be used
├── RunFolderError             a run folder that cannot be read, written or continued
├── CheckpointError            a checkpoint could not be written, or none is whole
├── StorageFullError           the disk is full; what was written before is whole
├── QueueError                 the review queue cannot be used
│   └── LeaseError             a piece is not, or no longer, this person's to answer
├── DivergedError              the loss stopped being a finite number
└── InterruptedTrainingError   exit code 130: stopped on request, can be continued

A message says what was given, what was expected and what to do, in one line. The command line
prints that line and leaves with `exit_code`.
"""

import difflib
import errno
from collections.abc import Iterable


class TendigitsError(Exception):
    """Base of every error that tendigits raises on purpose."""

    exit_code = 1


class UsageError(TendigitsError):
    """The request itself cannot be carried out, whatever the state of the machine."""

    exit_code = 2


class SettingError(UsageError):
    """A setting is outside the range in which it has a meaning."""


class UnknownNameError(UsageError):
    """A name was given that nothing has.

    Args:
        kind: What the name should have named, such as ``"recipe"``.
        name: The name as given.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        close = difflib.get_close_matches(name, known, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(f"there is no {kind} {name!r}: {guess}there is {', '.join(known)}")


class ExtraMissingError(UsageError):
    """An optional part of the installation is needed.

    Args:
        purpose: What was asked for, such as ``"training"``.
        extra: The extra that brings it.
    """

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs more than the base installation: pip install 'tendigits[{extra}]'"
        )


# Packages that an extra brings, where it has others too.
EXTRA_OF = {
    "fastapi": "serve",
    "jinja2": "train",
    "matplotlib": "train",
    "prometheus_client": "serve",
    "psycopg": "postgres",
    "sqlalchemy": "serve",
    "torch": "train",
    "uvicorn": "serve",
}


def is_disk_full(error: OSError) -> bool:
    """Say whether the system refused to write because there is no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def explain_missing(error: ModuleNotFoundError) -> Exception:
    """Return the error that says which extra brings the module that is missing.

    Args:
        error: Of an import; it is returned as it is where no extra brings the module.
    """
    package = (error.name or "").partition(".")[0]
    return ExtraMissingError(package, EXTRA_OF[package]) if package in EXTRA_OF else error


class DataError(TendigitsError):
    """Pictures or labels that cannot be used."""


class DataNotFoundError(DataError):
    """There is nothing readable where the data was said to be."""


class DataFormatError(DataError):
    """The data is there, but is not what it should be."""


class DownloadError(DataError):
    """No mirror delivered the file that was asked for."""


class WeightsError(TendigitsError):
    """A model file that must not be used."""


class StorageFullError(TendigitsError):
    """The disk is full; what was written before is whole, and the rest can be done again."""


class SortingError(TendigitsError):
    """A folder of sorted mail that cannot be used."""


class RunFolderError(TendigitsError):
    """A run folder that cannot be read, written or continued."""


class CheckpointError(TendigitsError):
    """A checkpoint could not be written, or none that is whole could be found."""


class QueueError(TendigitsError):
    """The review queue cannot be used."""


class LeaseError(QueueError):
    """A piece is not, or no longer, this person's to answer."""


class DivergedError(TendigitsError):
    """The loss stopped being a finite number."""


class InterruptedTrainingError(TendigitsError):
    """Training was stopped on request, tidily, and can be continued."""

    exit_code = 130

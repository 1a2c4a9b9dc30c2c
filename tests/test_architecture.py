"""The table of docs/architecture.md, held against the imports in the code."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

import pytest

import tendigits

SOURCE = Path(tendigits.__file__).parent

TABLE_ROW = re.compile(r"\| (\d+) \| ([^|]*) \| [^|]* \| ([^|]*)\|")


class Room(NamedTuple):
    """Where a room stands, and what it may import from outside."""

    row: int
    outside: set[str]


def read_table() -> dict[str, Room]:
    """Return the rooms of the plan by name; the door, tendigits/__init__.py, has none."""
    plan = Path(__file__).parent.parent / "docs" / "architecture.md"
    return {
        "" if name == "__init__" else name: Room(int(row), set(quoted(outside)))
        for row, names, outside in TABLE_ROW.findall(plan.read_text("utf-8"))
        for name in quoted(names)
    }


def quoted(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


ROOMS = read_table()


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(module: str) -> str:
    """Return the longest name of a room that fits."""
    return max(
        (room for room in ROOMS if module == room or module.startswith(f"{room}.") or not room),
        key=len,
    )


def imports_in(code: str, package: str) -> Iterator[str]:
    """Yield what is imported, each by its whole name."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> Iterator[str]:
    package = ".".join(("tendigits", *path.relative_to(SOURCE).parent.parts))
    return imports_in(path.read_text("utf-8"), package)


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[module_of(path) or "tendigits" for path in FILES])
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    module = module_of(path)
    room = ROOMS[room_of(module)]
    for name in imports_of(path):
        top, _, inside = name.partition(".")
        if top == "tendigits":
            own = room_of(inside) == room_of(module)
            assert own or ROOMS[room_of(inside)].row < room.row, f"{module} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in room.outside, f"{module} imports {name}"


def test_every_file_but_the_door_has_a_room() -> None:
    nowhere = [path.name for path in FILES if room_of(module_of(path)) == ""]
    assert nowhere == ["__init__.py"]


def test_the_plan_names_nothing_that_is_not_there() -> None:
    used: dict[str, set[str]] = {room_of(module_of(path)): set() for path in FILES}
    for path in FILES:
        used[room_of(module_of(path))] |= {name.partition(".")[0] for name in imports_of(path)}
    assert used.keys() == ROOMS.keys()
    for name, room in ROOMS.items():
        assert room.outside <= used[name], f"{name} imports less"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from . import digits", "tendigits.data.digits"),
        ("from .. import cli", "tendigits.cli"),
        ("from ..training.loop import train", "tendigits.training.loop.train"),
        ("from tendigits.evaluation import metrics", "tendigits.evaluation.metrics"),
    ],
)
def test_no_way_to_import_escapes(code: str, name: str) -> None:
    assert list(imports_in(code, "tendigits.data")) == [name]


@pytest.mark.parametrize("words", ["import tendigits", "import tendigits.cli"])
def test_the_door_and_the_command_load_nothing_heavy(words: str) -> None:
    check = (
        f"{words}\nimport sys\n"
        "print(*sorted({'torch', 'onnxruntime', 'cv2', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_the_public_names_are_there_and_sorted() -> None:
    assert list(tendigits.__all__) == sorted(tendigits.__all__)
    for name in tendigits.__all__:
        assert getattr(tendigits, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tendigits.nothing

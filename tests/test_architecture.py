"""The table of docs/architecture.md, held against the imports in the code."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tendigits

SOURCE = Path(tendigits.__file__).parent

# The longest name that fits a module gives its row, and what it may import from outside.
ROWS: dict[str, tuple[int, set[str]]] = {
    "version": (0, set()),
    "errors": (0, set()),
    "atomic": (0, set()),
    "imaging": (1, {"numpy", "PIL", "cv2"}),
    "environment": (1, {"torch"}),
    "models": (1, {"torch"}),
    "evaluation.metrics": (1, {"numpy"}),
    "data": (2, {"numpy", "PIL"}),
    "weights": (3, {"safetensors", "torch"}),
    "doctor": (3, {"torch"}),
    "export": (4, {"numpy", "torch", "onnxruntime"}),
    "evaluation": (4, {"numpy", "PIL", "torch", "matplotlib", "jinja2", "markupsafe"}),
    "training": (5, {"numpy", "safetensors", "torch"}),
    "": (6, set()),  # tendigits/__init__.py
    "cli": (7, {"typer", "rich", "numpy", "torch"}),
    "__main__": (8, set()),
}


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(module: str) -> str:
    return max(
        (room for room in ROWS if module == room or module.startswith(f"{room}.") or not room),
        key=len,
    )


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "tendigits":
            yield from (f"tendigits.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[module_of(path) or "tendigits" for path in FILES])
def test_a_file_imports_only_from_rows_above_or_its_own_room(path: Path) -> None:
    module = module_of(path)
    assert module == "" or room_of(module), f"{module} is in no row"
    row, outside = ROWS[room_of(module)]
    for name in imports_of(path):
        top, _, inside = name.partition(".")
        if top == "tendigits":
            own = room_of(inside) == room_of(module)
            assert own or ROWS[room_of(inside)][0] < row, f"{module} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in outside, f"{module} imports {name}"


def test_only_the_door_is_outside_the_rows() -> None:
    nowhere = [path.name for path in FILES if room_of(module_of(path)) == ""]
    assert nowhere == ["__init__.py"]


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

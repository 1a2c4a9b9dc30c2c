"""What `pip install tendigits` brings, without extras, is enough to read; torch is not among it."""

import subprocess
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image

from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper

MEBIBYTES = 380  # that the base install may take
PACKAGE = Path(__file__).parent.parent / "src" / "tendigits"


def find_required(name: str, found: dict[str, Distribution]) -> None:
    """Add a distribution, and whatever it requires without extras, to `found`."""
    if name.lower() in found:
        return
    found[name.lower()] = distribution(name)
    for text in found[name.lower()].requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            find_required(requirement.name, found)


def size_of(files: Iterable[Path]) -> float:
    """Return the size of those that are there, in MiB."""
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


@pytest.fixture(scope="module")
def required() -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    find_required("tendigits", found)
    return found


@pytest.fixture(scope="module")
def python(required: dict[str, Distribution], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds what the base install requires, and nothing else."""
    folder = tmp_path_factory.mktemp("base")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "tendigits").symlink_to(PACKAGE)
    for name, one in required.items():
        roots = {file.parts[0] for file in one.files or [] if name != "tendigits"}
        for root in sorted(roots - {"..", "__pycache__"}):
            if not (packages / root).exists():
                (packages / root).symlink_to(Path(str(one.locate_file(root))))
    return folder / "bin" / "python"


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-I", *arguments], capture_output=True, text=True)


def test_torch_is_not_required(required: dict[str, Distribution], python: Path) -> None:
    assert "torch" not in required
    assert run(python, "-c", "import torch").returncode == 1


def test_the_base_install_reads_a_picture(python: Path, mnist: DigitSet, tmp_path: Path) -> None:
    (line,) = make_lines(mnist.test, 1, seed=0, hand=Hand(), paper=Paper())
    Image.fromarray(line.picture).save(tmp_path / "line.png")
    picture = str(tmp_path / "line.png")
    read = run(python, "-m", "tendigits", "read", picture, "--reject-above", "1")
    assert line.text in read.stdout.split(), read.stdout + read.stderr


@pytest.mark.parametrize("command", ["train fast", "evaluate small", "show small", "export small"])
def test_what_needs_torch_says_how_to_get_it(python: Path, command: str) -> None:
    refused = run(python, "-m", "tendigits", *command.split())
    assert refused.returncode != 0
    assert refused.stderr.endswith("pip install 'tendigits[train]'\n")
    assert refused.stderr.count("\n") == 1


def test_the_library_says_so_too(python: Path) -> None:
    refused = run(python, "-c", "import tendigits; tendigits.load('small')")
    assert refused.stderr.splitlines()[-1].endswith("pip install 'tendigits[train]'")


def test_the_base_install_is_small(required: dict[str, Distribution]) -> None:
    files = [Path(str(file.locate())) for one in required.values() for file in one.files or []]
    assert size_of({*files, *PACKAGE.rglob("*")}) < MEBIBYTES

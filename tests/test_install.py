"""`scripts/install` in a folder that somebody has already prepared; nothing is downloaded."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INSTALL = Path(__file__).parent.parent / "scripts" / "install"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose .venv bears the stamp of a finished installation, and no Python."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(INSTALL, tmp_path / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".venv").mkdir()
    stamp = 'echo "$(cat pyproject.toml constraints.txt | cksum) $(pwd)" > .venv/installed-train'
    subprocess.run(["sh", "-c", stamp], cwd=tmp_path, check=True)
    return tmp_path


def install(project: Path) -> subprocess.CompletedProcess[str]:
    script = project / "scripts" / "install"
    return subprocess.run([script, "train"], capture_output=True, text=True, cwd=project)


def test_an_environment_without_pip_is_kept_and_given_one(project: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    done = install(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (project / ".venv" / "installed-train").exists()
    subprocess.run([project / ".venv" / "bin" / "python", "-c", "import pip"], check=True)


def test_a_folder_without_python_is_refused_and_kept(project: Path) -> None:
    done = install(project)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "scripts/install: .venv holds no Python that runs: move it away and try again"
    ]
    assert (project / ".venv" / "installed-train").exists()

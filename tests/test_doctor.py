import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tendigits import doctor
from tendigits.doctor import Finding, examine


def finding(name: str) -> Finding:
    return next(finding for finding in examine() if finding.name == name)


def test_a_broken_torch_is_a_finding_of_a_whole_report(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so:\\n no such file')")
    done = subprocess.run(
        [sys.executable, "-m", "tendigits", "doctor"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr == ""
    looks = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    bad = {name: reason for mark, name, reason in looks if mark == "BAD"}
    assert bad == dict.fromkeys(("threads", "devices"), "ImportError: libtorch.so: no such file")
    assert looks[-1][:2] == ["ok", "write"]


@pytest.mark.parametrize("name", ["safetensors", "onnxruntime"])
def test_a_package_that_is_there_but_broken_is_a_finding(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text("raise ImportError('a library is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert finding(name) == Finding(
        name=name, value="ImportError: a library is missing", healthy=False
    )


def test_threads_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    said = f"torch takes {torch.get_num_threads()}, OMP_NUM_THREADS=7"
    assert finding("threads").value.endswith(said)


def test_without_torch_the_threads_are_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "package_version", lambda name: None)
    assert finding("threads").healthy
    assert "torch" not in finding("threads").value

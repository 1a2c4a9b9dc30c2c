"""`tendigits data`, called as the command line calls it."""

import dataclasses
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from mirror_server import Mirror, md5, serve
from tendigits.cli.data import data
from tendigits.data import DigitSet, catalogue, fetched, idx
from tendigits.errors import DataNotFoundError, SettingError, TendigitsError, UnknownNameError

app = typer.Typer()
app.command()(data)


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, TendigitsError | OSError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def folder(tmp_path: Path, few_digits: DigitSet) -> Path:
    """A folder of the user's own, without a test part."""
    digits = few_digits.train.take(slice(100))
    (tmp_path / "own").mkdir()
    idx.write_idx(tmp_path / "own" / "train-images-idx3-ubyte", digits.images)
    idx.write_idx(tmp_path / "own" / "train-labels-idx1-ubyte", digits.labels)
    return tmp_path / "own"


def test_it_lists_the_sets(tmp_path: Path) -> None:
    lines = run("--cache", tmp_path).splitlines()
    assert " ".join(lines[1].split()) == "mnist 60,000 10,000 CC BY-SA 3.0 inside the package"
    assert [line.split()[0] for line in lines[1:7]] == [
        known.name for known in catalogue.KNOWN_SETS
    ]


def test_it_counts_a_set_and_a_folder(folder: Path) -> None:
    assert "5       5,421     892" in run("mnist")
    assert "a sixth of each class was set aside" in run(folder)


def test_it_prints_a_card() -> None:
    assert "CC BY-SA 3.0" in run("mnist", "--card")


def test_it_draws_a_sheet_of_a_set_and_of_a_folder(tmp_path: Path, folder: Path) -> None:
    for name in ("mnist", folder):
        path = tmp_path / "sheet.png"
        assert run(name, "--sheet", path).strip() == str(path)
        with Image.open(path) as image:
            assert image.format == "PNG"


def test_a_sheet_is_a_png_file(tmp_path: Path) -> None:
    for name in ("sheet.jpg", "."):
        with pytest.raises(SettingError, match=r"expected a name that ends in \.png"):
            run("mnist", "--sheet", tmp_path / name)
    with pytest.raises(OSError, match=r"cannot write .*none.sheet.png \(No such file"):
        run("mnist", "--sheet", tmp_path / "none" / "sheet.png")


def test_names_are_printed_as_they_are(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder.rename(tmp_path / "b&x[red]")
    assert "b&x[red]" in run(folder)
    monkeypatch.setattr(catalogue.KnownSet, "is_here", lambda known, cache: True)
    assert "/[red]/kmnist" in "".join(run("--cache", tmp_path / "[red]").split())


def test_a_path_is_answered_as_one(tmp_path: Path) -> None:
    (tmp_path / "digits.zip").write_bytes(b"")
    with pytest.raises(DataNotFoundError, match="is a file: give the folder"):
        run(tmp_path / "digits.zip")
    with pytest.raises(DataNotFoundError, match="there is no such folder"):
        run(tmp_path / "nowhere")


def test_it_fetches_a_set_and_prints_its_folder(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [path.read_bytes() for path in sorted(folder.iterdir())] * 2
    files = dict(zip(fetched.KMNIST.checksums, contents, strict=True))
    with serve() as server:
        source = dataclasses.replace(
            fetched.KMNIST,
            mirrors=(server.add("kmnist", Mirror(files=files)),),
            checksums={name: md5(content) for name, content in files.items()},
        )
        known = dataclasses.replace(catalogue.find_known_set("kmnist"), source=source)
        monkeypatch.setattr(catalogue, "KNOWN_SETS", (known,))
        printed = run("kmnist", "--fetch", "--cache", tmp_path / "cache")
    assert printed == f"{tmp_path / 'cache' / 'kmnist'}\n"
    assert str(tmp_path / "cache") in "".join(run("--cache", tmp_path / "cache").split())
    assert "kmnist" in run("kmnist", "--cache", tmp_path / "cache")


def test_what_cannot_be_done_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataNotFoundError, match="`tendigits data usps --fetch` brings it"):
        run("usps", "--sheet", tmp_path / "sheet.png", "--cache", tmp_path)
    with pytest.raises(UnknownNameError, match="there is no set or folder 'nothing'"):
        run("nothing")
    for arguments in (["--card"], ["mnist", "--fetch"], [folder, "--card"], [folder, "--fetch"]):
        with pytest.raises(SettingError):
            run(*arguments)

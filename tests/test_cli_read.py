"""`tendigits read`, as it is typed."""

import csv
import errno
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from tendigits.atomic import WriteError
from tendigits.cli.drawings import _name_each
from tendigits.cli.read import read
from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.errors import DataNotFoundError, SettingError
from tendigits.results import Page

app = typer.Typer(rich_markup_mode=None)
app.command()(read)


@pytest.fixture(scope="module")
def folder(mnist: DigitSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three lines of digits, one file that is no picture, and a file that is nothing of this."""
    folder = tmp_path_factory.mktemp("mail")
    lines = make_lines(mnist.test, 3, seed=1, least=5, most=5, hand=Hand(), paper=Paper())
    for name, line in zip("abc", lines, strict=True):
        Image.fromarray(line.picture).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "readme.txt").touch()
    return folder


def run(*words: str | Path, code: int = 0) -> Result:
    """Run the command; its error is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_a_person_reads_text_and_confidence(folder: Path) -> None:
    printed = run(folder / "a.png", "--reject-above", "1").stdout
    text, percent = printed.split()
    assert text.isdecimal()
    assert percent.endswith("%")


def test_a_doubtful_digit_is_a_question_mark(folder: Path) -> None:
    printed = run(folder / "a.png", "--reject-above", "0").stdout
    assert printed.startswith("?????")
    assert "first digit is " in printed
    assert " to " in printed


def test_a_broken_picture_is_reported_and_the_rest_goes_on(folder: Path) -> None:
    result = run(folder, code=1)
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        str(folder / f"{name}.png") for name in "abc"
    ]
    assert "broken.png: cannot be decoded" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_a_folder_cannot_give_is_reported_in_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "two\nlines.png").write_bytes(b"no picture")
    result = run(tmp_path, code=1)
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert "lost.png: there is no such file" in first
    assert "two lines.png: cannot be decoded" in second


def test_json_is_a_page_a_line(folder: Path) -> None:
    printed = run(folder, "--json", code=1).stdout
    for line, name in zip(printed.splitlines(), "abc", strict=True):
        fields = json.loads(line)
        assert fields["file"] == str(folder / f"{name}.png")
        assert len(Page.from_dict(fields).fields) == 1


def test_csv_has_a_line_for_each_field(folder: Path, tmp_path: Path) -> None:
    Image.new("L", (60, 40), 255).save(tmp_path / "blank.png")
    printed = run(folder / "[ab].png", tmp_path / "blank.png", "--csv").stdout
    head, *rows = csv.reader(printed.splitlines())
    assert head[:4] == ["file", "field", "text", "confidence"]
    assert [row[0] for row in rows] == [
        str(folder / "a.png"),
        str(folder / "b.png"),
        str(tmp_path / "blank.png"),
    ]
    assert all(row[2].isdecimal() for row in rows[:2])
    assert rows[2][1:3] == ["0", ""]


def test_blank_paper_has_no_digits(tmp_path: Path) -> None:
    Image.new("L", (60, 40), 255).save(tmp_path / "blank.png")
    assert run(tmp_path / "blank.png").stdout == "no digits\n"


def test_a_drawing_of_one_picture_is_a_file(folder: Path, tmp_path: Path) -> None:
    run(folder / "a.png", "--draw", tmp_path / "out.png", "--explain")
    plain = run(folder / "a.png", "--draw", tmp_path / "plain.png")
    assert plain.stdout
    explained, drawn = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("out", "plain"))
    assert explained.shape == drawn.shape
    assert (explained != drawn).any()


def test_drawings_of_several_go_into_a_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    Image.open(folder / "a.png").save(tmp_path / "more" / "a.png")
    run(folder, tmp_path / "more", "--draw", tmp_path / "drawn", code=1)
    names = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert names == ["a-2.png", "a.png", "b.png", "c.png"]


def test_a_format_and_a_list_of_codes_decide(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "codes.txt").write_text("123\n456\n")
    printed = run(folder / "a.png", "--format", "digits:3", "--valid", tmp_path / "codes.txt")
    assert "without the format" in printed.stdout
    fields = json.loads(run(folder / "a.png", "--format", "us-zip", "--json").stdout)["fields"]
    assert len(fields[0]["text"]) == 5


def test_what_cannot_be_done_is_said(folder: Path, tmp_path: Path) -> None:
    for words, error, said in [
        (("--json", "--csv"), SettingError, "expected one of them"),
        (("--explain",), SettingError, "expected --draw too"),
        (("--draw", tmp_path / "a.jpg"), SettingError, "ends in .png"),
        (("--fields", "two"), SettingError, "'one' or 'lines'"),
        (("--valid", tmp_path / "none"), DataNotFoundError, "list of codes"),
    ]:
        with pytest.raises(error, match=said):
            run(folder / "a.png", *words)
    with pytest.raises(DataNotFoundError, match="no picture in this folder"):
        run(tmp_path)
    with pytest.raises(DataNotFoundError, match="no file has such a name"):
        run(tmp_path / "*.png")
    assert "there is no such file" in run(tmp_path / "none.png", code=1).stderr


@pytest.mark.parametrize("name", ["x" * 256, "x" * 300 + ".png", "x/" * 3_000], ids=len)
def test_a_name_that_is_too_long_is_a_broken_picture(folder: Path, name: str) -> None:
    result = run(folder / "a.png", name, folder / "b.png", code=1)
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        str(folder / "a.png"),
        str(folder / "b.png"),
    ]
    assert result.stderr.startswith(f"tendigits: {Path(name)}: ")
    assert len(result.stderr.splitlines()) == 1


def test_pictures_with_the_longest_names_are_drawn(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Image.open(folder / "a.png").save(tmp_path / name / f"{'x' * 251}.png")
    run(tmp_path / "one", tmp_path / "two", "--draw", tmp_path / "drawn")
    assert len(list((tmp_path / "drawn").iterdir())) == 2


@pytest.mark.parametrize("out", ["none/out.png", "file/out.png", "folder.png", "x" * 252 + ".png"])
def test_a_file_that_cannot_be_drawn_is_said_before_a_picture_is_read(
    folder: Path, tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    monkeypatch.setattr("tendigits.imaging.decode", lambda path: pytest.fail(f"{path} is read"))
    with pytest.raises(WriteError, match=r"cannot write .*: name a file in a folder that exists"):
        run(folder / "a.png", "--draw", tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.mark.parametrize("out", ["file", "file/drawn", "x" * 256])
def test_a_folder_that_cannot_be_made_is_said_before_a_picture_is_read(
    folder: Path, tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tendigits.imaging.decode", lambda path: pytest.fail(f"{path} is read"))
    with pytest.raises(WriteError, match=r"cannot write .*: name a folder that is there or can"):
        run(folder, "--draw", tmp_path / out)


@pytest.mark.parametrize(("name", "out"), [("a.png", "out.png"), ("", "drawn")])
def test_a_place_that_takes_no_file_is_said_before_a_picture_is_read(
    folder: Path, tmp_path: Path, name: str, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the refusal is played."""

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr("tendigits.imaging.decode", lambda path: pytest.fail(f"{path} is read"))
    with pytest.raises(WriteError, match=rf"cannot write .*{out} \(Permission denied\): name a"):
        run(folder / name, "--draw", tmp_path / out)


def test_a_picture_that_is_read_is_not_the_second_drawing_of_a_name(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("one/a.png", "two/a.png", "out/a-2.png"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(folder / "a.png", tmp_path / name)
    names = [tmp_path / name for name in ("one/a.png", "two/a.png", "out/a-2.png")]
    with pytest.raises(SettingError, match="cannot be drawn into"):
        run(*names, "--draw", tmp_path / "out")


@pytest.mark.parametrize("out", ["", "inside", "a.png"])
def test_no_picture_that_is_read_is_drawn_over(folder: Path, out: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SettingError, match="cannot be drawn into"):
        run(folder, "--draw", folder / out)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_pictures_of_one_name_get_a_drawing_each_and_soon(tmp_path: Path) -> None:
    paths = [Path(str(number), "page.png") for number in range(20_000)]
    begin = time.process_time()
    places = _name_each(tmp_path, paths)
    assert time.process_time() - begin < 5
    assert len(set(places)) == len(paths)
    assert [place.name for place in places[:3]] == ["page.png", "page-2.png", "page-3.png"]


def test_a_long_name_that_is_no_text_keeps_its_bytes(tmp_path: Path) -> None:
    place = _name_each(tmp_path, [Path(os.fsdecode(b"\xff" * 250 + b".png"))])[0]
    assert os.fsencode(place.name) == b"\xff" * 240 + b".png"

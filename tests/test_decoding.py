"""Pictures from strangers: a right result or our own error, in bounded time and memory."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tendigits import imaging
from tendigits.data import DigitSet
from tendigits.errors import DataFormatError, DataNotFoundError
from tendigits.imaging import decoding

MUTANTS = 500

# Prints what came of each mutant, then the peak of its own memory in bytes.
DECODE_ALL = """
import re, resource, sys
from pathlib import Path
from tendigits.errors import DataFormatError
from tendigits.imaging import decoding
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, *decoding.decode(path).shape)
    except DataFormatError as error:
        print(path.name, "refused" if "\\n" not in str(error) else "in several lines")
if sys.platform == "linux":  # whose ru_maxrss begins at that of the parent
    print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def originals(digit: np.ndarray[Any, np.dtype[np.uint8]]) -> dict[str, bytes]:
    """Return a real digit in every format, depth and compression."""
    grey = Image.fromarray(digit)
    clear = grey.convert("RGBA")
    clear.putalpha(grey)
    files = {kind: written(grey.convert("RGB"), kind) for kind in decoding.FORMATS}
    files["clear"] = written(clear, "PNG")
    files["palette"] = written(grey.convert("P"), "GIF", transparency=0)
    files["deep"] = written(Image.fromarray(digit.astype(np.uint16) * 257), "PNG")
    files["ink"] = written(grey.convert("CMYK"), "JPEG")
    files["moving"] = written(clear, "WEBP", save_all=True, append_images=[clear])
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        files[compression] = written(grey, "TIFF", compression=compression)
    files["floats"] = written(Image.fromarray(digit.astype(np.float32) / 255), "TIFF")
    return files


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Change, cut, double or insert some bytes, more often in the header than elsewhere."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 9))):
        end = len(changed) if random.random() < 0.5 else min(len(changed), 128)
        place = int(random.integers(end))
        changed[place] = int(random.choice([0, 1, 127, 128, 255, int(random.integers(256))]))
    place = int(random.integers(1, len(changed)))
    match random.integers(4):
        case 0:
            changed = changed[:place]
        case 1:
            changed[place:place] = changed[: int(random.integers(64))]
        case 2:
            changed[place:place] = random.bytes(int(random.integers(1, 300)))
    return bytes(changed)


def test_mutated_files_give_pixels_or_our_error_within_a_gigabyte(
    mnist: DigitSet, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    files = list(originals(mnist.test.images[0]).items())
    for number in range(MUTANTS):
        kind, content = files[number % len(files)]
        (tmp_path / f"{number:03}-{kind}").write_bytes(mutate(content, random))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DECODE_ALL, tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *outcomes, peak = done.stdout.splitlines()
    assert len(outcomes) == MUTANTS
    refused = sum(outcome.endswith("refused") for outcome in outcomes)
    assert not any("several" in outcome for outcome in outcomes)
    assert 100 < refused < 450  # the mutations are neither harmless nor all fatal
    assert int(peak) < 1e9


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "WEBP"])
def test_of_several_frames_it_is_the_first(kind: str) -> None:
    first, second = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    options = {"lossless": True} if kind == "WEBP" else {}
    content = written(first, kind, save_all=True, append_images=[second], **options)
    np.testing.assert_array_equal(decoding.decode(content), np.asarray(first))


def test_what_is_clear_lies_on_white() -> None:
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    palette.putpixel((3, 4), 1)
    pixels = decoding.decode(written(palette, "PNG", transparency=0))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[4, 3].tolist() == [200, 10, 10]


def test_largest_floats_take_little_more_than_themselves() -> None:
    array = np.zeros((5_000, 5_000), np.float64)
    array[7, 8] = 1
    pixels = decoding.decode(array)
    assert pixels[7, 8] == 255
    assert pixels.sum() == 255


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for path in (tmp_path / "pipe", tmp_path, Path(os.devnull)):
        with pytest.raises(DataNotFoundError, match="no such file"):
            decoding.decode(path)
    nothing: Any = None
    with pytest.raises(DataFormatError, match="is a NoneType: expected a path, bytes"):
        decoding.decode(nothing)


def test_a_large_picture_of_pillows_is_refused_before_it_is_loaded() -> None:
    image = Image.open(io.BytesIO(written(Image.new("1", (9_000, 9_000)), "PNG")))
    with pytest.raises(DataFormatError, match="has 9000x9000 pixels"):
        decoding.decode(image)


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.png"
    path.touch(mode=0)

    def refuse(*_: object) -> None:  # as the system does, but also to root
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataNotFoundError, match=r"mine.png: cannot be read \(Permission denied\)"):
        decoding.decode(path)


def test_a_name_that_no_file_can_have_is_told_in_one_line() -> None:
    with pytest.raises(DataNotFoundError, match=r"xxx\.png: ") as caught:
        decoding.decode("x" * 300 + ".png")
    assert len(str(caught.value).splitlines()) == 1


def test_imaging_still_decodes() -> None:
    assert imaging.decode is decoding.decode

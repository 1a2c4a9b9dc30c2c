"""Where `tendigits read --draw` draws: one file, or a folder with a file for each picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tendigits.errors import SettingError

if TYPE_CHECKING:
    from tendigits.reading import Reader
    from tendigits.results import Page


def refuse_to_overwrite(out: Path, names: Iterable[str], paths: Iterable[Path]) -> None:
    """Refuse to draw over a picture that is read, or into a folder that is read.

    Args:
        out: Where drawings go.
        names: What was asked to be read.
        paths: The pictures among them.

    Raises:
        SettingError: It would.
    """
    place = out.resolve()
    folders = [Path(name).resolve() for name in names if Path(name).is_dir()]
    taken = {path.resolve() for path in paths}
    drawn = {place, *(place / f"{path.stem}.png" for path in taken)}
    if drawn & taken or any(place.is_relative_to(folder) for folder in folders):
        raise SettingError(
            f"{out} cannot be drawn into: its pictures are read; name another file or folder"
        )


class Drawing:
    """Where drawings go: one file, or a folder with a file for each picture.

    Args:
        out: The file, or the folder, which is made.
        several: There is more than one picture.
        explain: Draw where the ink mattered.

    Raises:
        SettingError: One picture is to be drawn into something else than a PNG file.
    """

    def __init__(self, out: Path, *, several: bool, explain: bool) -> None:
        if not several and out.suffix.lower() != ".png":
            raise SettingError(f"{out} cannot be drawn: expected a name that ends in .png")
        self.out, self.several, self.explain = out, several, explain
        self.names: set[str] = set()
        if several:
            out.mkdir(parents=True, exist_ok=True)

    def draw(self, path: Path, pixels: Any, page: "Page", reader: "Reader") -> None:
        """Draw the page that was read off a picture."""
        from tendigits import atomic
        from tendigits.reading.drawing import draw_page, encode_png

        drawn = draw_page(pixels, page, reader.classify if self.explain else None)
        atomic.write_bytes(self._place(path), encode_png(drawn))

    def _place(self, path: Path) -> Path:
        """Return the file to draw into; two pictures of one name get two."""
        if not self.several:
            return self.out
        name, number = path.stem, 2
        while name in self.names:
            name, number = f"{path.stem}-{number}", number + 1
        self.names.add(name)
        return self.out / f"{name}.png"

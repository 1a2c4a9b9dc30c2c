"""Pictures that are written: PNG files, whole or not at all."""

from pathlib import Path

from PIL import Image

from tendigits.atomic import atomic_writer
from tendigits.errors import SettingError


def require_png(path: Path) -> None:
    """Refuse a name that does not end in ``.png``.

    Raises:
        SettingError: It does not.
    """
    if path.suffix.lower() != ".png":
        raise SettingError(f"{path} cannot be drawn: expected a name that ends in .png")


def save_png(image: Image.Image, path: Path) -> None:
    """Write an image of Pillow's as a PNG file, whole or not at all.

    Raises:
        SettingError: The name does not end in ``.png``.
        WriteError: The file system refused.
    """
    require_png(path)
    with atomic_writer(path) as file:
        image.save(file, format="PNG")

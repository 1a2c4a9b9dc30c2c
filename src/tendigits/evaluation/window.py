"""A picture on the screen, where there is one."""

import os
import sys
from pathlib import Path

from PIL import Image, ImageShow


def open_window(picture: Path) -> bool:
    """Open a picture in the desktop's viewer, where there is a screen.

    Returns:
        Whether a viewer was started; without a screen or a viewer, nothing happens.
    """
    if not has_screen():
        return False
    try:
        with Image.open(picture) as image:
            return ImageShow.show(image, title=picture.name)
    except OSError:  # the viewer could not be started: the file is there all the same
        return False


def has_screen() -> bool:
    """Return whether a window could be seen here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

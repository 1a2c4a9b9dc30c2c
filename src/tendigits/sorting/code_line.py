"""The line on a piece of mail that is its code, apart from what else the camera sees.

A sorter's camera delivers the code whole, and pieces of what is around it: the feet of the line
above, a postmark. A line that the picture's edge cuts is therefore not the code. To leave it out
spares half of the reading, and a name or a street that would be read as a code.
"""

import numpy as np
from numpy.typing import NDArray

from tendigits.reading.ground import find_ink
from tendigits.reading.reader import Reader
from tendigits.reading.segment import Line, find_lines, without_cut


class CodeReader(Reader):
    """A reader of the line that the edges of the picture do not cut; of all if they cut each."""

    def find_lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        """Return the lines of a decoded picture, (H, W) or (H, W, 3) uint8, that may be a code."""
        ground = find_ink(pixels)
        return without_cut(find_lines(ground), ground)

"""Any picture of one digit -> (28, 28) uint8, ink 255 on 0, as MNIST was made.

`decoding` turns files, bytes and arrays into pixels; `mnist_form` turns pixels into MNIST's form;
`connected` divides a mask into pieces; `png` writes pictures.
"""

from tendigits.imaging.connected import Connected, find_connected
from tendigits.imaging.decoding import FORMATS, MAX_PIXELS, MAX_SIDE, Picture, decode
from tendigits.imaging.mnist_form import (
    BOX_SIDE,
    SIDE,
    THIN_STROKE,
    centre,
    cut_to_ink,
    flatten_ground,
    make_ink_bright,
    measure_coverage,
    scale_to_box,
    shrink,
    to_grey,
    to_mnist_form,
    widen_thin_strokes,
)

__all__ = [
    "BOX_SIDE",
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "SIDE",
    "THIN_STROKE",
    "Connected",
    "Picture",
    "centre",
    "cut_to_ink",
    "decode",
    "find_connected",
    "flatten_ground",
    "make_ink_bright",
    "measure_coverage",
    "scale_to_box",
    "shrink",
    "to_grey",
    "to_mnist_form",
    "widen_thin_strokes",
]

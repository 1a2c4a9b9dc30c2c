"""Where the line network is sure, it answers alone."""

from tendigits.data.lines import Line
from tendigits.reading import Reader
from tendigits.reading.canvas import lay_out
from tendigits.reading.expressions import parse
from tendigits.reading.ground import find_ink
from tendigits.reading.heard import Heard, listen
from tendigits.reading.line_network import Looks
from tendigits.reading.patterns import Pattern
from tendigits.reading.segment import Mask, find_lines
from tendigits.reading.strings import hear_alone


def hear(reader: Reader, line: Line) -> tuple[Mask, Heard]:
    """Return the ink of a line, and what the line network says of it."""
    (found,) = find_lines(find_ink(line.picture), one=True)
    transcribe = reader.recognisers.transcribe
    assert transcribe is not None
    return found.mask, listen(Looks(lay_out(found), transcribe))


def test_a_line_is_answered_alone_above_the_chance_that_is_asked_for(
    reader: Reader, easy: Line
) -> None:
    mask, heard = hear(reader, easy)
    chance = float(heard.chances[0])
    alone = hear_alone(mask, heard, None, reader.recognisers, sure=chance - 0.001)
    assert alone is not None
    assert alone.text == easy.text
    assert hear_alone(mask, heard, None, reader.recognisers, sure=chance) is None


def test_a_text_that_breaks_the_rules_is_not_answered_alone(reader: Reader, easy: Line) -> None:
    mask, heard = hear(reader, easy)
    assert hear_alone(mask, heard, Pattern(parse("[0-9]{5}")), reader.recognisers) is not None
    assert hear_alone(mask, heard, Pattern(parse("[0-9]{4}")), reader.recognisers) is None

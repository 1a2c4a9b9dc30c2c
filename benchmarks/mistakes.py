"""A page of what was read wrong, with the pictures, to be looked at."""

import base64
import html
import io
from pathlib import Path

from PIL import Image

from tendigits.atomic import write_text
from tendigits.imaging import decode
from tendigits.reading.drawing import draw_page
from tendigits.results import Page

MOST = 60  # mistakes of each set: the surest, which are the worst

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mistakes</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; background: #fff; color: #222 }
div { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0; border: 1px solid #ccc; padding: .5rem; max-width: 30rem }
img { max-width: 100% } figcaption { font-variant-numeric: tabular-nums }
</style>
<h1>Read wrong</h1>
<p>The surest mistakes of each set first. Green was accepted, amber was doubtful.</p>
"""


def write_mistakes(path: Path, mistakes: dict[str, list[tuple[Path, str, Page]]]) -> None:
    """Write an HTML page that needs nothing else.

    Args:
        path: To write to.
        mistakes: For each set the pictures, what is on them, and what was read.
    """
    parts = [HEAD]
    for name, found in mistakes.items():
        worst = sorted(found, key=lambda mistake: -_confidence(mistake[2]))[:MOST]
        parts.append(f"<h2>{html.escape(name)}: {len(worst)} of {len(found)}</h2><div>")
        parts += [_figure(*mistake) for mistake in worst]
        parts.append("</div>")
    write_text(path, "\n".join(parts))


def _confidence(page: Page) -> float:
    """Return the confidence of the least sure field; 0 where nothing was read."""
    return min((field.confidence for field in page.fields), default=0.0)


def _figure(path: Path, text: str, page: Page) -> str:
    """Return a mistake as HTML."""
    content = io.BytesIO()
    Image.fromarray(draw_page(decode(path), page)).save(content, format="PNG")
    picture = base64.b64encode(content.getvalue()).decode()
    said = html.escape(f"{path.name}: {text!r} was read as {page.text!r}, {_confidence(page):.1%}")
    return (
        f'<figure><img alt="" src="data:image/png;base64,{picture}">'
        f"<figcaption>{said}</figcaption></figure>"
    )

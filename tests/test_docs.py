"""What the pages point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGET = re.compile(r"\]\(([^)\s#]+)[^)]*\)")  # of a link or an image, without its fragment
ELSEWHERE = ("https:", "http:", "mailto:")


def targets(page: Path) -> list[Path]:
    """Return the files and folders that a page points at."""
    words = TARGET.findall(page.read_text("utf-8"))
    return [page.parent / word for word in words if not word.startswith(ELSEWHERE)]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_relative_link_and_image_is_there(page: Path) -> None:
    assert [str(target) for target in targets(page) if not target.exists()] == []


def test_the_links_of_a_page_are_found() -> None:
    assert {ROOT / "docs" / "report.png", ROOT / "LICENSE"} <= set(targets(ROOT / "README.md"))

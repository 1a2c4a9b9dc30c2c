"""README's pictures: a postcode read, and the page, drawn on in a real browser.

scripts/bench pictures
"""

import argparse
import math
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.command import run_command
from benchmarks.serving import service

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

Point = tuple[float, float]
Curve = tuple[Point, Point, Point]

# Strokes as quadratic curves, in shares of the sheet's width (from a digit's middle) and height.
SEVEN: list[Curve] = [
    ((-0.055, 0.30), (0.0, 0.27), (0.06, 0.29)),
    ((0.06, 0.29), (0.0, 0.52), (-0.025, 0.74)),
]
TWO: list[Curve] = [
    ((-0.05, 0.38), (-0.03, 0.25), (0.015, 0.28)),
    ((0.015, 0.28), (0.07, 0.36), (0.01, 0.52)),
    ((0.01, 0.52), (-0.03, 0.63), (-0.055, 0.72)),
    ((-0.055, 0.72), (0.0, 0.70), (0.06, 0.72)),
]
ONE: list[Curve] = [((0.005, 0.27), (0.0, 0.50), (-0.005, 0.74))]
CODE = "72012"


def points_of(curves: list[Curve], middle: float) -> list[Point]:
    """Return points along curves, moved to a digit's middle."""
    points = []
    for first, control, last in curves:
        for step in range(13):
            part = step / 12
            shares = ((1 - part) ** 2, 2 * part * (1 - part), part**2)
            across = sum(w * p[0] for w, p in zip(shares, (first, control, last), strict=True))
            down = sum(w * p[1] for w, p in zip(shares, (first, control, last), strict=True))
            points.append((middle + across, down))
    return points


def ring(middle: float) -> list[Point]:
    """Return the points of a zero."""
    turns = [2 * math.pi * step / 28 for step in range(29)]
    return [(middle + 0.05 * math.sin(turn), 0.5 - 0.22 * math.cos(turn)) for turn in turns]


def draw(page: Page, points: list[Point]) -> None:
    """Draw a stroke with the mouse."""
    area = page.locator("#canvas").bounding_box()
    assert area is not None
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=3)
    page.mouse.up()


def take(browser: Browser, address: str, name: str, *, phone: bool) -> None:
    """Draw a ZIP code and save what the page looks like then."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
        color_scheme="dark" if phone else "light",
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=2 if phone else 1,
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_label("What it is").select_option("us-zip")
    for place, digit in enumerate(CODE):
        middle = 0.13 + 0.18 * place
        forms = {"7": SEVEN, "2": TWO, "1": ONE}
        draw(page, ring(middle) if digit == "0" else points_of(forms[digit], middle))
    expect(page.locator("#text")).to_have_text(CODE)
    expect(page.locator("#live")).to_contain_text(" ".join(CODE))
    page.evaluate("() => document.activeElement.blur()")
    page.screenshot(path=DOCS / name)
    context.close()


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=CHROMIUM, help="the browser")
    arguments = parser.parse_args()
    postcode = str(ROOT / "examples" / "postcode.jpg")
    run_command("read", postcode, "--draw", str(DOCS / "read.png"))
    with service() as (_, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=ARGUMENTS)
        for name, phone in (("page.png", False), ("page-phone.png", True)):
            take(browser, f"http://127.0.0.1:{port}/", name, phone=phone)
        browser.close()


if __name__ == "__main__":
    main()

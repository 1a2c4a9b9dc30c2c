"""A real browser for tests of pages: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
WAIT = 30_000  # milliseconds
expect.set_options(timeout=WAIT)  # a page's default is not that of `expect`
GIVEN_UP = "net::ERR_ABORTED"  # what was asked for when the page was left

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium: the Debian package `chromium` brings it"
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser, address: str, path: str = "", *, refusals: int = 0
) -> Iterator[Page]:
    """Open a page; whatever it complains of, or asks of another address, fails the test.

    Args:
        browser: Of `open_browser`.
        address: Of the service, ending with a slash.
        path: Of the page, from there.
        refusals: That are expected of the service: the browser writes each to the console.
    """
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "requestfailed",
        lambda request: (
            troubles.append(f"failed: {request.url} ({request.failure})")
            if request.failure != GIVEN_UP
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            troubles.append(f"elsewhere: {request.url}")
            if not request.url.startswith((address, "blob:", "data:"))
            else None
        ),
    )
    page.goto(f"{address}{path}")
    yield page
    context.close()
    refused = [words for words in troubles if "the server responded with a status of 4" in words]
    assert len(refused) == refusals
    assert troubles == refused

"""The review over HTTP, and its page in a real browser, by keyboard alone."""

import csv
import io
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from browser import needs_chromium, open_browser, open_page
from server import serving
from tendigits.cli import CommonOptions, app
from tendigits.data import DigitSet, open_available
from tendigits.errors import QueueError, SettingError, StorageFullError
from tendigits.results import Alternative, Digit, Field
from tendigits.results import Page as ReadPage
from tendigits.serving.access import require_token
from tendigits.serving.app import create_app
from tendigits.serving.review import as_jpeg, open_review, packed, review_router
from tendigits.serving.settings import Settings
from tendigits.sorting.pieces import Answered
from tendigits.sorting.queue import ReviewQueue
from tendigits.sorting.tables import pieces

TOKEN = "a token of sixteen characters"
ROUTES = (
    ("POST", "lease"),
    ("POST", "pieces/1/answer"),
    ("POST", "pieces/1/skip"),
    ("POST", "undo"),
    ("GET", "pieces/1/picture"),
    ("GET", "counts"),
    ("GET", "export"),
)


def add_code(queue: ReviewQueue, images: np.ndarray, read: str, name: str) -> None:
    """Add a piece of (N, 28, 28) digits in a row, the second of which is doubtful."""
    picture = io.BytesIO()
    Image.fromarray(255 - np.concatenate(images, axis=1)).save(picture, "PNG")
    digits = tuple(
        Digit(
            text=text,
            confidence=0.61 if place == 1 else 0.99,
            accepted=place != 1,
            box=(28 * place + 4, 4, 28 * place + 24, 24),
            alternatives=(Alternative(text="1", confidence=0.38),),
            seen=image.tobytes(),
        )
        for place, (text, image) in enumerate(zip(read, images, strict=True))
    )
    box = (0, 0, 28 * len(read), 28)
    field = Field(text=read, confidence=0.6, accepted=False, box=box, digits=digits)
    page = ReadPage(fields=(field,), width=28 * len(read), height=28)
    queue.add(name, picture.getvalue(), page, "us-zip")


@pytest.fixture
def queue(tmp_path: Path, mnist: DigitSet) -> Iterator[ReviewQueue]:
    """Three codes: 72104, 14959, 06901."""
    queue = ReviewQueue(tmp_path / "queue.sqlite")
    for number, read in enumerate(("77104", "14959", "06901")):
        images = mnist.test.images[5 * number : 5 * number + 5]
        add_code(queue, images, read, f"letter {number}.png")
    yield queue
    queue.close()


def make_app(queue: ReviewQueue, settings: Settings, seconds: float = 120) -> FastAPI:
    router = review_router(queue, require_token, lease_seconds=seconds)
    return create_app(settings, routers=[router], features=["review"])


@pytest.fixture
def client(queue: ReviewQueue) -> Iterator[httpx.Client]:
    settings = Settings(readers=0)
    with serving(make_app(queue, settings)) as client:
        yield client


def post(client: httpx.Client, path: str, **body: str) -> httpx.Response:
    return client.post(f"/v1/review/{path}", json={"who": "anna", **body})


def test_a_piece_is_lent_shown_and_answered(client: httpx.Client, queue: ReviewQueue) -> None:
    leased = post(client, "lease").json()
    assert (leased["name"], leased["format"], leased["seconds"]) == ("letter 0.png", "us-zip", 120)
    assert leased["fields"][0]["reasons"] == ["second digit is 7 or 1, 61 to 38"]
    picture = client.get(f"/v1/review/pieces/{leased['piece']}/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["cache-control"] == "no-store"
    assert Image.open(io.BytesIO(picture.content)).size == (140, 28)
    stored = post(client, f"pieces/{leased['piece']}/answer", text="72104")
    assert stored.status_code == 201
    assert stored.json() == {"stored": True, "piece": 1, "text": "72104", "settled": True}
    assert client.get("/v1/review/counts").json() == {"open": 2, "leased": 0, "settled": 1}
    assert [each.text for each in queue.answers()] == ["72104"]


def test_skip_undo_and_the_end(client: httpx.Client) -> None:
    assert post(client, "pieces/1/skip").status_code == 409
    for _ in range(3):
        piece = post(client, "lease").json()["piece"]
        post(client, f"pieces/{piece}/answer", text="1")
    assert post(client, "lease").status_code == 204
    undone = post(client, "undo").json()
    assert (undone["piece"], undone["text"], undone["leased"]["piece"]) == (3, "1", 3)
    assert post(client, "pieces/3/skip").status_code == 204


def test_the_export_is_a_set(client: httpx.Client, tmp_path: Path) -> None:
    post(client, f"pieces/{post(client, 'lease').json()['piece']}/answer", text="72104")
    answer = client.get("/v1/review/export")
    assert answer.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path / "set")
    assert sorted(open_available(tmp_path / "set").all().labels) == [0, 1, 2, 4, 7]
    with (tmp_path / "set" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["read"]) for row in rows] == [("72104", "77104")]


def test_an_export_is_sent_while_it_is_made(
    client: httpx.Client, queue: ReviewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, f"pieces/{post(client, 'lease').json()['piece']}/answer", text="72104")
    (answered,) = queue.answers()

    def copies(count: int) -> Iterator[Answered]:
        return (replace(answered, piece=number) for number in range(count))

    def gone_after(count: int) -> Iterator[Answered]:
        yield from copies(count)
        raise QueueError("the database is gone")

    whole = io.BytesIO(b"".join(packed(copies(1_000))))
    assert len(zipfile.ZipFile(whole).namelist()) == 5_001
    assert len(next(packed(gone_after(1_000)))) < 100_000
    monkeypatch.setattr(queue, "answers", lambda: gone_after(1_000))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v1/review/export")
    monkeypatch.setattr(queue, "answers", lambda: gone_after(1))
    assert client.get("/v1/review/export").status_code == 503


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("pieces/1/answer", {"text": "72104"}, 409, "ask for a piece once more"),
        ("pieces/99/answer", {"text": "72104"}, 409, "no piece 99"),
        ("pieces/1/answer", {"text": "seven"}, 422, "This is no answer"),
        ("pieces/1/answer", {"text": "1" * 999}, 422, "Text"),
        ("pieces/1/answer", {}, 422, "Text"),
        ("pieces/99999999999999999999/answer", {"text": "72104"}, 422, "Piece"),
        ("lease", {"who": ""}, 422, "no name"),
        ("undo", {}, 409, "no answer of anna's"),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    client: httpx.Client, path: str, body: dict[str, str], status: int, words: str
) -> None:
    answer = post(client, path, **body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(("error", "status"), [(StorageFullError, 507), (QueueError, 503)])
def test_what_the_database_refuses_is_not_called_stored(
    client: httpx.Client,
    queue: ReviewQueue,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    status: int,
) -> None:
    def refuse(*_: object) -> None:
        raise error("the disk")

    monkeypatch.setattr(queue, "answer", refuse)
    answer = post(client, "pieces/1/answer", text="72104")
    assert answer.status_code == status
    assert "stored" not in answer.json()


def test_everything_but_the_empty_page_needs_the_token(queue: ReviewQueue) -> None:
    settings = Settings(readers=0, token=TOKEN)
    with serving(make_app(queue, settings)) as client:
        for method, path in ROUTES:
            body = {"who": "anna", "text": "1"} if method == "POST" else None
            for headers in ({}, {"Authorization": "Bearer another token of any length"}):
                answer = client.request(method, f"/v1/review/{path}", headers=headers, json=body)
                assert answer.status_code == 401, path
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/v1/review/counts", headers=right).status_code == 200
        page = client.get("/review")
        assert page.status_code == 200
        assert "'unsafe-inline'" not in page.headers["content-security-policy"]
        paths = client.get("/openapi.json").json()["paths"]
        assert sum("/review" in path for path in paths) == len(ROUTES)


def test_a_review_is_opened_by_the_place_of_its_queue(tmp_path: Path) -> None:
    settings = Settings(readers=0, token=TOKEN)
    app = create_app(settings, routers=[open_review(str(tmp_path / "new" / "queue.sqlite"))])
    with serving(app) as client:
        right = {"Authorization": f"Bearer {TOKEN}"}
        counts = client.get("/v1/review/counts", headers=right).json()
        assert counts == {"open": 0, "leased": 0, "settled": 0}
        assert client.get("/v1/review/counts").status_code == 401


def test_the_command_serves_a_queue_and_asks_two_people(tmp_path: Path) -> None:
    place = tmp_path / "queue.sqlite"
    queue = ReviewQueue(place)
    queue.add("letter.png", b"picture", ReadPage(fields=(), width=1, height=1))
    queue.close()
    words = ["serve", "--port", "0", "--readers", "0", "--queue", str(place), "--opinions", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tendigits", *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            assert client.get("/page/features.json").json() == ["review"]
            for who, settled in (("anna", False), ("ben", True)):
                assert post(client, "lease", who=who).json()["piece"] == 1
                stored = post(client, "pieces/1/answer", who=who, text="72104").json()
                assert stored["settled"] == settled
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_picture_is_shown_small_enough_and_in_its_colours() -> None:
    content = io.BytesIO()
    Image.new("RGB", (3_000, 600), (200, 30, 30)).save(content, "TIFF")
    shown = Image.open(io.BytesIO(as_jpeg(content.getvalue())))
    assert shown.size == (2_000, 400)
    red, green, _ = np.asarray(shown)[9, 9].tolist()
    assert red > 180 > 60 > green


def test_a_picture_that_cannot_be_read_is_a_problem(
    client: httpx.Client, queue: ReviewQueue
) -> None:
    queue.add("torn.png", b"no picture", ReadPage(fields=(), width=0, height=0))
    assert client.get("/v1/review/pieces/4/picture").status_code == 404


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def begin(page: Page, who: str = "anna") -> None:
    """Give a name at the door."""
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type(who)
    page.keyboard.press("Enter")
    see(page, 1)


def see(page: Page, piece: int) -> None:
    """Wait until a piece lies on the desk, and the keyboard is at the line."""
    expect(page.locator("#picture")).to_have_attribute(
        "alt", f"Piece {piece}, letter {piece - 1}.png"
    )
    expect(page.locator("#frame")).to_be_visible()
    expect(page.get_by_label("What is on the picture")).to_be_focused()


@needs_chromium
def test_a_review_by_keyboard_alone(
    browser: Browser, client: httpx.Client, queue: ReviewQueue
) -> None:
    with open_page(browser, str(client.base_url.join("/")), "review") as page:
        begin(page)
        expect(page.locator("#guess")).to_have_text("Read as77104")
        expect(page.locator("#guess b")).to_have_text("7")
        expect(page.locator("#reason")).to_have_text("Second digit is 7 or 1, 61 to 38.")
        expect(page.locator("#boxes i")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Nothing is typed yet")
        page.keyboard.type("72104")
        page.keyboard.press("Enter")
        see(page, 2)
        expect(page.get_by_role("status")).to_have_text("Stored: 72104.")
        expect(page.locator("#counts")).to_have_text("1 of 3 done")
        assert [each.text for each in queue.answers()] == ["72104"]
        page.keyboard.press("Escape")
        see(page, 3)
        page.keyboard.press("Control+z")
        see(page, 1)
        expect(page.locator("#counts")).to_have_text("0 of 3 done")  # until then keys do nothing
        expect(page.get_by_label("What is on the picture")).to_have_value("72104")
        page.keyboard.type("72109")
        page.keyboard.press("Enter")
        see(page, 3)
        page.keyboard.type("06901")
        page.keyboard.press("Enter")
        see(page, 2)  # what was skipped comes last
        page.keyboard.type("?")
        page.keyboard.press("Enter")
        expect(page.get_by_text("All done")).to_be_visible()
        assert [each.text for each in queue.answers()] == ["72109", "?", "06901"]
        page.keyboard.press("u")
        see(page, 2)


@needs_chromium
def test_a_time_that_is_up_loses_nothing_that_was_typed(
    browser: Browser, queue: ReviewQueue
) -> None:
    settings = Settings(readers=0)
    with serving(make_app(queue, settings)) as client:
        address = str(client.base_url.join("/"))
        with open_page(browser, address, "review", refusals=1) as page:
            begin(page)
            page.keyboard.type("72104")
            with queue.storage.writing() as connection:
                connection.execute(pieces.update().values(leased_until=0.0))
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("Press Enter once more")
            page.keyboard.press("Enter")
            see(page, 2)
    assert [each.text for each in queue.answers()] == ["72104"]


@needs_chromium
def test_the_page_asks_for_the_token(browser: Browser, queue: ReviewQueue) -> None:
    settings = Settings(readers=0, token=TOKEN)
    with serving(make_app(queue, settings)) as client:
        address = str(client.base_url.join("/"))
        with open_page(browser, address, "review", refusals=1) as page:
            page.keyboard.type("anna")
            page.keyboard.press("Enter")
            expect(page.get_by_label("The service's token")).to_be_focused()
            page.keyboard.type(TOKEN)
            page.keyboard.press("Enter")
            see(page, 1)


@needs_chromium
def test_the_pages_lead_to_each_other_by_keyboard(browser: Browser, client: httpx.Client) -> None:
    address = str(client.base_url.join("/"))
    with open_page(browser, address) as page:
        expect(page.get_by_role("link", name="Review")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Review")).to_be_focused()
        page.keyboard.press("Enter")
        begin(page)
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("link", name="The page")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(address)
        expect(page.locator("#error")).not_to_have_text("–")


@needs_chromium
def test_it_fits_a_phone(browser: Browser, client: httpx.Client) -> None:
    address = str(client.base_url.join("/"))
    with open_page(browser, address, "review") as page:
        page.set_viewport_size({"width": 360, "height": 740})
        begin(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360


def test_opinions_without_a_queue_are_refused() -> None:
    for words in (["serve"], ["route", "mail", "--plan", "plan.csv", "--out", "sorted"]):
        outcome = CliRunner().invoke(app, [*words, "--opinions", "2"], obj=CommonOptions())
        assert isinstance(outcome.exception, SettingError)
        assert "expected --queue too" in str(outcome.exception)

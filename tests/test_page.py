"""The page, in a real browser: what a person does with it."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from browser import WAIT, needs_chromium, open_browser, open_page
from server import serving
from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.reading.reader import Reader
from tendigits.serving.app import create_app
from tendigits.serving.settings import Settings
from tendigits.serving.teaching import School, teaching_router

pytestmark = needs_chromium

HERE = Settings(readers=0)
SEVEN = [(0.4, 0.2), (0.62, 0.2), (0.47, 0.85)]  # shares of the sheet's width and height
DROP = """([name, content, type]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
}"""

# One finger draws, another comes and goes; then that rests, and a pen draws.
FINGERS = """async () => {
    const { Sheet } = await import("/page/canvas.js");
    const canvas = document.createElement("canvas");
    canvas.style.cssText = "position: fixed; left: 0; top: 0; width: 400px; height: 250px";
    document.body.append(canvas);
    canvas.setPointerCapture = () => {}; // these fingers are none that the browser knows
    const sheet = new Sheet(canvas, () => {});
    for (const [type, pointerId, clientX, clientY] of [
        ["down", 1, 50, 50], ["move", 1, 50, 100], ["down", 2, 350, 200], ["move", 1, 50, 150],
        ["move", 2, 350, 201], ["up", 2, 350, 201], ["move", 1, 50, 200], ["up", 1, 50, 200],
        ["down", 2, 300, 20], ["down", 3, 90, 90], ["up", 3, 90, 90],
    ]) {
        const button = type === "move" ? -1 : 0;
        const pointerType = pointerId === 3 ? "pen" : "touch";
        const event = { pointerId, clientX, clientY, button, pointerType };
        canvas.dispatchEvent(new PointerEvent(`pointer${type}`, event));
    }
    const pixels = (point) => point.map((share) => Math.round(400 * share));
    return sheet.strokes.map((stroke) => stroke.map(pixels));
}"""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    return School(tmp_path_factory.mktemp("school"), "small")


@pytest.fixture(scope="module")
def address(school: School) -> Iterator[str]:
    app = create_app(HERE, routers=[teaching_router(school)], features=["corrections"])
    with serving(app) as client:
        yield str(client.base_url.join("/"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with open_page(browser, address) as page:
        expect(page.locator("#error")).not_to_have_text("–")
        yield page


def draw_seven(page: Page) -> None:
    draw(page, SEVEN)


def draw(page: Page, stroke: Sequence[tuple[float, float]]) -> None:
    """Draw with the mouse, in shares of the sheet's width and height."""
    area = page.locator("#canvas").bounding_box()
    assert area is not None
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in stroke]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def test_a_seven_that_is_drawn_is_read(page: Page) -> None:
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    expect(page.locator("#bars li.best span").first).to_have_text("7")
    expect(page.locator(".box")).to_have_count(1)
    expect(page.locator("#live")).to_contain_text("Reads 7")
    for name in ("seen", "maps"):
        drawn = page.evaluate(
            "id => { const canvas = document.getElementById(id); const size = [canvas.width, "
            "canvas.height]; return [...canvas.getContext('2d').getImageData(0, 0, ...size).data]"
            ".filter((value, place) => place % 4 === 0 && value > 200).length }",
            name,
        )
        assert drawn > 10, name


def test_an_upright_one_is_not_lost_beside_a_seven(page: Page) -> None:
    draw(page, [(0.3, 0.25), (0.42, 0.25), (0.35, 0.75)])
    draw(page, [(0.55, 0.25), (0.55, 0.75)])
    page.wait_for_timeout(1_000)  # a 1 that is drawn in part may be read where the whole is not
    expect(page.locator("#text")).to_have_text("71")


def test_a_dot_is_no_digit(page: Page) -> None:
    draw(page, [(0.5, 0.5), (0.505, 0.5)])
    expect(page.locator("#decision")).to_contain_text("No digit")
    page.locator("#labels button").first.click()
    expect(page.locator("#corrected")).to_contain_text("nothing was kept")


def test_without_a_queue_there_is_no_way_to_it(page: Page) -> None:
    expect(page.get_by_role("link")).to_have_count(1)  # the API's


def test_undo_and_clear(page: Page) -> None:
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#decision")).to_have_text("Nothing is on the sheet yet.")
    draw_seven(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()
    expect(page.locator(".box")).to_have_count(0)


def test_a_postcode_that_is_dropped_is_read(page: Page, mnist: DigitSet) -> None:
    (line,) = make_lines(mnist.test, 1, seed=5, least=5, most=5, hand=Hand(), paper=Paper())
    content = io.BytesIO()
    Image.fromarray(line.picture).save(content, "PNG")
    read = Reader(fields="one", format="us-zip").read(content.getvalue())
    page.get_by_label("What it is").select_option("us-zip")
    page.evaluate(DROP, ["code.png", base64.b64encode(content.getvalue()).decode(), "image/png"])
    expect(page.locator("#text")).to_have_text(read.text)
    expect(page.get_by_role("radio")).to_have_count(5)
    page.get_by_role("radio").nth(0).press("ArrowRight")
    expect(page.get_by_role("radio").nth(1)).to_be_checked()
    expect(page.get_by_role("radio").nth(1)).to_be_focused()


def test_what_is_no_picture_is_told(browser: Browser, address: str) -> None:
    content = base64.b64encode(b"GIF89a no picture").decode()
    with open_page(browser, address, refusals=1) as page:
        expect(page.locator("#error")).not_to_have_text("–")
        page.evaluate(DROP, ["notes.txt", content, "text/plain"])
        expect(page.get_by_role("alert")).to_contain_text("expected image/png")


def test_what_was_drawn_in_an_outage_is_read_after_it(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(address)
    expect(page.locator("#error")).not_to_have_text("–")
    context.set_offline(True)
    draw_seven(page)
    expect(page.locator("#problem")).to_contain_text("does not answer")
    context.set_offline(False)
    expect(page.locator("#text")).to_have_text("7", timeout=WAIT)
    expect(page.locator("#problem")).to_be_hidden()
    context.close()


def test_a_service_that_is_starting_is_asked_again(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(address)
    expect(page.locator("#error")).not_to_have_text("–")
    replies: list[dict[str, Any]] = [
        {"status": 502, "content_type": "text/html", "body": "<h1>Bad Gateway</h1>"},
        {
            "status": 503,
            "headers": {"Retry-After": "1", "Content-Type": "application/json"},
            "body": '{"detail": "The model is still loading."}',
        },
    ]

    def reply(route: Route) -> None:
        route.fulfill(**replies[0]) if replies else route.continue_()

    page.route("**/v1/look*", reply)
    draw_seven(page)
    expect(page.locator("#problem")).to_contain_text("does not answer")
    replies.pop(0)
    expect(page.locator("#problem")).to_contain_text("still loading")
    replies.pop(0)
    expect(page.locator("#text")).to_have_text("7", timeout=WAIT)
    context.close()


def test_the_slider_sends_more_to_a_person(page: Page) -> None:
    draw_seven(page)
    expect(page.locator("#decision")).to_contain_text("sure")
    slider = page.get_by_role("slider")
    slider.press("Home")
    expect(page.locator("#threshold-value")).to_have_text("0.10\u00a0%")
    expect(page.locator("#decision")).to_contain_text("To a person: first digit is 7")
    slider.press("End")
    expect(page.locator("#work")).to_have_text("0.0\u00a0%")
    expect(page.locator("#decision")).to_contain_text("Accepted")


def test_by_keyboard_alone(page: Page) -> None:
    page.locator("#canvas").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Space")
    expect(page.locator("#text")).to_have_text("7")
    page.keyboard.press("z")
    expect(page.locator("#decision")).to_have_text("Nothing is on the sheet yet.")
    page.keyboard.press("Tab")  # nothing to undo or clear: the next is the choice of a picture
    expect(page.get_by_label("Choose a picture")).to_be_focused()


def test_a_correction_is_kept(page: Page, school: School) -> None:
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    page.get_by_role("group", name="That was a …").get_by_role("button", name="1").click()
    expect(page.locator("#corrected")).to_have_text("Kept: that was a 1.")
    (kept,) = (school.corrections.folder / "1").iterdir()
    assert np.asarray(Image.open(kept)).max() == 255
    teach = page.get_by_role("button", name="Teach it this one")
    expect(teach).to_be_disabled()
    expect(teach).to_have_attribute("title", "From 6 corrections on")


def test_an_outage_is_told_where_something_is_taught(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    page.route("**/v1/corrections", lambda route: route.abort())
    page.get_by_role("group", name="That was a …").get_by_role("button", name="1").click()
    expect(page.locator("#corrected")).to_have_text("The service does not answer: try again.")
    page.route("**/v1/teaching", lambda route: route.fulfill(status=504, body="<h1>Late</h1>"))
    page.locator("#teach").evaluate("(button) => { button.disabled = false; button.click(); }")
    expect(page.locator("#corrected")).to_have_text("The service does not answer: try again.")
    expect(page.locator("#teach")).to_be_enabled()
    context.close()


def test_a_palm_does_not_draw(page: Page) -> None:
    strokes = page.evaluate(FINGERS)
    assert strokes == [[[50, 50], [50, 100], [50, 150], [50, 200]], [[90, 90]]]


def test_everything_has_a_name(page: Page) -> None:
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select, canvas, [role]')].filter("
        "each => !each.closest('[hidden]') && !(each.labels?.length || each.ariaLabel || "
        "each.getAttribute('aria-labelledby') || each.textContent.trim() || each.role === "
        "'status')).map(each => each.outerHTML)"
    )
    assert nameless == []


def test_it_fits_a_phone(page: Page) -> None:
    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360


def test_the_api_has_a_page(browser: Browser, address: str) -> None:
    with open_page(browser, address) as page:
        page.get_by_role("link", name="API").click()
        expect(page.get_by_role("heading", name="POST/v1/read", exact=True)).to_be_visible()
        expect(page.locator("pre").first).to_contain_text("curl")

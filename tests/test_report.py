import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tendigits.data.digits import DigitSet
from tendigits.environment import describe_environment
from tendigits.evaluation.arguable import read_arguable
from tendigits.evaluation.curves import draw_chart
from tendigits.evaluation.metrics import evaluate_logits, worst_mistakes
from tendigits.evaluation.report import ReportContent, heat_levels, render_report, write_report

VOID = {"meta", "img", "br", "line", "rect", "circle", "polyline"}
HOSTILE = "<script>alert('&\"')</script>"


class Page(HTMLParser):
    """What a page holds, as a browser would see it; fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and self.open[-1] in ("th", "td"):
            self.tables[-1][-1][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def content(mnist: DigitSet) -> ReportContent:
    """A made-up run: 1,000 real pictures, some of them answered wrong."""
    test = mnist.test.take(slice(1_000))
    random = np.random.default_rng(2)
    logits = (3 * np.eye(10)[test.labels] + random.normal(size=(1_000, 10))).astype(np.float32)
    epochs = [
        {
            "epoch": epoch,
            "train_loss": 0.5 / epoch,
            "train_accuracy": 0.9 + epoch / 100,
            "val_loss": 0.4 / epoch,
            "val_accuracy": 0.91 + epoch / 100,
            "seconds": 2.5 * epoch,
            "images_per_second": 24_000.0,
            "learning_rate": 0.001,
        }
        for epoch in (1, 2, 3)
    ]
    return ReportContent(
        recipe="article-mlp",
        seed=4,
        parameters=235_146,
        train_seconds=83.2,
        data="mnist",
        train_count=60_000,
        val_count=10_000,
        val_is_test=True,
        epochs=epochs,
        test=test,
        logits=logits,
        evaluation=evaluate_logits(logits, test.labels),
        settings={"batch_size": 64, "model": {"hidden": [256, 128]}},
        environment=describe_environment(),
    )


@pytest.fixture(scope="module")
def page(content: ReportContent) -> Page:
    return Page(render_report(content))


def test_nothing_is_taken_from_elsewhere(page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        assert not {"href", "xlink:href", "srcset", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:").startswith("data:image/png;base64,") or (
            "src" not in attributes
        )


def test_the_policy_admits_this_style_and_nothing_else(content: ReportContent) -> None:
    html = render_report(content)
    style = re.findall("<style>(.*?)</style>", html, flags=re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = next(m["content"] for m in Page(html).named("meta") if "http-equiv" in m)
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_every_picture_is_inside_and_described(page: Page, content: ReportContent) -> None:
    images = page.named("img")
    assert len(images) == 18 + 10
    assert all(image["alt"] for image in images)
    assert all(drawing["aria-label"] for drawing in page.named("svg"))
    first = worst_mistakes(content.logits, content.test.labels, 1)[0]
    source = images[0]["src"] or ""
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), content.test.images[first])
    answer, label = content.logits[first].argmax(), content.test.labels[first]
    assert images[0]["alt"] == f"Test picture with the label {label}, read as {answer}"


def test_the_headline_is_the_evaluation(page: Page, content: ReportContent) -> None:
    measured = content.evaluation
    low, high = measured.error_interval
    assert f"{measured.accuracy:.2%}".replace("%", " %") in page.text
    assert f"of 1,000 test pictures read right. {measured.errors} wrong." in page.text
    assert f"Errors per 10,000 {measured.errors_per_10_000:.0f}" in page.text
    assert f"95 % interval {10_000 * low:,.0f} to {10_000 * high:,.0f}" in page.text
    assert f"Test loss (nats) {measured.loss:.4f}" in page.text
    assert "Trained in 1 min 23 s Parameters 235,146 Seed 4" in page.text


def test_the_tables_are_the_evaluation(page: Page, content: ReportContent) -> None:
    epochs, confusion, classes, settings, environment = page.tables
    assert [row[0] for row in epochs[1:]] == ["1", "2", "3"]
    assert epochs[3][1:] == [
        *("0.1667", "93.00 %", "0.1333", "94.00 %"),
        *("24,000", "0.001", "7.5"),
    ]
    cells = [[int(cell or 0) for cell in row[1:]] for row in confusion[1:]]
    assert cells == content.evaluation.confusion.tolist()
    figures = content.evaluation.per_class[3]
    assert figures.precision is not None
    assert figures.recall is not None
    assert classes[4] == [
        "3",
        f"{figures.precision:.2%}".replace("%", " %"),
        f"{figures.recall:.2%}".replace("%", " %"),
        str(figures.support),
    ]
    assert settings == [["batch size", "64"], ["model hidden", "256, 128"]]
    assert ["tendigits", content.environment["tendigits"]] in environment


def test_it_says_what_test_and_val_are(page: Page, content: ReportContent) -> None:
    assert "never used to choose: no epoch, no seed" in page.text
    assert "Val is the test set after each epoch" in page.text
    held_out = replace(content, val_is_test=False, val_count=5_000)
    text = Page(render_report(held_out)).text
    assert "Val is the test set" not in text
    assert "Val is 5,000 pictures held out of the training part" in text


def test_the_curves_are_the_epochs(page: Page) -> None:
    loss, accuracy = (svg["aria-label"] for svg in page.named("svg")[:2])
    assert loss == "Loss (nats) by epoch: train ends at 0.1667; val ends at 0.1333"
    assert accuracy == "Accuracy (%) by epoch: train ends at 93.00 %; val ends at 94.00 %"
    assert "Epoch 2, val: 0.2000" in page.texts


def test_a_chart_keeps_order_and_bounds() -> None:
    points = [(1.0, 0.9), (2.0, 0.3), (3.0, 0.1)]
    chart = draw_chart("Loss", {"train": points}, str)
    dots = chart.curves[0].dots
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)
    assert [dot.y for dot in dots] == sorted(dot.y for dot in dots)  # down the page, as it falls
    assert all(chart.left <= dot.x <= chart.right and 0 <= dot.y <= chart.bottom for dot in dots)
    assert [tick.text for tick in chart.x_ticks] == ["1", "2", "3"]


@pytest.mark.parametrize("value", [0.0, 0.5, 100.0])
def test_a_single_value_has_a_scale_to_stand_on(value: float) -> None:
    chart = draw_chart("Loss", {"train": [(1.0, value)]}, str)
    texts = [tick.text for tick in chart.y_ticks]
    assert len(set(texts)) == len(texts) > 1
    assert [tick.text for tick in chart.x_ticks] == ["1"]


def test_rare_mistakes_are_seen() -> None:
    confusion = np.diag([1_000] * 10)
    confusion[1, 7], confusion[2, 3] = 36, 1
    levels = heat_levels(confusion)
    assert (levels[1][7], levels[2][3], levels[5][5], levels[0][9]) == (6, 1, 0, 0)
    assert np.max(heat_levels(np.diag([1] * 10))) == 0


def test_names_are_escaped(content: ReportContent) -> None:
    hostile = replace(
        content,
        recipe=HOSTILE,
        data=HOSTILE,
        classes=(HOSTILE,) * 10,
        settings={HOSTILE: HOSTILE, "model": {HOSTILE: [HOSTILE]}},
        environment={HOSTILE: None},
    )
    page = Page(render_report(hostile))
    assert page.named("script") == []
    assert f"{HOSTILE} on {HOSTILE}" in page.text
    assert HOSTILE in str(page.named("img")[0]["alt"])
    assert [[HOSTILE, HOSTILE], [f"model {HOSTILE}", HOSTILE]] in page.tables


def changed_logits(content: ReportContent, logits: Any) -> ReportContent:
    evaluation = evaluate_logits(logits, content.test.labels)
    return replace(content, logits=logits, evaluation=evaluation)


def test_no_mistakes_are_said_to_be_none(content: ReportContent) -> None:
    perfect = changed_logits(content, 50 * np.eye(10)[content.test.labels])
    page = Page(render_report(perfect))
    assert "100 % of 1,000 test pictures read right. 0 wrong." in page.text
    assert "There are none." in page.text
    assert len(page.named("img")) == 10


def test_a_model_that_knows_one_answer_has_a_report(content: ReportContent) -> None:
    single = changed_logits(content, np.eye(10)[np.zeros(1_000, int)])
    page = Page(render_report(single))
    assert page.tables[2][2][1:3] == ["–", "0 %"]
    assert len(page.named("img")) == 18 + 1


def test_epochs_may_lack_val_or_be_missing(content: ReportContent) -> None:
    bare = [{k: v for k, v in epoch.items() if "val" not in k} for epoch in content.epochs]
    page = Page(render_report(replace(content, epochs=bare)))
    assert page.named("svg")[0]["aria-label"] == "Loss (nats) by epoch: train ends at 0.1667"
    assert page.tables[0][1][3:5] == ["–", "–"]
    assert "No epoch was recorded." in Page(render_report(replace(content, epochs=[]))).text


def test_a_report_is_written_whole(content: ReportContent, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(path, content)
    assert path.read_text("utf-8") == render_report(content)
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size < 150_000


def test_a_train_loss_that_is_no_plain_one_is_explained(content: ReportContent, page: Page) -> None:
    smoothed = Page(render_report(replace(content, settings={"label_smoothing": 0.05})))
    assert "Its loss counts the smoothing of the labels" in smoothed.text
    assert "counts the smoothing" not in page.text


def test_arguable_labels_of_mnist_are_shown_and_scored(
    content: ReportContent, page: Page, mnist: DigitSet
) -> None:
    doubts = read_arguable().about(mnist.test, "test")[:18]
    logits = np.eye(10)[mnist.test.labels]
    logits[doubts[0].index] = np.eye(10)[doubts[0].answer]
    evaluation = evaluate_logits(logits, mnist.test.labels)
    html = render_report(replace(content, test=mnist.test, logits=logits, evaluation=evaluation))
    shown = Page(html)
    assert "of 10,000 test pictures read right. 1 wrong." in shown.text
    assert "scored like all others" in shown.text
    assert f"Label {doubts[0].label} , or {doubts[0].answer} ?" in shown.text
    assert f"Read as {doubts[0].answer}: wrong" in shown.text
    assert f"Read as {doubts[1].label}: right" in shown.text
    pictures = [image for image in shown.named("img") if "other networks" in str(image["alt"])]
    for image, doubt in zip(pictures, doubts, strict=True):
        png = base64.b64decode(str(image["src"]).partition(",")[2])
        with Image.open(io.BytesIO(png)) as picture:
            np.testing.assert_array_equal(np.asarray(picture), mnist.test.images[doubt.index])
    assert "Arguable labels" not in page.text  # that is about other pictures

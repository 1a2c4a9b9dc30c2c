"""The service: what it answers, what it refuses, and how it ends."""

import asyncio
import contextlib
import errno
import io
import json
import multiprocessing
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import APIRouter, Depends, FastAPI
from PIL import Image
from starlette.responses import StreamingResponse

from server import serving
from tendigits.data import DigitSet
from tendigits.data.hand import Hand
from tendigits.data.lines import make_lines
from tendigits.data.paper import Paper
from tendigits.errors import SettingError, WeightsError
from tendigits.reading.classifier import DEFAULT, find_model
from tendigits.reading.reader import Reader
from tendigits.results import Page
from tendigits.serving import metrics
from tendigits.serving.access import host_name, require_token
from tendigits.serving.answers import Answerer, Job
from tendigits.serving.app import PAGE_FILES, create_app
from tendigits.serving.batching import MOST, Batcher
from tendigits.serving.connections import REFUSAL, is_whole_reading
from tendigits.serving.features import FirstLayer
from tendigits.serving.packets import count_entries
from tendigits.serving.problems import Problem, problem_of
from tendigits.serving.readers import (
    CRASHED,
    FAILED,
    ProcessReader,
    Readers,
    ThreadReader,
    answer_all,
)
from tendigits.serving.server import listen
from tendigits.serving.settings import Settings
from tendigits.serving.teaching import School, teaching_router
from tendigits.teaching import BASE

HERE = Settings(readers=0)
PNG = {"Content-Type": "image/png"}
ZIP = {"Content-Type": "application/zip"}


def as_file(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def digit(mnist: DigitSet) -> bytes:
    """A 7, the first of MNIST's test digits, on white."""
    return as_file(np.pad(255 - mnist.test.images[0], 8, constant_values=255))


@pytest.fixture(scope="module")
def codes(mnist: DigitSet) -> list[bytes]:
    lines = make_lines(mnist.test, 3, seed=1, least=5, most=5, hand=Hand(), paper=Paper())
    return [as_file(line.picture) for line in lines]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(create_app(HERE)) as client:
        yield client


def ask(app: FastAPI, path: str, *, host: str = "localhost", **named: Any) -> httpx.Response:
    """Ask an application that was not started: it has no reader."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(named.pop("method", "GET"), path, **named)

    return asyncio.run(send())


def problem(answer: httpx.Response, status: int) -> str:
    """Return the sentence of a problem, seen to be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["detail"].endswith(".")
    return str(told["detail"])


def test_a_picture_is_read_as_the_library_reads_it(
    client: httpx.Client, codes: list[bytes]
) -> None:
    answer = client.post("/v1/read?format=us-zip&fields=one", content=codes[0], headers=PNG)
    assert answer.status_code == 200
    told = answer.json()
    page = Reader(fields="one", format="us-zip").read(codes[0])
    assert Page.from_dict(told) == page
    assert (told["text"], told["accepted"]) == (page.text, page.accepted)
    assert told["confidence"] == page.confidence == page.fields[0].confidence > 0.5
    assert told["model"] == "small"
    assert len(told["version"]) == 12
    assert told["milliseconds"] > 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_kind_of_picture_is_read(client: httpx.Client, digit: bytes, kind: str) -> None:
    content = as_file(np.asarray(Image.open(io.BytesIO(digit))), kind)
    answer = client.post(
        "/v1/read?fields=one", content=content, headers={"Content-Type": f"image/{kind.lower()}"}
    )
    assert answer.json()["text"] == "7"


def test_the_threshold_decides_and_says_why(client: httpx.Client, digit: bytes) -> None:
    for reject_above, accepted in (("1", True), ("0", False)):
        answer = client.post(
            f"/v1/read?fields=one&reject_above={reject_above}", content=digit, headers=PNG
        ).json()
        assert answer["accepted"] is accepted
        assert bool(answer["fields"][0]["reasons"]) is not accepted
    assert answer["fields"][0]["reasons"][0].startswith("first digit is 7")


def test_a_look_shows_what_the_network_saw(client: httpx.Client, digit: bytes) -> None:
    told = client.post("/v1/look?fields=one", content=digit, headers=PNG).json()
    maps = told["feature_maps"]
    assert len(maps["digits"]) == 1
    assert maps["count"] > 0
    (field,) = Page.from_dict(told).fields
    image = field.digits[0].image()
    assert image is not None
    assert image.shape == (28, 28)


def test_a_network_without_convolutions_has_no_maps(digit: bytes, tmp_path: Path) -> None:
    answerer = Answerer("small")
    answerer.path = tmp_path / "none.onnx"
    answerer.path.write_bytes(b"")
    (answer,) = answerer.answer([Job(content=digit, fields="one", look=True)])
    told = json.loads(answer.body)
    assert (told["text"], told["feature_maps"]) == ("7", None)


def test_feature_maps_are_the_first_convolution(mnist: DigitSet) -> None:
    onnx = pytest.importorskip("onnx")
    images = mnist.test.images[:3]
    model = onnx.load(find_model("small"))
    (node, *_) = [node for node in model.graph.node if node.op_type == "Conv"]
    layer = FirstLayer(find_model("small"))
    assert layer.output == node.output[0]
    maps = layer.maps(images)
    assert maps.dtype == np.uint8
    assert maps.max(axis=(1, 2, 3)).tolist() == [255] * 3
    weights = next(each for each in model.graph.initializer if each.name == node.input[1])
    assert maps.shape[1] == weights.dims[0]


def test_what_is_no_model_cannot_be_looked_into(tmp_path: Path) -> None:
    for content in (b"", b"no model", b"\x3a\xff"):
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="model"):
            FirstLayer(path)


def test_many_pictures_in_a_packet(client: httpx.Client, digit: bytes, codes: list[bytes]) -> None:
    packet = io.BytesIO()
    with zipfile.ZipFile(packet, "w") as file:
        file.writestr("a/seven.png", digit)
        file.writestr("../../etc/passwd", b"no picture")
        for number, code in enumerate(codes):
            file.writestr(f"{number}.png", code)
    answer = client.post(
        "/v1/read/batch?fields=one",
        content=packet.getvalue(),
        headers={"Content-Type": "application/zip"},
    )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    names = ["a/seven.png", "../../etc/passwd", "0.png", "1.png", "2.png"]
    assert [line["file"] for line in lines] == names
    assert lines[0]["text"] == "7"
    assert lines[1]["problem"]["status"] == 422
    assert [len(line["text"]) for line in lines[2:]] == [5] * 3


def test_a_packet_that_is_none_is_refused(client: httpx.Client) -> None:
    zipped = {"Content-Type": "application/zip"}
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"no packet", empty.getvalue()):
        assert "ZIP" in problem(client.post("/v1/read/batch", content=content, headers=zipped), 422)


def test_a_packet_cannot_unpack_to_more_than_a_body(client: httpx.Client) -> None:
    packet = io.BytesIO()
    with zipfile.ZipFile(packet, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.png", bytes(9 << 20))
    answer = client.post(
        "/v1/read/batch", content=packet.getvalue(), headers={"Content-Type": "application/zip"}
    )
    assert json.loads(answer.text)["problem"]["status"] == 413


def zip_of(*contents: bytes) -> bytes:
    packet = io.BytesIO()
    with zipfile.ZipFile(packet, "w", zipfile.ZIP_DEFLATED) as file:
        for number, content in enumerate(contents):
            file.writestr(f"{number}.png", content)
    return packet.getvalue()


def test_a_picture_that_is_longer_than_its_packet_says_is_damaged(client: httpx.Client) -> None:
    length = 5 << 20
    lies = zip_of(bytes(length)).replace(struct.pack("<I", length), struct.pack("<I", 9))
    answer = client.post("/v1/read/batch", content=lies, headers=ZIP)
    assert "unpacked" in json.loads(answer.text)["problem"]["detail"]


def test_a_file_beyond_the_end_of_its_packet_is_damaged(client: httpx.Client, digit: bytes) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packet:
        beyond = zipfile.ZipInfo("a.png")
        beyond.extra = struct.pack("<HHQ", 1, 8, 1 << 63)  # where it begins, as ZIP64 says it
        packet.writestr(beyond, digit)
        packet.writestr("b.png", digit)
    place = content.getvalue().index(b"PK\x01\x02") + 42
    content.getbuffer()[place : place + 4] = b"\xff" * 4  # where it begins: see the extra field
    answer = client.post("/v1/read/batch?fields=one", content=content.getvalue(), headers=ZIP)
    first, second = map(json.loads, answer.text.splitlines())
    assert first["problem"]["status"] == 422
    assert second["text"] == "7"


def test_a_picture_without_a_name_is_read(client: httpx.Client, digit: bytes) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packet:
        packet.writestr(zipfile.ZipInfo("folder/"), b"")
        packet.writestr(zipfile.ZipInfo(""), digit)
    answer = client.post("/v1/read/batch?fields=one", content=content.getvalue(), headers=ZIP)
    (line,) = map(json.loads, answer.text.splitlines())
    assert (line["file"], line["text"]) == ("", "7")


def test_what_packets_unpack_to_keeps_nobody_else_out(digit: bytes) -> None:
    settings = replace(HERE, held_bytes=8 << 20)
    packet = zip_of(*[bytes(8 << 20)] * 2, *[digit] * 30)
    with serving(create_app(settings)) as client, contextlib.ExitStack() as stack:
        answers = [
            stack.enter_context(
                client.stream("POST", "/v1/read/batch", content=packet, headers=ZIP)
            )
            for _ in range(6)
        ]
        alone = client.post("/v1/read", content=digit, headers=PNG)
        assert alone.json()["text"] == "7"
        for answer in answers:
            texts = [json.loads(line).get("text") for line in answer.iter_lines()]
            assert texts == [None, None, *["7"] * 30]


@pytest.mark.parametrize(
    ("query", "content", "kind", "status", "words"),
    [
        ("", b"no picture", "image/png", 422, "cannot be decoded"),
        ("", b"", "image/png", 422, "cannot be decoded"),
        ("", b"text", "text/plain", 415, "expected image/png"),
        ("", bytes((8 << 20) + 1), "image/png", 413, "at most 8 MiB"),
        ("?format=nothing", b"", "image/png", 422, "no format 'nothing'"),
        ("?format=regex:(1*)*", b"", "image/png", 422, "over the network"),
        ("?format=" + "x" * 5_000, b"", "image/png", 422, "over the network"),
        ("?fields=some", b"", "image/png", 422, "'one' or 'lines'"),
        ("?reject_above=2", b"", "image/png", 422, "Reject_above"),
        ("?reject_above=nan", b"", "image/png", 422, "Reject_above"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    client: httpx.Client, query: str, content: bytes, kind: str, status: int, words: str
) -> None:
    answer = client.post(f"/v1/read{query}", content=content, headers={"Content-Type": kind})
    assert words in problem(answer, status)


def test_a_picture_over_the_pixel_limit_is_refused(client: httpx.Client) -> None:
    content = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(content, "PNG")
    answer = client.post("/v1/read", content=content.getvalue(), headers=PNG)
    assert "6000x6000 pixels" in problem(answer, 422)


def test_a_body_without_a_length_is_counted(client: httpx.Client) -> None:
    parts = (bytes(1 << 20) for _ in range(9))
    problem(client.post("/v1/read", content=parts, headers=PNG), 413)


def test_json_without_a_length_is_counted(tmp_path: Path) -> None:
    app = create_app(HERE, routers=[teaching_router(School(tmp_path, "small"))])
    kind = {"Content-Type": "application/json"}
    with serving(app) as client:
        parts = (b" " * (1 << 20) for _ in range(9))
        answer = client.post("/v1/corrections", content=parts, headers=kind)
        assert "at most 8 MiB" in problem(answer, 413)


def test_what_is_not_there_is_a_problem_too(client: httpx.Client) -> None:
    problem(client.get("/nothing"), 404)
    problem(client.put("/v1/read"), 405)


def test_health_by_all_names(client: httpx.Client) -> None:
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert client.get(path).status_code == 200
    assert client.get("/v2/models/small/ready").json()["ready"] is True
    problem(client.get("/v2/models/other/ready"), 404)


def test_before_the_model_is_loaded_nothing_is_ready(digit: bytes) -> None:
    app = create_app(HERE)
    assert ask(app, "/healthz").status_code == 200
    problem(ask(app, "/readyz"), 503)
    problem(ask(app, "/v1/read", method="POST", content=digit, headers=PNG), 503)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:8010"])
def test_other_hosts_are_refused_on_loopback(client: httpx.Client, host: str) -> None:
    problem(client.get("/healthz", headers={"Host": host}), 421)


def test_pages_of_other_sites_are_refused(client: httpx.Client) -> None:
    problem(client.get("/healthz", headers={"Origin": "https://evil.example"}), 403)
    own = str(client.base_url).rstrip("/")
    assert client.get("/healthz", headers={"Origin": own}).status_code == 200


def test_beyond_loopback_any_host_is_answered() -> None:
    app = create_app(replace(HERE, host="0.0.0.0"))
    assert ask(app, "/healthz", host="mail.example").status_code == 200
    assert host_name("[::1") == ""


def test_a_token_guards_what_asks_for_it() -> None:
    router = APIRouter(dependencies=[Depends(require_token)])

    @router.get("/pieces")
    async def pieces() -> list[str]:
        return []

    token = "a long enough secret"
    guarded = create_app(replace(HERE, token=token), routers=[router])
    problem(ask(guarded, "/pieces"), 401)
    problem(ask(guarded, "/pieces", headers={"Authorization": f"Bearer {token}x"}), 401)
    assert ask(guarded, "/pieces", headers={"Authorization": f"Bearer {token}"}).json() == []
    assert ask(guarded, "/healthz").status_code == 200
    assert ask(create_app(HERE, routers=[router]), "/pieces").json() == []
    with pytest.raises(SettingError, match="16 characters"):
        Settings(token="short")


def test_a_full_disk_is_507_and_a_mistake_of_ours_says_nothing() -> None:
    assert problem_of(OSError(28, "No space left on device")).status == 507
    assert "disk" not in problem_of(OSError(13, "Permission denied")).detail
    assert problem_of(KeyError("secret")).detail.startswith("The service made a mistake")


def test_a_mistake_that_its_answer_does_not_tell_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = APIRouter()

    @router.get("/locked")
    async def locked() -> None:
        raise PermissionError(13, "Permission denied", "pieces.sqlite")

    @router.get("/full")
    async def full() -> None:
        raise OSError(28, "No space left on device")

    app = create_app(HERE, routers=[router])
    assert "its log says" in problem(ask(app, "/locked"), 500)
    assert "pieces.sqlite" in caplog.text
    caplog.clear()
    problem(ask(app, "/full"), 507)
    assert not caplog.records


def test_figures_are_told(client: httpx.Client, digit: bytes) -> None:
    client.post("/v1/read?fields=one", content=digit, headers=PNG)
    text = client.get("/metrics").text
    for name in (
        'tendigits_requests_total{path="/v1/read",status="200"}',
        'tendigits_request_seconds_count{path="/v1/read"}',
        'tendigits_pages_total{decision="accepted"}',
        "tendigits_digit_confidence_count",
        "tendigits_waiting_pictures 0",
        "tendigits_confidence_drift",
    ):
        assert name in text, name


def test_drift_is_the_distance_between_histograms() -> None:
    reference = metrics.load_reference()
    assert sum(reference) == pytest.approx(1, abs=1e-4)
    alike = [
        1 - (low + high) / 2
        for low, high, share in zip(
            metrics.EDGES, metrics.EDGES[1:], [0.5, 0.5, *[0.0] * 8], strict=False
        )
        for _ in range(int(share * 400))
    ]
    assert metrics.drift(alike, [0.5, 0.5, *[0.0] * 8]) == 0
    assert metrics.drift(alike, [0.0] * 9 + [1.0]) == 1
    assert np.isnan(metrics.drift(alike[:100], reference))


def test_the_reject_curve_falls_in_step_with_the_work() -> None:
    curve = json.loads(metrics.CURVE.read_bytes())["thresholds"]
    rejected = [point["rejected"] for point in curve]
    assert rejected == sorted(rejected, reverse=True)
    assert rejected[-1] == 0


def test_the_page_asks_nobody_else(client: httpx.Client) -> None:
    for path in PAGE_FILES:
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in answer.text


def test_a_queue_shares_fairly_and_refuses_when_full() -> None:
    batcher = Batcher(waiting=40, readers=2)
    for _ in range(40):
        batcher.put(Job(content=b""))
    with pytest.raises(Problem, match="Too many") as refused:
        batcher.put(Job(content=b""))
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    batcher.close()
    sizes = []
    while batch := batcher.take():
        sizes.append(len(batch))
    assert sum(sizes) == 40
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (MOST, 1)


def test_a_crowd_is_refused_at_the_door(digit: bytes) -> None:
    settings = replace(HERE, waiting=1)
    app = create_app(settings)
    with serving(app) as client:
        place = (client.base_url.host, client.base_url.port or 0)
        request = (
            b"POST /v1/read?fields=one HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
            b"Content-Length: %d\r\n\r\n" % len(digit) + digit
        )
        crowd = [socket.create_connection(place, timeout=60) for _ in range(40)]
        for each in crowd:
            each.sendall(request)
        heads = [each.recv(12) for each in crowd]
        assert set(heads) == {b"HTTP/1.1 200", b"HTTP/1.1 429"}
        for each in crowd:
            each.close()
        answer = client.post("/v1/read?fields=one", content=digit, headers=PNG)
        assert answer.json()["text"] == "7"
        figures = client.get("/metrics").text
        assert f"tendigits_refused_total {heads.count(b'HTTP/1.1 429')}.0" in figures


def test_a_refusal_at_the_door_is_a_problem() -> None:
    head, _, body = REFUSAL.partition(b"\r\n\r\n")
    assert json.loads(body)["status"] == 429
    assert b"\r\nRetry-After: 1" in head
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head


@pytest.mark.parametrize(
    ("request_", "whole"),
    [
        (b"POST /v1/read HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", True),
        (b"POST /v1/read HTTP/1.1\r\nHost: x\r\ncontent-length:2\r\nA: b\r\n\r\nab", True),
        (b"POST /v1/read HTTP/1.1\r\nContent-Length: 2\r\n\r\na", False),
        (b"POST /v1/read HTTP/1.1\r\nContent-Length: 2\r\n\r\nabPOST", False),
        (b"POST /v1/read HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", False),
        (b"POST /v1/read HTTP/1.1\r\nA: b\r\n\r\nContent-Length: 2\r\n\r\n", False),
        (b"POST /v1/read HTTP/1.1\r\nContent-Length: 2\r\n", False),
        (b"GET /healthz HTTP/1.1\r\n\r\n", False),
    ],
)
def test_only_whole_requests_are_refused_at_the_door(request_: bytes, whole: bool) -> None:
    assert is_whole_reading(request_) is whole


def test_a_reader_that_cannot_be_started_is_started_at_the_next_request(
    digit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    reader = ProcessReader("small", 30)
    try:
        job = Job(content=digit, fields="one")
        reader._process.kill()
        reader._process.join()
        with monkeypatch.context() as patch:
            patch.setattr(multiprocessing.get_context("spawn").Process, "start", refuse)
            with pytest.raises(BlockingIOError):
                reader.answer([job])
        assert json.loads(reader.answer([job])[0].body)["text"] == "7"
    finally:
        reader.close()


def test_a_reader_that_dies_is_started_again(digit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ProcessReader("small", 30)
    try:
        job = Job(content=digit, fields="one")
        assert json.loads(reader.answer([job])[0].body)["text"] == "7"
        reader._process.kill()
        reader._process.join()
        monkeypatch.setattr(reader._process, "is_alive", lambda: True)  # it died after that look
        with pytest.raises(EOFError):
            reader.answer([job])
        assert json.loads(reader.answer([job, job])[1].body)["text"] == "7"
        with pytest.raises(WeightsError, match=r"nothing\.onnx"):
            reader.load("nothing.onnx")
        assert reader.answer([job])[0].status == 200
    finally:
        reader.close()


def test_a_reader_that_hangs_does_not_keep_the_service_from_its_end(digit: bytes) -> None:
    readers = Readers(replace(HERE, readers=1))
    readers.start()
    (reader,) = readers._readers
    assert isinstance(reader, ProcessReader)
    assert reader._process.pid is not None
    os.kill(reader._process.pid, signal.SIGSTOP)
    answer = readers.put(Job(content=digit))
    readers.close()
    assert answer.result(60) == FAILED  # and not read by a new process, after `read_seconds`
    assert not reader._process.is_alive()


def test_readers_that_were_started_end_where_another_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[ProcessReader] = []

    def make_reader(readers: Readers) -> ProcessReader:
        if started:
            raise KeyboardInterrupt
        started.append(ProcessReader("small", 30))
        return started[0]

    monkeypatch.setattr(Readers, "_make_reader", make_reader)
    with pytest.raises(KeyboardInterrupt):
        Readers(replace(HERE, readers=2)).start()
    assert not started[0]._process.is_alive()


def test_a_picture_that_crashes_a_reader_is_refused_alone() -> None:
    class Fragile:
        def answer(self, jobs: list[Job]) -> list[object]:
            if any(job.content == b"poison" for job in jobs):
                raise EOFError
            return [job.content for job in jobs]

    queue = Batcher(waiting=9, readers=1)
    for content in (b"a", b"poison", b"b"):
        queue.put(Job(content=content))
    answers = answer_all(Fragile(), queue.take())  # type: ignore[arg-type]
    assert answers == [b"a", CRASHED, b"b"]


def test_a_mistake_of_ours_is_told_as_one() -> None:
    class Mistaken:
        def answer(self, jobs: list[Job]) -> list[object]:
            raise ValueError

    queue = Batcher(waiting=9, readers=1)
    queue.put(Job(content=b""))
    assert answer_all(Mistaken(), queue.take()) == [FAILED]  # type: ignore[arg-type]


def test_another_model_comes_in_without_a_request_lost(digit: bytes, tmp_path: Path) -> None:
    readers = Readers(HERE)
    readers.start()
    before = readers.identity
    copy = tmp_path / "taught.onnx"
    copy.write_bytes(find_model("small").read_bytes())
    answers = [readers.put(Job(content=digit, fields="one")) for _ in range(20)]
    assert readers.load(copy).name == "taught"
    answers.append(readers.put(Job(content=digit, fields="one")))
    told = [json.loads(answer.result(60).body) for answer in answers]
    assert {page["text"] for page in told} == {"7"}
    assert told[-1]["model"] == "taught"
    with pytest.raises(WeightsError):
        readers.load(tmp_path / "none.onnx")
    assert readers.identity.name == "taught"
    assert before.version == readers.identity.version
    readers.close()
    assert isinstance(readers._readers[0], ThreadReader)


def test_no_reader_changes_its_model_where_another_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = Readers(replace(HERE, readers=2))
    readers.start()
    copy = tmp_path / "taught.onnx"
    copy.write_bytes(find_model("small").read_bytes())

    def fail(model: str | Path) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(readers._readers[1], "load", fail)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        readers.load(copy)
    assert [reader.identity.name for reader in readers._readers] == ["small", "small"]
    readers.close()


@pytest.fixture(scope="module")
def impatient() -> Iterator[httpx.Client]:
    settings = replace(HERE, receive_seconds=1.0)
    with serving(create_app(settings)) as client:
        yield client


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
        b"Content-Length: 1000\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET",
    ],
    ids=["says nothing", "slow head", "slow body", "slow second"],
)
def test_slow_clients_are_closed(impatient: httpx.Client, begin: bytes) -> None:
    place = (impatient.base_url.host, impatient.base_url.port or 0)
    with socket.create_connection(place, timeout=20) as client:
        client.sendall(begin)
        received = b""
        try:
            while part := client.recv(1_000):
                received += part
        except ConnectionResetError:
            pass
    assert received.count(b"HTTP/1.1 200") == begin.count(b"\r\n\r\nGET")


def test_a_client_that_does_not_take_its_answer_is_cut_off() -> None:
    router = APIRouter()

    @router.get("/long")
    async def long() -> StreamingResponse:
        return StreamingResponse(iter([bytes(1 << 20)] * 64))

    settings = replace(HERE, send_seconds=1.0)
    with serving(create_app(settings, routers=[router])) as client:
        assert len(client.get("/long").content) == 64 << 20
        place = (client.base_url.host, client.base_url.port or 0)
        with socket.create_connection(place, timeout=60) as lazy:
            lazy.sendall(b"GET /long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            end = time.monotonic() + 60
            while 'path="/long",status="499"' not in client.get("/metrics").text:
                assert time.monotonic() < end, "its connection was kept"
                time.sleep(0.05)


def test_what_is_not_http_is_told(impatient: httpx.Client) -> None:
    place = (impatient.base_url.host, impatient.base_url.port or 0)
    for nonsense in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000):
        with socket.create_connection(place, timeout=20) as client:
            client.sendall(nonsense)
            assert client.recv(1_000).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_connection_is_used_again(impatient: httpx.Client, digit: bytes) -> None:
    for _ in range(3):
        time.sleep(1.1)  # longer than a request may take to arrive
        answer = impatient.post("/v1/read?fields=one", content=digit, headers=PNG)
        assert answer.json()["text"] == "7"


def test_a_bad_model_or_a_taken_port_is_told_in_a_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no model")
    taken = listen("127.0.0.1", 0)
    port = str(taken.getsockname()[1])
    for words in (["--port", "0", "--model", str(bad), "--readers", "1"], ["--port", port]):
        command = [sys.executable, "-m", "tendigits", "serve", *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 1
        assert ended.stdout == ""
        assert len(ended.stderr.splitlines()) == 1
        assert words[-1] in ended.stderr or str(bad) in ended.stderr
    taken.close()


def test_a_reader_that_dies_while_it_loads_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def die(event, given):\n"
        "    if event == 'open' and str(given[0]).endswith('.onnx'):\n"
        "        os._exit(1)\n"
        "if '--multiprocessing-fork' in sys.orig_argv:\n"
        "    sys.addaudithook(die)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tendigits", "serve", "--port", "0", "--readers", "2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "tendigits: small: no reader could load it (its process ended)\n"


def test_only_the_model_that_lessons_teach_can_be_served_with_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tendigits", "serve", "--port", "0", "--teach", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--model", "best"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "'best'" in ended.stderr
    assert BASE == DEFAULT


def test_the_service_needs_no_torch() -> None:
    check = (
        "import tendigits.serving.server, tendigits.serving.app, sys; print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", check]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_command_serves_and_ends_in_peace(digit: bytes) -> None:
    words = [sys.executable, "-m", "tendigits", "serve", "--port", "0", "--readers", "1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    with httpx.Client(base_url=address, timeout=60) as client:
        answer = client.post("/v1/read?fields=one", content=digit, headers=PNG)
        assert answer.json()["text"] == "7"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_a_reader_that_died_while_idle_reads_again(digit: bytes) -> None:
    reader = ProcessReader("small", seconds=30)
    try:
        reader._process.kill()
        reader._process.join()
        job = Job(content=digit, format=None, fields="one", reject_above=1)
        (answer,) = reader.answer([job])
        assert answer.status == 200
    finally:
        reader.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_parts_that_unpack_into_any_memory_are_refused(
    client: httpx.Client, digit: bytes, method: int
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packet:
        packet.writestr("a.png", digit, method)
        packet.writestr("b.png", digit)
    answer = client.post(
        "/v1/read/batch", content=content.getvalue(), headers={"Content-Type": "application/zip"}
    )
    first, second = map(json.loads, answer.text.splitlines())
    assert first["problem"]["status"] == 422
    assert second["fields"]


def test_a_directory_of_very_many_files_is_not_read(client: httpx.Client) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packet:
        for number in range(20_000):
            packet.writestr(str(number), b"")
    answer = client.post(
        "/v1/read/batch", content=content.getvalue(), headers={"Content-Type": "application/zip"}
    )
    assert "20,000 files" in problem(answer, 422)


def directory(count: int) -> bytes:
    """Return a ZIP file's directory of files without content."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packet:
        for number in range(count):
            packet.writestr(str(number), b"")
        begin = content.tell()
    return content.getvalue()[begin:-22]


def last_record(entries: int, length: int, *, disk: bytes = bytes(4), comment: int = 0) -> bytes:
    return struct.pack("<4s4sHHIIH", b"PK\5\6", disk, entries, entries, length, 0, comment)


@pytest.mark.parametrize(
    ("disk", "comment"),
    [(bytes(4), 0), (bytes(4), 9), (bytes(4), 65_535), (b"PK\5\6", 0)],
    ids=["alone", "comment", "longest comment", "record in the record"],
)
def test_entries_are_counted_by_the_record_that_zipfile_goes_by(disk: bytes, comment: int) -> None:
    files = directory(2_000)
    record = last_record(2_000, len(files), disk=disk, comment=comment)
    packet = files + record + bytes(comment)
    assert len(zipfile.ZipFile(io.BytesIO(packet)).infolist()) == 2_000
    assert count_entries(packet) == 2_000


def test_a_comment_that_is_one_byte_too_long_hides_no_entries() -> None:
    files = directory(2_000)
    packet = files + last_record(2_000, len(files)) + bytes(65_536)
    assert len(zipfile.ZipFile(io.BytesIO(packet)).infolist()) == 2_000
    assert count_entries(packet) == 2_000


def test_a_second_count_as_zip64_is_refused(client: httpx.Client) -> None:
    files = directory(20_000)
    packet = (
        files
        + struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 20_000, 20_000, len(files), 0)
        + struct.pack("<4sIQI", b"PK\6\7", 0, len(files), 1)
        + last_record(1, 46)
    )
    assert len(zipfile.ZipFile(io.BytesIO(packet)).infolist()) == 20_000
    answer = client.post("/v1/read/batch", content=packet, headers=ZIP)
    assert "ZIP64" in problem(answer, 422)

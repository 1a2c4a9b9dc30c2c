"""Downloads against mirrors that break off, lie, serve other files and refuse to continue."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mirror_server import Mirror, MirrorServer, md5, serve
from tendigits.data.downloading import RemoteFile, download
from tendigits.errors import DownloadError

NAME = "digits.gz"
CONTENT = np.random.default_rng(0).bytes(2_000_000)
HALF = 1_000_000


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with serve() as running:
        yield running


def remote(*addresses: str, max_bytes: int = 3_000_000) -> RemoteFile:
    urls = tuple(address + NAME for address in addresses)
    return RemoteFile(name=NAME, urls=urls, checksum=md5(CONTENT), max_bytes=max_bytes)


def good(**behaviour: object) -> Mirror:
    return Mirror(files={NAME: CONTENT}, **behaviour)  # type: ignore[arg-type]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != NAME)


def test_a_file_arrives_whole_and_is_fetched_once(server: MirrorServer, tmp_path: Path) -> None:
    mirror = good()
    file = remote(server.add("good", mirror))
    steps: list[tuple[str, int, int | None]] = []
    for _ in range(2):
        path = download(file, tmp_path / "new", progress=lambda *step: steps.append(step))
        assert path.read_bytes() == CONTENT
    assert mirror.requests == [(NAME, None)]
    assert leftovers(tmp_path / "new") == []
    assert steps[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)


def test_a_changed_file_is_fetched_again(server: MirrorServer, tmp_path: Path) -> None:
    file = remote(server.add("good", good()))
    (tmp_path / NAME).write_bytes(CONTENT[:-1] + b"?")
    assert download(file, tmp_path).read_bytes() == CONTENT


def test_a_broken_connection_is_continued(server: MirrorServer, tmp_path: Path) -> None:
    mirror = good(break_off_after=[HALF, HALF // 2])
    assert download(remote(server.add("weak", mirror)), tmp_path).read_bytes() == CONTENT
    ranges = [asked for _, asked in mirror.requests]
    assert ranges == [None, f"bytes={HALF}-", f"bytes={HALF + HALF // 2}-"]


def test_a_later_process_continues(server: MirrorServer, tmp_path: Path) -> None:
    weak = good(break_off_after=[HALF] + [0] * 9)
    address = server.add("weak", weak)
    with pytest.raises(DownloadError, match="broke off after 1,000,000 of 2,000,000 bytes"):
        download(remote(address), tmp_path)
    assert not (tmp_path / NAME).exists()
    weak.break_off_after.clear()
    weak.requests.clear()
    assert download(remote(address), tmp_path).read_bytes() == CONTENT
    assert weak.requests == [(NAME, f"bytes={HALF}-")]


def test_the_next_mirror_continues(server: MirrorServer, tmp_path: Path) -> None:
    weak, strong = good(break_off_after=[HALF] + [0] * 9), good(etag='"two"')
    file = remote(server.add("weak", weak), server.add("strong", strong))
    assert download(file, tmp_path).read_bytes() == CONTENT
    assert strong.requests == [(NAME, f"bytes={HALF}-")]


@pytest.mark.parametrize(
    "behaviour",
    [
        {"accepts_range": False},
        {"refuses_range": 416},
        {"refuses_range": 403},
        {"shifts_range": 7},
        {"etag": '"two"'},
    ],
    ids=["ignores", "cannot satisfy", "forbids", "shifts", "changed"],
)
def test_what_cannot_be_continued_begins_again(
    server: MirrorServer, tmp_path: Path, behaviour: dict[str, object]
) -> None:
    address = server.add("mirror", good(break_off_after=[HALF] + [0] * 9))
    with pytest.raises(DownloadError):
        download(remote(address), tmp_path)
    server.add("mirror", good(**behaviour))
    assert download(remote(address), tmp_path).read_bytes() == CONTENT
    assert leftovers(tmp_path) == []


def test_a_mirror_that_lost_the_file_does_not_cost_what_has_arrived(
    server: MirrorServer, tmp_path: Path
) -> None:
    (tmp_path / f".{NAME}.part").write_bytes(CONTENT[:HALF])
    strong = good()
    file = remote(server.add("gone", Mirror(files={})), server.add("strong", strong))
    assert download(file, tmp_path).read_bytes() == CONTENT
    assert strong.requests == [(NAME, f"bytes={HALF}-")]


def test_a_wrong_beginning_does_not_spoil_the_rest(server: MirrorServer, tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.part").write_bytes(b"from another version")
    assert download(remote(server.add("good", good())), tmp_path).read_bytes() == CONTENT


def test_a_whole_part_is_not_fetched_again(server: MirrorServer, tmp_path: Path) -> None:
    mirror = good()
    (tmp_path / f".{NAME}.part").write_bytes(CONTENT)
    assert download(remote(server.add("good", mirror)), tmp_path).read_bytes() == CONTENT
    assert mirror.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [{"claims": None}, {"claims": 5}, {"length": "9" * 5_000}, {"length": "-1"}],
    ids=["none", "too long", "absurd", "negative"],
)
def test_a_wrong_length_of_the_right_file_does_no_harm(
    server: MirrorServer, tmp_path: Path, behaviour: dict[str, object]
) -> None:
    file = remote(server.add("liar", good(**behaviour)))
    assert download(file, tmp_path).read_bytes() == CONTENT


def test_each_mirror_is_named_with_its_fault(server: MirrorServer, tmp_path: Path) -> None:
    mirrors = {
        "wrong": (Mirror(files={NAME: CONTENT[::-1]}), "sent another file"),
        "empty": (Mirror(files={NAME: b""}), "sent another file"),
        "gone": (Mirror(files={}), "answered 404 Not Found"),
        "weak": (
            good(break_off_after=[HALF] + [0] * 9),
            "broke off after 1,000,000 of 2,000,000 bytes",
        ),
        "short": (good(claims=-5), "sent another file"),
        "boasts": (good(claims=2_000_000), "announces 4,000,000 bytes, more than 3,000,000"),
        "floods": (Mirror({NAME: CONTENT * 3}, claims=None), "sent more than 3,000,000 bytes"),
    }
    addresses = [server.add(name, mirror) for name, (mirror, _) in mirrors.items()]
    closed = "http://127.0.0.1:1/"
    with pytest.raises(DownloadError) as caught:
        download(remote(*addresses, closed), tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for address, (_, fault) in zip(addresses, mirrors.values(), strict=True):
        assert f"{address}{NAME} {fault}" in message
    assert f"{closed}{NAME} cannot be reached" in message
    assert not (tmp_path / NAME).exists()
    # Whatever they left behind, a good mirror afterwards delivers.
    assert download(remote(server.add("good", good())), tmp_path).read_bytes() == CONTENT


def test_after_wrong_mirrors_the_right_one_is_tried(server: MirrorServer, tmp_path: Path) -> None:
    wrong = Mirror(files={NAME: b"<html>Please log in to this network</html>"})
    file = remote(server.add("wrong", wrong), server.add("good", good()))
    assert download(file, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "address", ["http://a..b/", "http://127.0.0.1:port/", "http://127.0.0.1:1/\ta b"]
)
def test_after_a_move_to_nowhere_the_next_mirror_is_tried(
    server: MirrorServer, tmp_path: Path, address: str
) -> None:
    moved = server.add("moved", good(moved_to=address))
    with pytest.raises(DownloadError, match=r"moved/digits.gz cannot be reached \(") as caught:
        download(remote(moved), tmp_path)
    assert "\n" not in str(caught.value)
    assert download(remote(moved, server.add("good", good())), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError("refused\n  by the proxy"), "refused by the proxy"),
        (ValueError("Invalid IPv6 URL"), "Invalid IPv6 URL"),  # at a move to http://[::1
    ],
)
def test_a_reason_is_one_line(
    tmp_path: Path, error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(DownloadError, match=rf"cannot be reached \({reason}\)"):
        download(remote("http://127.0.0.1:1/"), tmp_path)


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DownloadError, match=r"cannot be reached \(timed out\)"):
            download(remote(address), tmp_path, timeout=0.2)


def test_a_folder_that_cannot_be_written_is_said_so(server: MirrorServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match=r"cannot be written .* choose another folder"):
        download(remote(server.add("good", good())), tmp_path / "file" / "folder")

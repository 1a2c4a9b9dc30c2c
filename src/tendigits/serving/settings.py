"""Settings of the service, each with its unit and its reason."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from tendigits.errors import SettingError
from tendigits.reading.classifier import DEFAULT

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the service runs.

    Attributes:
        host: Address to bind.
        port: To listen on, 0 to 65535; 0 for one that is free.
        model: A shipped model's name, or an ONNX file; only who starts the service chooses it.
        token: What a request must carry, as ``Authorization: Bearer ...``, to see or change what
            people wrote; None for no such check.
        readers: Processes that read, at least 1; 0 reads in a thread of this process.
        waiting: Pictures that may wait for a reader, at least 1; more are refused with 429. 64 are
            read in about 0.2 s by two readers.
        body_bytes: Of the longest body; a phone's photograph has 2 to 6 MiB.
        held_bytes: Of all bodies that are held at once; the longest body fits.
        receive_seconds: Until a request has arrived whole, or its connection is closed.
        send_seconds: Until a client that does not take its answer is cut off.
        read_seconds: Until a batch is read, or its reader is ended and started again.

    Raises:
        SettingError: A value is not as above.
    """

    host: str = "127.0.0.1"
    port: int = 8010
    model: str | Path = DEFAULT
    token: str | None = None
    readers: int = 2
    waiting: int = 64
    body_bytes: int = 8 * MIB
    held_bytes: int = 128 * MIB
    receive_seconds: float = 9.0
    send_seconds: float = 30.0
    read_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingError(f"port is {self.port}: expected 0 to 65535")
        if self.readers < 0 or self.waiting < 1:
            raise SettingError(
                f"{self.readers} readers and {self.waiting} waiting pictures: expected at least 0 "
                "and at least 1"
            )
        if not 0 < self.body_bytes <= self.held_bytes:
            raise SettingError(
                f"bodies of {self.body_bytes} bytes and {self.held_bytes} of all at once: expected "
                "at least 1, and no less of all"
            )
        if not (self.receive_seconds > 0 and self.send_seconds > 0 and self.read_seconds > 0):
            raise SettingError(
                f"{self.receive_seconds} s to receive, {self.send_seconds} s to send and "
                f"{self.read_seconds} s to read: expected more than 0"
            )
        if self.token is not None and len(self.token) < 16:
            raise SettingError("the token is too short to be a secret: expected 16 characters")

    @property
    def on_loopback(self) -> bool:
        """Only programs of this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

"""The ways in which a server, or what stands before it, can misbehave; each can be asked for by number and path."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>DHIS2 login</title></head><body><form action='/dhis-web-login/'>"
    b"<input name='j_username'><input type='password' name='j_password'></form></body></html>"
)
FAULTS = (
    "429_seconds", "429_date", "500", "502", "503", "302_login", "login_page", "redirect_elsewhere", "proxy_page", "drip",
    "reset", "truncated", "length_too_long", "length_too_short", "past_end", "repeated_page", "duplicate_keys", "409",
    "empty_204", "empty_200", "mixed_booleans", "gzip", "delay", "accepted_then_silent", "accepted_then_reset",
)  # fmt: skip


@dataclass
class Fault:
    """One misbehaviour.

    kind : one of FAULTS; path : where (a regular expression on path and query)
    after, times : how many matching requests pass first, and how many are then spoilt (-1: all)
    """

    kind: str
    path: str = "dataValueSets"
    times: int = 1
    after: int = 0
    method: str = "GET"
    seconds: float = 1.0
    seen: int = 0
    spoilt: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {FAULTS}")

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is spoilt; counts it."""
        if method != self.method or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen <= self.after or self.spoilt == self.times:
            return False
        self.spoilt += 1
        return True


@dataclass
class FaultList:
    """Faults in the order in which they are tried."""

    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that spoils a request, None for an ordinary one."""
        with self.lock:
            return next((fault for fault in self.faults if fault.takes(method, path)), None)


@dataclass
class Reply:
    """What is sent: status, headers, body; `length` where Content-Length lies; `cut` bytes then the connection breaks."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json;charset=UTF-8"})
    length: int | None = None
    cut: int | None = None
    reset: bool = False
    drip: float = 0.0


_PLAIN = {
    "500": (500, "Internal Server Error"),
    "502": (502, "Bad Gateway"),
    "503": (503, "Service Unavailable"),
}


def spoil(fault: Fault, good: Reply) -> Reply:
    """The reply that a fault makes of a good one."""
    kind = fault.kind
    if kind in _PLAIN:
        status, title = _PLAIN[kind]
        page = f"<html><head><title>{status} {title}</title></head><body>nginx</body></html>"
        return Reply(status, page.encode(), {"Content-Type": "text/html"})
    if kind == "429_seconds":
        return Reply(429, b"", {"Retry-After": str(int(fault.seconds))})
    if kind == "429_date":
        when = datetime.now(UTC) + timedelta(seconds=fault.seconds)
        return Reply(429, b"", {"Retry-After": format_datetime(when, usegmt=True)})
    if kind in ("302_login", "redirect_elsewhere"):
        place = "/dhis-web-login/" if kind == "302_login" else "https://elsewhere.invalid/api/"
        return Reply(302, b"", {"Location": place})
    if kind in ("login_page", "proxy_page"):
        html = (
            LOGIN_PAGE
            if kind == "login_page"
            else b"<html><head><title>Blocked</title></head><body>proxy</body></html>"
        )
        return Reply(200, html, {"Content-Type": "text/html;charset=UTF-8"})
    if kind in ("empty_204", "empty_200"):
        return Reply(204 if kind == "empty_204" else 200, b"")
    if kind == "409":
        message = {"httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR", "errorCode": "E2017",
                   "message": "Query failed (stub)"}  # fmt: skip
        return Reply(409, json.dumps(message).encode())
    return _damaged(fault, good)


def _damaged(fault: Fault, good: Reply) -> Reply:
    """The right answer, damaged on its way."""
    kind, body = fault.kind, good.body
    half = max(1, len(body) // 2)
    if kind == "drip":
        return Reply(good.status, body, good.headers, drip=fault.seconds)
    if kind in ("reset", "accepted_then_reset"):
        return Reply(good.status, body, good.headers, cut=half, reset=True)
    if kind == "truncated":
        return Reply(good.status, body[:half], good.headers)
    if kind == "length_too_long":
        return Reply(good.status, body, good.headers, length=len(body) + 100)
    if kind == "length_too_short":
        return Reply(good.status, body[:half], good.headers, length=half)
    if kind == "duplicate_keys":
        return Reply(good.status, body.replace(b'{"', b'{"value":"7","value":"8","', 2), good.headers)
    if kind == "mixed_booleans":
        mixed = body.replace(b'"followup":false', b'"followup":"False"').replace(b'"deleted":true', b'"deleted":"TRUE"')
        return Reply(good.status, mixed, good.headers)
    if kind == "gzip":
        return Reply(good.status, gzip.compress(body, 1), good.headers | {"Content-Encoding": "gzip"})
    if kind in ("past_end", "repeated_page"):
        return Reply(good.status, _other_page(kind, body), good.headers)
    if kind in ("delay", "accepted_then_silent"):
        time.sleep(fault.seconds)
    return good


def _other_page(kind: str, body: bytes) -> bytes:
    """A page that is empty although more was promised, or that says it is the page before."""
    content = json.loads(body)
    pager = content.get("pager") or {}
    key = next(name for name in content if name != "pager")
    if kind == "past_end":
        content[key] = []
        pager["page"] = pager.get("page", 1) + 1
    else:
        pager["page"] = max(1, pager.get("page", 1) - 1)
    return json.dumps(content, ensure_ascii=False).encode()

"""The stub server itself: standard library HTTP on 127.0.0.1, one thread per connection."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tkyt_analysis.practice.stub_dhis2.faults import Fault, FaultList, Reply, spoil
from tkyt_analysis.practice.stub_dhis2.recorded import Recorded, read_recorded
from tkyt_analysis.practice.stub_dhis2.routes import answer
from tkyt_analysis.practice.stub_dhis2.store import Store

TOKEN = "d2pat_stub_only_for_this_machine"
USER, PASSWORD = "stub", "stub_only_for_this_machine"


@dataclass
class Request:
    """One request as the routes see it, and as the log keeps it."""

    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    answered: bytes = b""

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def params(self) -> list[tuple[str, str]]:
        """The query as name and value pairs."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


class StubServer:
    """A running stub. Use as a context manager; `url` is its address, `requests` what it was asked.

    recorded : files of recorded exchanges that are replayed before anything else
    keep_bodies : keep answers in `requests`, for checks against a contract
    """

    def __init__(
        self, store: Store, *, recorded: tuple[Path, ...] = (), port: int = 0, keep_bodies: bool = False
    ) -> None:
        self.store = store
        self.faults = FaultList()
        self.recorded: Recorded = read_recorded(recorded)
        self.requests: list[Request] = []
        self.keep_bodies = keep_bodies
        self.http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self._thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> StubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def misbehave(self, *faults: Fault) -> None:
        """From now on these faults, and no earlier ones."""
        self.faults.faults = list(faults)

    def reply(self, request: Request) -> Reply:
        """The right reply to a request; who says no secret is sent to the login page or, if an app, told 401."""
        if not _may_enter(request.headers):
            if request.headers.get("x-requested-with") == "XMLHttpRequest":
                said = {
                    "httpStatus": "Unauthorized",
                    "httpStatusCode": 401,
                    "status": "ERROR",
                    "message": "Unauthorized",
                }
                return Reply(401, json.dumps(said).encode())
            return Reply(302, b"", {"Location": "/dhis-web-login/"})
        replayed = self.recorded.reply(request.method, request.target)
        if replayed:
            return replayed
        with self.store.lock:
            status, content = answer(self.store, request)
        body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        return Reply(status, body)


def _may_enter(headers: dict[str, str]) -> bool:
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return headers.get("authorization") in (f"ApiToken {TOKEN}", f"Basic {basic}")


def _handler(stub: StubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, *_: Any) -> None:
            """Nothing on standard error."""

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): text for name, text in self.headers.items()}
            request = Request(self.command, self.path, self.rfile.read(size), headers)
            fault = stub.faults.take(request.method, request.target)
            good = stub.reply(request) if fault is None or _needs_good(fault) else Reply(200, b"{}")
            if stub.keep_bodies:
                request.answered = good.body
            stub.requests.append(request)
            reply = spoil(fault, good) if fault else good
            request.status = reply.status
            try:
                self._send(reply)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            if reply.drip:
                self._drip(reply)
                return
            self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
            self.wfile.flush()
            if reply.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if reply.reset or reply.length is not None:
                self.close_connection = True

        def _drip(self, reply: Reply) -> None:
            """A few bytes at a time, so that no pause is long but the whole takes very long."""
            piece = max(1, len(reply.body) // 100)
            for at in range(0, len(reply.body), piece):
                self.wfile.write(reply.body[at : at + piece])
                self.wfile.flush()
                time.sleep(reply.drip / 10)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

    return Handler


def _needs_good(fault: Fault) -> bool:
    """Whether a fault damages the right answer (and the server has done what it was asked) or stands before the server."""
    return fault.kind in (
        "drip", "reset", "truncated", "length_too_long", "length_too_short", "past_end", "repeated_page", "duplicate_keys",
        "mixed_booleans", "gzip", "delay", "accepted_then_silent", "accepted_then_reset",
    )  # fmt: skip

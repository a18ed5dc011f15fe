"""One request to a DHIS2 server, made safe: our transport under the resources of `dhis2-client`.

`dhis2-client` 0.3.2 retries only 5xx on GET and without waiting, reads whole bodies without a limit of time or size, takes
a redirect to the login page for an answer and offers no own certificates. Its `_build_client` and `_request` are replaced
here, so that its resource helpers (`get_system_info`, `get_organisation_units`, …) pass through this layer too.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import httpx
from dhis2_client import DHIS2Client

from tkyt_analysis.errors import InputError
from tkyt_analysis.gateway.answers import Answer, require_answered, require_json
from tkyt_analysis.gateway.problems import STOP, GatewayProblem
from tkyt_analysis.gateway.retry import Limits, Retrier
from tkyt_analysis.gateway.server import Server

Parameters = Iterable[tuple[str, str]]
# DHIS2 2.4x negotiates the content of these wrongly: what is wanted must stand in the address.
JSON_IN_ADDRESS = ("analytics/rawData", "analytics/dataValueSet", "analytics", "organisationUnits.geojson")


class Gateway(DHIS2Client):
    """A connection to one server. Use as a context manager; `fetch` gives bytes, `ask` gives JSON."""

    def __init__(self, server: Server, *, limits: Limits | None = None, retrier: Retrier | None = None) -> None:
        self.server = server
        self.retrier = retrier or Retrier(limits or Limits())
        self.limits = self.retrier.limits
        self.requests = 0
        super().__init__(server.url, retries=0)

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build_client(self) -> httpx.Client:
        headers = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest", "User-Agent": "tkyt"}
        if self.server.token:
            headers["Authorization"] = f"ApiToken {self.server.token}"
        limits = self.limits
        return httpx.Client(
            headers=headers,
            auth=None if self.server.token else (self.server.user, self.server.password),
            timeout=httpx.Timeout(limits.silence_seconds, connect=limits.connect_seconds),
            verify=self._certificates(),
            follow_redirects=False,
            trust_env=False,
            proxy=self.server.proxy or None,
        )

    def _certificates(self) -> ssl.SSLContext | bool:
        if not self.server.ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=str(self.server.ca_file))
        except (OSError, ssl.SSLError):
            raise InputError("error.dhis2_ca_file", path=self.server.ca_file) from None

    def _request(self, method: str, path: str, *, params: Any = None, json: Any = None, headers: Any = None) -> Any:
        """What the resource helpers of `dhis2-client` call; only reading is repeated."""
        pairs = list(httpx.QueryParams(params or {}).multi_items())
        if method.upper() == "GET":
            return self.ask(path, pairs)
        return self.send(path, pairs, _json_bytes(json), method=method, safe=False).json()

    def address(self, path: str, params: Parameters = ()) -> str:
        """The whole address of a request; commas, colons and semicolons stay as DHIS2 writes them."""
        place = path.strip("/").removeprefix("api/")
        if place in JSON_IN_ADDRESS and not place.endswith("json"):
            place += ".json"
        query = urlencode(list(params), safe=",:;[]*!")
        return f"{self.server.url}/api/{place}" + (f"?{query}" if query else "")

    def fetch(self, path: str, params: Parameters = (), *, judge: Callable[[Answer], object] = require_json) -> Answer:
        """GET: the bytes of an answer that `judge` has accepted, tried again as `Limits` say. Raises GatewayProblem."""
        url = self.address(path, params)

        def once() -> Answer:
            answer = require_answered(self._exchange("GET", url), now=self.retrier.now())
            try:
                judge(answer)
            except GatewayProblem:
                self.close()  # what is left of a broken answer must not be read as the beginning of the next
                raise
            return answer

        answer, attempts = self.retrier.run(once, safe=True)
        return Answer(answer.status, answer.headers, answer.body, answer.url, attempts)

    def ask(self, path: str, params: Parameters = ()) -> Any:
        """GET: the JSON of an answer."""
        kept: list[Any] = []
        self.fetch(path, params, judge=lambda answer: kept.append(require_json(answer)))
        return kept[-1]

    def send(
        self,
        path: str,
        params: Parameters,
        body: bytes,
        *,
        method: str = "POST",
        content_type: str = "application/json",
        safe: bool,
    ) -> Answer:
        """POST and the like. `safe`: sending it twice leaves the server as sending it once. 409 is an answer here."""
        url = self.address(path, params)

        def once() -> Answer:
            answer = self._exchange(method, url, body, content_type)
            if answer.status != 409:
                require_answered(answer, now=self.retrier.now())
            if answer.status != 204:
                require_json(answer)
            return answer

        answer, attempts = self.retrier.run(once, safe=safe)
        return Answer(answer.status, answer.headers, answer.body, answer.url, attempts)

    def _exchange(self, method: str, url: str, body: bytes | None = None, content_type: str = "") -> Answer:
        """One sending: whatever breaks becomes a GatewayProblem that names the end point, never its parameters."""
        self.requests += 1
        where = httpx.URL(url).path
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            with self._ensure_client().stream(method, url, content=body, headers=headers) as response:
                read = self._read(response, where)
                return Answer(response.status_code, dict(response.headers), read, url)
        except httpx.ConnectError as error:
            host = httpx.URL(url).host
            if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error).upper():
                raise GatewayProblem("error.dhis2_certificate", reach=STOP, host=host) from None
            raise GatewayProblem("error.dhis2_unreachable", retry=True, reach=STOP, host=host) from None
        except httpx.ConnectTimeout:
            host = httpx.URL(url).host
            raise GatewayProblem("error.dhis2_unreachable", retry=True, reach=STOP, host=host) from None
        except httpx.TimeoutException:
            seconds = self.limits.silence_seconds
            raise GatewayProblem("error.dhis2_too_slow", retry=True, where=where, seconds=seconds) from None
        except (httpx.TransportError, httpx.DecodingError):
            raise GatewayProblem("error.dhis2_broken_off", retry=True, where=where) from None

    def _read(self, response: httpx.Response, where: str) -> bytes:
        """The unpacked body, within the limits of time and size."""
        ends, pieces, size = time.monotonic() + self.limits.total_seconds, [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > self.limits.most_bytes:
                most = self.limits.most_bytes >> 20
                raise GatewayProblem("error.dhis2_too_big", where=where, megabytes=most)
            if time.monotonic() > ends:
                seconds = self.limits.total_seconds
                raise GatewayProblem("error.dhis2_too_slow", retry=True, where=where, seconds=seconds)
            pieces.append(piece)
        return b"".join(pieces)


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

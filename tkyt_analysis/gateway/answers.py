"""Is an answer what was asked for? Login pages, cut-off JSON, keys written twice, import summaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tkyt_analysis.gateway.problems import SPLIT, STOP, GatewayProblem
from tkyt_analysis.gateway.retry import seconds_asked

_LOGIN_PLACE = re.compile(r"login|dhis-web-commons/security|/oauth2?/|/saml", re.IGNORECASE)
_LOGIN_PAGE = re.compile(rb"<form[^>]*login|type=[\"']?password|j_username|dhis-web-login|<title>[^<]*login", re.I)
_BUSY, _AWAY, _FAILED = (429,), (502, 503), (500, 504, 508)


@dataclass(frozen=True)
class Answer:
    """A body as it came (unpacked only), with what the server said of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    attempts: int = 1

    def json(self) -> Any:
        """The body as JSON; see `read_json`."""
        return read_json(self.body, where=self.where)

    @property
    def where(self) -> str:
        """The end point without its parameters."""
        return urlsplit(self.url).path


def require_answered(answer: Answer, *, now: datetime) -> Answer:
    """The answer where its status says success; else the problem, with what the server said."""
    status, where = answer.status, answer.where
    if 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        raise _redirected(answer)
    if status == 401:
        raise GatewayProblem("error.dhis2_login", reach=STOP, where=where)
    if status in _BUSY + _AWAY:
        wait = seconds_asked(answer.headers.get("retry-after"), now=now)
        raise GatewayProblem("error.dhis2_busy", retry=True, reach=STOP, wait=wait, where=where, status=status)
    if status in _FAILED:
        raise GatewayProblem("error.dhis2_failed", retry=True, reach=SPLIT, where=where, status=status)
    raise GatewayProblem("error.dhis2_refused", where=where, status=status, said=server_message(answer.body))


def _redirected(answer: Answer) -> GatewayProblem:
    """A redirect is never followed: to a login page it means that the secret is not accepted; elsewhere it is refused."""
    target = urlsplit(answer.headers.get("location", ""))
    own = urlsplit(answer.url)
    if target.netloc and target.netloc != own.netloc:
        return GatewayProblem("error.dhis2_redirect", reach=STOP, where=answer.where, host=target.netloc)
    if _LOGIN_PLACE.search(target.path):
        return GatewayProblem("error.dhis2_login", reach=STOP, where=answer.where)
    return GatewayProblem("error.dhis2_redirect", reach=STOP, where=answer.where, host=own.netloc + target.path)


def require_json(answer: Answer) -> Any:
    """The answer's JSON; a login page, another page, an empty or a cut-off body is a problem."""
    head = answer.body[:4096].lstrip()
    if not head:
        raise GatewayProblem("error.dhis2_empty", retry=True, where=answer.where, status=answer.status)
    if head[:1] == b"<":
        if _LOGIN_PAGE.search(answer.body[:20_000]):
            raise GatewayProblem("error.dhis2_login", reach=STOP, where=answer.where)
        raise GatewayProblem("error.dhis2_not_json", retry=True, where=answer.where, status=answer.status)
    return read_json(answer.body, where=answer.where)


def read_json(body: bytes, *, where: str) -> Any:
    """JSON in which every key stands once; a key with two values has no value, so the answer is refused."""
    try:
        return json.loads(body, object_pairs_hook=_once)
    except _KeyTwice as twice:
        raise GatewayProblem("error.dhis2_key_twice", retry=True, where=where, name=str(twice)) from None
    except (ValueError, RecursionError):
        raise GatewayProblem("error.dhis2_cut_off", retry=True, where=where, size=len(body)) from None


class _KeyTwice(Exception):
    """Not a ValueError: the JSON reader must not take it for its own."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _KeyTwice(next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at])))
    return made


def server_message(body: bytes) -> str:
    """What the server said of its refusal, in one short line; "" where it said nothing readable."""
    try:
        said = json.loads(body[:200_000])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    text = " ".join(str(said.get(key) or "") for key in ("errorCode", "message")).strip()
    conflicts = (said.get("response") or {}).get("conflicts") if isinstance(said.get("response"), dict) else None
    first = (conflicts or [{}])[0]
    return " – ".join(part for part in (text, str(first.get("value") or "")) if part)[:300]


def is_true(value: object) -> bool:
    """A boolean as servers write it: true, "true", "TRUE", "True"; everything else is false."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")

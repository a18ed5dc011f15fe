"""Recorded exchanges (as Cypress keeps them), replayed: the same request gets the same answer, in the recorded order."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tkyt_analysis.practice.stub_dhis2.faults import Reply


@dataclass
class Recorded:
    """(method, address) → exchanges. Where an address was answered differently over time, so it is again."""

    exchanges: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, method: str, target: str) -> Reply | None:
        """The recorded reply, None for an address that was never recorded."""
        key = method, unquote(target)
        if key not in self.exchanges:
            return None
        with self.lock:
            nth = self.asked.get(key, 0)
            self.asked[key] = nth + 1
        exchange = self.exchanges[key][0]
        return Reply(exchange["statusCode"], body_of(exchange, nth).encode())


def body_of(exchange: dict[str, Any], nth: int = 0) -> str:
    """The body of the nth time (from 0); after the last recorded one it stays as it was."""
    body = exchange.get("responseBody") or ""
    if exchange["statusCode"] == 204:
        return ""
    if isinstance(body, str):
        return body
    order = exchange.get("responseLookup") or list(range(len(body)))
    return str(body[order[min(nth, len(order) - 1)]])


def read_recorded(paths: tuple[Path, ...]) -> Recorded:
    """The exchanges of some files (JSON, also packed)."""
    recorded = Recorded()
    for path in paths:
        data = path.read_bytes()
        for one in json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data):
            recorded.exchanges.setdefault((one["method"], unquote(one["path"])), []).append(one)
    return recorded

"""When to send a request again, and how long to wait first: back-off with jitter, and the server's Retry-After."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tkyt_analysis.gateway.problems import STOP, GatewayProblem

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What one request may take.

    attempts : sendings of one request, the first included
    first_wait, longest_wait : seconds; the wait before try n is drawn from 0.5–1 × first_wait · 2^(n-1)
    longest_asked : seconds; where Retry-After asks for more, the run ends and says when to come back
    connect_seconds, silence_seconds : until a connection stands; between two pieces of an answer
    total_seconds : for the whole answer, its body included
    most_bytes : of one unpacked answer; a larger one is asked for in smaller parts
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked: float = 300.0
    connect_seconds: float = 20.0
    silence_seconds: float = 60.0
    total_seconds: float = 300.0
    most_bytes: int = 64 << 20


@dataclass
class Retrier:
    """Sends again what may be sent again. `sleep`, `draw` and `now` are given by tests."""

    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, send: Callable[[], T], *, safe: bool) -> tuple[T, int]:
        """(result of `send`, sendings it took). A request that is not `safe` to repeat is sent once."""
        attempt = 1
        while True:
            try:
                return send(), attempt
            except GatewayProblem as problem:
                if not (safe and problem.retry) or attempt >= self.limits.attempts:
                    problem.fields["attempts"] = attempt
                    raise
                self.sleep(self._wait(problem, attempt))
                attempt += 1

    def _wait(self, problem: GatewayProblem, attempt: int) -> float:
        if problem.wait is None:
            longest = min(self.limits.longest_wait, self.limits.first_wait * 2 ** (attempt - 1))
            return longest * (0.5 + 0.5 * self.draw())
        if problem.wait > self.limits.longest_asked:
            raise GatewayProblem(
                "error.dhis2_come_back_later", reach=STOP, seconds=round(problem.wait), attempts=attempt
            )
        return problem.wait


def seconds_asked(header: str | None, *, now: datetime) -> float | None:
    """Retry-After as seconds from now: a number of seconds or an HTTP date (RFC 9110 §10.2.3); None if unreadable."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())

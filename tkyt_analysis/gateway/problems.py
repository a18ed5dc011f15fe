"""What can go wrong between us and a server: each problem is one sentence, and says whether it may be tried again."""

from __future__ import annotations

from typing import Any

from tkyt_analysis.errors import ProcessingError

STOP, SPLIT = "stop", "split"


class GatewayProblem(ProcessingError):
    """A request that did not bring what was asked for.

    retry : the same request may succeed when it is sent again
    reach : STOP where nothing else would succeed either (login, server away); SPLIT where a smaller request might
    wait : seconds that the server asked us to wait (Retry-After), None where it said nothing
    """

    def __init__(
        self, key: str, /, *, retry: bool = False, reach: str = SPLIT, wait: float | None = None, **fields: Any
    ) -> None:
        super().__init__(key, **fields)
        self.retry, self.reach, self.wait = retry, reach, wait

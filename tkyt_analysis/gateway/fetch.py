"""The requests of a plan, one after the other: answers are judged, kept, halved where they fail, and counted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tkyt_analysis.gateway.answers import Answer, is_true, require_json
from tkyt_analysis.gateway.batches import halves
from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.ledger import DONE, FAILED, REPEATED, Ask, Ledger
from tkyt_analysis.gateway.paging import PAGE_SIZE, WHOLE_LIST, fetch_list
from tkyt_analysis.gateway.plan import LISTS, with_units
from tkyt_analysis.gateway.problems import SPLIT, STOP, GatewayProblem

# The key under which an answer holds its rows; an answer without it has none ({} is what DHIS2 says for "no values").
ROWS_UNDER = {
    "dataValueSets": "dataValues", "completeDataSetRegistrations": "completeDataSetRegistrations", "analytics": "rows",
    "organisationUnits": "organisationUnits", "validationRules": "validationRules", "minMax": "minMaxDataElements",
    "geometry": "features",
}  # fmt: skip
FAILURES_IN_A_ROW = 5


@dataclass
class Fetcher:
    """Works through the waiting requests of a run.

    known_recent : fingerprints of values that the last pull had in its overlap window
    recent_from : values changed at or after this time go into the next overlap window ("" for none)
    """

    gateway: Gateway
    ledger: Ledger
    run_id: str
    known_recent: set[str] = field(default_factory=set)
    recent_from: str = ""
    whole_list: int = WHOLE_LIST
    page_size: int = PAGE_SIZE
    failures: int = 0

    def run(self, progress: Callable[[int, int, str], None] | None = None) -> None:
        """Ask until nothing waits. Raises GatewayProblem where nothing else would succeed; then the run can go on later."""
        while waiting := self.ledger.waiting(self.run_id):
            for number, ask in waiting:
                if progress:
                    progress(*self.ledger.counts(self.run_id), f"{ask.what} {ask.period}")
                self._one(number, ask)

    def _one(self, number: int, ask: Ask) -> None:
        try:
            if ask.what in LISTS:
                self._keep_list(number, ask)
            else:
                self._keep(number, ask)
            self.failures = 0
        except GatewayProblem as problem:
            if problem.reach == STOP:
                raise
            self._give_way(number, ask, problem)

    def _give_way(self, number: int, ask: Ask, problem: GatewayProblem) -> None:
        """A failed request becomes two smaller ones; one that cannot be smaller is on record with its reason."""
        smaller = halves(ask.units) if problem.reach == SPLIT else []
        if smaller:
            self.ledger.split(self.run_id, number, [with_units(ask, units) for units in smaller])
            return
        self.failures += 1
        if self.failures >= FAILURES_IN_A_ROW:
            raise GatewayProblem(
                "error.dhis2_nothing_works", reach=STOP, count=self.failures, problem=problem.sentence()
            )
        fields = json.dumps(problem.fields, ensure_ascii=False, default=str)
        self.ledger.update(self.run_id, number, state=FAILED, reason=problem.key, fields=fields)

    def _keep(self, number: int, ask: Ask) -> None:
        content: list[Any] = []

        def judge(answer: Answer) -> None:
            content[:] = [require_shape(require_json(answer), ask, answer)]

        answer = self.gateway.fetch(ask.path, ask.parameters(), judge=judge)
        counts = self._counted(ask, content[0])
        self.ledger.keep_answer(
            self.run_id, number, ask.file_name(number), answer.body, attempts=answer.attempts, **counts
        )

    def _keep_list(self, number: int, ask: Ask) -> None:
        """All pages of a list; further pages get lines of their own in the ledger, once all have come."""
        pages = list(fetch_list(self.gateway, ask.path, ask.params, whole=self.whole_list, page_size=self.page_size))
        rows = [len(page.json().get(ROWS_UNDER[ask.what]) or []) for page in pages]
        for at in range(len(pages) - 1, 0, -1):
            more = Ask(ask.what, ask.path, (*ask.params, ("page", str(at + 1))))
            page_number = self.ledger.add(self.run_id, more)
            self.ledger.keep_answer(
                self.run_id,
                page_number,
                more.file_name(page_number),
                pages[at].body,
                rows=rows[at],
                attempts=pages[at].attempts,
            )
        first = pages[0] if pages else None
        body, attempts = (first.body, first.attempts) if first else (b"{}", 1)
        self.ledger.keep_answer(
            self.run_id, number, ask.file_name(number), body, rows=rows[0] if rows else 0, attempts=attempts
        )

    def _counted(self, ask: Ask, content: Any) -> dict[str, Any]:
        """Columns of the ledger that say what an answer holds."""
        if ask.what == "dataApprovals":
            self.ledger.keep_approvals(self.run_id, content)
            return {"rows": len(content)}
        if ask.what == "metadata":
            return {"rows": sum(len(part) for part in content.values() if isinstance(part, list))}
        rows = content.get(ROWS_UNDER[ask.what]) or []
        if ask.what != "dataValueSets":
            return {"rows": len(rows)}
        deleted = sum(1 for row in rows if is_true(row.get("deleted")))
        return {"rows": len(rows), "deleted": deleted, "state": self._state(ask, rows)}

    def _state(self, ask: Ask, rows: list[dict[str, Any]]) -> str:
        """REPEATED where an incremental answer holds only values that the overlap window had already."""
        if self.recent_from:
            self.ledger.add_recent(self.run_id, (fingerprint(row) for row in rows if _changed(row) >= self.recent_from))
        incremental = any(name == "lastUpdated" for name, _ in ask.params)
        if incremental and rows and {fingerprint(row) for row in rows} <= self.known_recent:
            return REPEATED
        return DONE


def require_shape(content: Any, ask: Ask, answer: Answer) -> Any:
    """The content where it looks like what was asked for; JSON of another kind (an error with status 200) is refused."""
    if ask.what == "dataApprovals":
        fine = isinstance(content, list) and all(isinstance(one, dict) and "state" in one for one in content)
    elif ask.what == "metadata":
        fine = isinstance(content, dict) and isinstance(content.get("dataElements"), list)
    else:
        rows = content.get(ROWS_UNDER[ask.what], []) if isinstance(content, dict) else None
        fine = isinstance(rows, list) and not (isinstance(content, dict) and "httpStatusCode" in content)
    if not fine:
        raise GatewayProblem("error.dhis2_other_shape", retry=True, where=answer.where, what=ask.what)
    return content


def _changed(row: dict[str, Any]) -> str:
    return str(row.get("lastUpdated") or "")[:19]


def fingerprint(row: dict[str, Any]) -> str:
    """One value and its key, as 32 letters."""
    names = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value")
    text = "\x1f".join(str(row.get(name) or "") for name in names) + (
        "\x1fdeleted" if is_true(row.get("deleted")) else ""
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def approval_summary(states: Iterable[str]) -> str:
    """How many units are in which approval state: "APPROVED_HERE 3, UNAPPROVED_READY 10"; "" where none was asked."""
    return ", ".join(f"{state} {count}" for state, count in sorted(Counter(states).items()))

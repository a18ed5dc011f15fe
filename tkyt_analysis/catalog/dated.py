"""Values that a document decides, each with the date from which it holds and its source."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tkyt_analysis.errors import InputError


@dataclass(frozen=True)
class Validity:
    """A span of days; `to` is the last valid day, None while it still holds."""

    from_: datetime.date
    to: datetime.date | None = None

    def problems(self) -> list[tuple[str, str, dict[str, Any]]]:
        if self.to and self.to < self.from_:
            return [("to", "catalog.ends_before_start", {"start": self.from_, "end": self.to})]
        return []

    def holds(self, day: datetime.date) -> bool:
        """Whether `day` lies in the span."""
        return self.from_ <= day and (self.to is None or day <= self.to)


@dataclass(frozen=True)
class DatedValue:
    """One value of a dated entry: what, by which document, how sure, until when (last day)."""

    value: Any
    reference: str
    to: datetime.date | None = None
    unverified: bool = False


def overlap_problems(values: Mapping[datetime.date, DatedValue]) -> list[tuple[str, str, dict[str, Any]]]:
    """A problem for each value that ends before it starts, or only after its successor has begun."""
    problems: list[tuple[str, str, dict[str, Any]]] = []
    starts = sorted(values)
    for start, following in zip(starts, [*starts[1:], None]):
        end = values[start].to
        if end and end < start:
            problems.append((str(start), "catalog.ends_before_start", {"start": start, "end": end}))
        if end and following and end >= following:
            problems.append((str(start), "catalog.overlapping_dates", {"end": end, "following": following}))
    return problems


def value_at(entry: str, values: Mapping[datetime.date, DatedValue], day: datetime.date) -> DatedValue:
    """The value in force on `day`; a day that no value covers is an InputError."""
    started = [start for start in values if start <= day]
    if started:
        found = values[max(started)]
        if found.to is None or day <= found.to:
            return found
    raise InputError("catalog.no_value_at", entry=entry, day=day, first=min(values) if values else "–")

"""One death certificate with its codes: four lines of Part 1, Part 2, the person, intervals, manner, pregnancy, surgery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

LINES = ("line_a", "line_b", "line_c", "line_d")
INTERVALS = ("interval_a", "interval_b", "interval_c", "interval_d")
DAYS_IN = {
    "years": 365.25, "year": 365.25, "months": 30.44, "month": 30.44, "weeks": 7.0, "week": 7.0,
    "days": 1.0, "day": 1.0, "hours": 1 / 24, "hour": 1 / 24, "minutes": 1 / 1440, "minute": 1 / 1440,
}  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """The codes of one certificate as written; the dot is optional, † and * are ignored.

    line_a … line_d, part2 : codes in the order of the text
    sex : M | F | anything else
    age_value, age_unit : unit years | months | weeks | days | hours | minutes
    manner : disease | accident | suicide | homicide | assault | undetermined | legal_intervention | war | ""
    interval_a … interval_d : from onset to death, in words ("3 ngày", "2 years")
    pregnancy : pregnant | within_42_days | 43_days_to_1_year | ""
    surgery : yes where an operation was done within four weeks before death
    """

    line_a: tuple[str, ...] = ()
    line_b: tuple[str, ...] = ()
    line_c: tuple[str, ...] = ()
    line_d: tuple[str, ...] = ()
    part2: tuple[str, ...] = ()
    id: str = ""
    sex: str = ""
    age_value: float | None = None
    age_unit: str = ""
    manner: str = ""
    interval_a: str = ""
    interval_b: str = ""
    interval_c: str = ""
    interval_d: str = ""
    pregnancy: str = ""
    surgery: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Certificate:
        """A certificate from one row of a table: codes of a line stand apart by blanks."""

        def text(name: str) -> str:
            return _text(row.get(name))

        def codes(name: str) -> tuple[str, ...]:
            return tuple(text(name).split())

        return cls(
            line_a=codes("line_a"), line_b=codes("line_b"), line_c=codes("line_c"), line_d=codes("line_d"), part2=codes("part2"),
            id=text("id"), sex=text("sex"), age_value=_number(text("age_value")), age_unit=text("age_unit"), manner=text("manner"),
            interval_a=text("interval_a"), interval_b=text("interval_b"), interval_c=text("interval_c"), interval_d=text("interval_d"),
            pregnancy=text("pregnancy"), surgery=text("surgery"),
        )  # fmt: skip

    @cached_property
    def age_days(self) -> float | None:
        """Age in days; None where it is not known."""
        per_unit = DAYS_IN.get(self.age_unit.strip().lower())
        return None if self.age_value is None or per_unit is None else self.age_value * per_unit

    @property
    def lines(self) -> tuple[tuple[str, ...], ...]:
        """Part 1, from the top line down."""
        return self.line_a, self.line_b, self.line_c, self.line_d

    @property
    def intervals(self) -> tuple[str, ...]:
        """The intervals of the lines of Part 1, in words."""
        return self.interval_a, self.interval_b, self.interval_c, self.interval_d


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


def _number(text: str) -> float | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return None if number != number else number

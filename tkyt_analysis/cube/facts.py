"""Facts: additive relations over the tables of a release that measures count and divide."""

from __future__ import annotations

from dataclasses import dataclass

SUM, LAST, AVERAGE = "sum", "last", "average"  # how amounts of several periods become one


@dataclass(frozen=True)
class Sums:
    """A release table that holds a fact summed per province: what asks for no more than these reads it instead.

    table : the release table; a release made before there was one does without
    sql : SELECT with the columns province, province_2024, period_id, scope, amount and the fact's dimensions that it keeps
        (`cause_code` for cause); facility_type and `level` where the fact has them, `modelled` where the fact has it
    dimensions : the fact's own dimensions that it keeps
    finest : the shortest period it knows
    """

    table: str
    sql: str
    dimensions: frozenset[str] = frozenset()
    finest: str = "month"


@dataclass(frozen=True)
class Fact:
    """One relation whose `amount` may be summed.

    sql : SELECT over release tables with the columns unit_id, period_id, scope, amount and the fact's own dimensions (sex,
        age_group, place_of_death, category, `cause_code` for the dimension cause); optionally `modelled` (boolean)
    sums : the same summed per province, smallest first
    dimensions : own dimensions beside places and periods
    finest : the shortest period it knows: month | quarter | half | year
    kind : kind of the periods that count ("" all): values of months and of years stand beside each other in a release
    levels : kinds of units that report it (a total of the province beside its communes would count twice); () is all
    whole : the category that holds the whole ("total" of a form, whose other columns are parts of it); "" : their sum does
    number : whether the SELECT also has the column `number`, its period_id as a number (202401): joined faster than text
    over_time : sum (a flow) | last (a stock: the last of a period stands for it) | average
    cumulative : amounts count from the first of January, so that the last of a year holds the year
    tables : release tables that it reads
    dataset, element : whose reports and findings stand behind it ("" for none)
    """

    id: str
    sql: str
    dimensions: frozenset[str] = frozenset()
    sums: tuple[Sums, ...] = ()
    finest: str = "month"
    kind: str = ""
    levels: tuple[str, ...] = ()
    whole: str = ""
    number: bool = False
    over_time: str = SUM
    cumulative: bool = False
    tables: tuple[str, ...] = ()
    dataset: str = ""
    element: str = ""


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def listed(values: object) -> str:
    """Texts as a list of SQL literals, without brackets."""
    return ", ".join(quoted(one) for one in values)  # type: ignore[attr-defined]

"""From a view to SQL: which columns stand for its dimensions, which rows it keeps, which table is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tkyt_analysis.cube.facts import Fact, quoted
from tkyt_analysis.cube.model import DIMENSIONS, GEOGRAPHIES, NATION, PERIODS, PLACES, TOTAL, UNKNOWN, Measure, View
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.cube.session import Cube

PLACE_COLUMNS = {
    "VN2025": {"region": "region", "province": "province", "commune": "commune"},
    "VN2024": {
        "region": "region_2024",
        "province": "province_2024",
        "district": "district_2024",
        "commune": "commune_2024",
    },
}
_ROLLED_UP = frozenset({"region", "province", "facility_type"})
Grouping = tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """The first and last day of a view's period; open where None."""

    first: str | None = None
    last: str | None = None


def window_of(period: str) -> Window:
    """ "" is open; "2024", "202403", "2024Q1" one period; "2023..2025" from the first day to the last."""
    from tkyt_analysis.reference.periods import period as parse

    if not period:
        return Window()
    first, _, last = period.partition("..")
    start, end = parse(first.strip()), parse((last or first).strip())
    if end.end < start.start:
        raise InputError("error.cube_period_order", period=period)
    return Window(start.start.isoformat(), end.end.isoformat())


def require_view(cube: Cube, view: View) -> list[Measure]:
    """The measures of a view, after every name in it was found right; InputError says which is not and what would be."""
    if not view.measures:
        raise InputError("error.cube_no_measure")
    if view.geography not in GEOGRAPHIES:
        raise InputError("error.cube_geography", found=view.geography, choices=", ".join(GEOGRAPHIES))
    measures = [cube.measure(one) for one in view.measures]
    for dimension in (*view.by, *(name for name, _ in view.where)):
        _require_dimension(dimension, measures, view)
    if len(set(view.by)) != len(view.by):
        raise InputError("error.cube_twice", dimensions=", ".join(view.by))
    if view.place != NATION and not cube.exists(view.place):
        raise InputError("error.cube_place", place=view.place)
    cube.release.require_place(view.place)
    window_of(view.period)
    return measures


def _require_dimension(dimension: str, measures: list[Measure], view: View) -> None:
    if dimension not in DIMENSIONS:
        from difflib import get_close_matches

        near = get_close_matches(dimension, DIMENSIONS, n=2, cutoff=0.3) or DIMENSIONS[:3]
        raise InputError("error.cube_dimension", dimension=dimension, near=", ".join(near))
    if dimension == "district" and view.geography != "VN2024":
        raise InputError("error.cube_district")
    for measure in measures:
        if dimension not in measure.dimensions:
            raise InputError(
                "error.cube_not_by",
                measure=measure.id,
                dimension=dimension,
                choices=", ".join(one for one in DIMENSIONS if one in measure.dimensions),
            )


@dataclass(frozen=True)
class Source:
    """A fact made ready for one view: a FROM clause, and the SQL expression of each dimension that it can give."""

    from_sql: str
    where_sql: str
    expressions: dict[str, str]
    modelled: bool
    moved: bool


def source_of(
    cube: Cube, fact: Fact, view: View, wanted: Sequence[str], *, ages: Sequence[str] = (), spread: bool = False
) -> Source:
    """The fact joined to what the wanted dimensions and the view's filters need.

    ages : keep these age groups only; spread : a yearly fact is spread over the months of the view (person-years), by days
    """
    columns = PLACE_COLUMNS[view.geography]
    kept = dict(view.where)
    needed = {*wanted, *kept}
    rolled = bool(fact.province_sql) and _in_province_sums(view, needed)
    base = fact.province_sql if rolled else fact.sql
    expressions = {name: f"p.{column}" for name, column in columns.items()}
    expressions |= {"facility_type": "p.facility_type", "facility": "p.facility"}
    if rolled:
        expressions = {name: text.replace("p.", "f.") for name, text in expressions.items()}
    joins = [] if rolled else ["LEFT JOIN place p ON p.unit_id = f.unit_id"]
    joins.append(_periods(cube, spread=spread))
    expressions |= {name: f"t.{name}" for name in PERIODS}
    expressions |= {name: f"f.{name}" for name in fact.dimensions if name != "cause"}
    if "cause" in fact.dimensions and "cause" in needed:
        joins.append(
            f"LEFT JOIN {cube.code_table('cause', view.cause_list, fact)} k ON k.code = coalesce(f.cause_code, '')"
        )
        expressions["cause"] = "k.item"
    where = _where(cube, fact, view, expressions, rolled=rolled, ages=ages)
    return Source(
        from_sql=f"({base}) f {' '.join(joins)}",
        where_sql=" AND ".join(where) or "true",
        expressions={name: text for name, text in expressions.items() if _offered(name, fact, spread=spread)},
        modelled=" AS modelled" in fact.sql,
        moved=not rolled and view.geography == "VN2025",
    )


def _periods(cube: Cube, *, spread: bool) -> str:
    table = cube.period_table
    if spread:  # every month of the year, weighted by its days
        months = f"(SELECT *, (last - first + 1) / (CAST(make_date(CAST(year AS INT) + 1, 1, 1) - make_date(CAST(year AS INT), 1, 1) AS DOUBLE)) AS part FROM {table} WHERE month = period_id)"
        return f"JOIN {months} t ON t.year = f.period_id"
    return f"JOIN (SELECT *, 1.0 AS part FROM {table}) t ON t.period_id = f.period_id"


def _offered(name: str, fact: Fact, *, spread: bool) -> bool:
    if name in PERIODS:
        finest = "month" if spread else fact.finest
        return PERIODS.index(name) <= PERIODS.index(finest)
    return name in PLACES or name in fact.dimensions


def _in_province_sums(view: View, needed: set[str]) -> bool:
    level = len(view.place.partition(":")[2])
    return not needed & set(PLACES) - _ROLLED_UP and (view.place == NATION or level == 2)


def _where(
    cube: Cube, fact: Fact, view: View, expressions: dict[str, str], *, rolled: bool, ages: Sequence[str]
) -> list[str]:
    window = window_of(view.period)
    found = []
    if window.first:
        found.append(f"t.first >= DATE '{window.first}'")
    if window.last:
        found.append(f"t.last <= DATE '{window.last}'")
    if fact.levels:
        level = "f.level" if rolled else "coalesce(p.level, 'other')"
        found.append(f"{level} IN ({_listed(fact.levels)})")
    if view.place != NATION:
        found.append(_inside(view.place, rolled=rolled))
    for name, members in view.where:
        if name in expressions and (name in PLACES or name in PERIODS or name in fact.dimensions):
            found.append(f"coalesce({expressions[name]}, '{UNKNOWN}') IN ({_listed(members)})")
    if ages and "age_group" in fact.dimensions:
        found.append(f"f.age_group IN ({_listed(ages)})")
    return found


def _inside(place: str, *, rolled: bool) -> str:
    """The condition that a unit lies in a place of either system."""
    system, _, code = place.partition(":")
    level = {2: "province", 3: "district", 5: "commune"}.get(len(code), "facility")
    alias = "f" if rolled else "p"
    if level == "facility" or system not in GEOGRAPHIES:
        return f"f.unit_id = {quoted(place)}"
    column = level if system == "VN2025" else f"{level}_2024"
    return f"{alias}.{column} = {quoted(place)}"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(quoted(one) for one in values)


def grouped_sql(
    source: Source, dimensions: Sequence[str], groupings: Sequence[Grouping], *, amount: str = "sum(f.amount * t.part)"
) -> str:
    """Sums of a source for every grouping: one column per dimension (TOTAL where it was added up), amount, modelled, moved."""
    columns = [f"{source.expressions[name]} AS {name}" for name in dimensions]
    moved = "coalesce(p.moved, false)" if source.moved else "false"
    modelled = "coalesce(f.modelled, false)" if source.modelled else "false"
    inner = (
        f"SELECT {', '.join([*columns, ''])} f.amount, t.part, {moved} AS is_moved, {modelled} AS is_modelled "
        f"FROM {source.from_sql} WHERE {source.where_sql}"
    )
    amount = amount.replace("f.amount", "amount").replace("t.part", "part")
    sets = ", ".join(f"({', '.join(name for name in dimensions if name in grouping)})" for grouping in groupings)
    outer = [
        f"CASE WHEN GROUPING({name}) = 1 THEN '{TOTAL}' ELSE coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') END AS {name}"
        for name in dimensions
    ]
    outer += [
        f"CAST({amount} AS DOUBLE) AS amount",
        "count(amount) AS rows_counted",
        "bool_or(is_modelled) AS modelled",
        "CAST(sum(amount * part) FILTER (WHERE is_moved) AS DOUBLE) AS moved",
    ]
    group = f" GROUP BY GROUPING SETS ({sets})" if dimensions else ""
    return f"SELECT {', '.join(outer)} FROM ({inner}){group}"

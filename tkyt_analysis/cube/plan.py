"""From a view to SQL: which columns stand for its dimensions, which rows it keeps, which table is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tkyt_analysis.cube.facts import AVERAGE, SUM, Fact, Sums, listed, quoted
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
FEW = 60  # units that a query names one by one
Grouping = tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """The first and last day of a view's period; open where None."""

    first: str | None = None
    last: str | None = None

    @property
    def whole_years(self) -> bool:
        """Whether it begins and ends with a year."""
        return (self.first or "-01-01").endswith("-01-01") and (self.last or "-12-31").endswith("-12-31")


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
    """A fact made ready for one view: a FROM clause, and the SQL expression of each dimension that it can give.

    unit : names the place that a stock belongs to: what was merged is one with what it became; "" where sums were read
    successor : whether a row is of the units of 2025
    """

    from_sql: str
    where_sql: str
    expressions: dict[str, str]
    modelled: bool
    moved: bool
    unit: str = ""
    successor: str = "true"


def source_of(
    cube: Cube,
    fact: Fact,
    view: View,
    wanted: Sequence[str],
    *,
    ages: Sequence[str] = (),
    spread: bool = False,
    sums: bool = True,
) -> Source:
    """The fact joined to what the wanted dimensions and the view's filters need.

    ages : keep these age groups only; spread : a yearly fact is spread over the months of the view (person-years), by days;
    sums : sums per province may stand for the rows (False: f.unit_id is there)
    """
    needed = {*wanted, *dict(view.where), *(("age_group",) if ages else ())}
    rolled = sums_for(cube, fact, view, needed) if sums else None
    spread = spread and not (window_of(view.period).whole_years and not needed & set(PERIODS[1:]))
    expressions = _expressions(fact, view, rolled=rolled is not None)
    joins = [] if rolled else [f"LEFT JOIN {cube.place_table} p ON p.unit_id = f.unit_id"]
    if rolled and "region" in needed:
        joins.append(f"LEFT JOIN {cube.place_table} r ON r.unit_id = {expressions['province']}")
    joins.append(_periods(cube, fact, view, spread=spread, number=fact.number and not rolled))
    if "cause" in fact.dimensions and "cause" in needed:
        codes = cube.code_table("cause", view.cause_list, fact)
        joins.append(f"LEFT JOIN {codes} k ON k.code = coalesce(f.cause_code, '')")
        expressions["cause"] = "k.item"
    where = _where(cube, fact, view, expressions, rolled=rolled is not None, ages=ages)
    return Source(
        from_sql=f"({rolled.sql if rolled else fact.sql}) f {' '.join(joins)}",
        where_sql=" AND ".join(where) or "true",
        expressions={name: text for name, text in expressions.items() if _offered(name, fact, spread=spread)},
        modelled=" AS modelled" in fact.sql,
        moved=not rolled and view.geography == "VN2025",
        unit=""
        if rolled
        else "CASE p.level WHEN 'commune' THEN p.commune WHEN 'province' THEN p.province ELSE f.unit_id END",
        successor="true" if rolled else "f.unit_id NOT LIKE 'VN2024:%'",
    )


def sums_for(cube: Cube, fact: Fact, view: View, needed: set[str]) -> Sums | None:
    """The smallest of a fact's sums per province that still holds all that is needed; None: its rows are."""
    if not cube.sees_whole(view.place) or needed & set(PLACES) - _ROLLED_UP:
        return None
    if fact.over_time != SUM or fact.cumulative:  # of each unit the last counts, whenever that was
        return None
    for one in fact.sums:
        short = needed & set(PERIODS[PERIODS.index(one.finest) + 1 :])
        aligned = one.finest != "year" or fact.finest == "year" or window_of(view.period).whole_years
        if needed & fact.dimensions <= one.dimensions and not short and aligned:
            return one
    return None


def _expressions(fact: Fact, view: View, *, rolled: bool) -> dict[str, str]:
    place = "f" if rolled else "p"
    found = {name: f"{place}.{column}" for name, column in PLACE_COLUMNS[view.geography].items()}
    if rolled:  # of its province
        found["region"] = f"r.{PLACE_COLUMNS[view.geography]['region']}"
    found |= {"facility_type": f"{place}.facility_type", "facility": f"{place}.facility"}
    found |= {name: f"t.{name}" for name in PERIODS}
    return found | {name: f"f.{name}" for name in fact.dimensions if name != "cause"}


def _periods(cube: Cube, fact: Fact, view: View, *, spread: bool, number: bool) -> str:
    """The join to the periods that count: of the fact's kind, within the view's."""
    table, window = cube.period_table, window_of(view.period)
    within = [f"first >= DATE '{window.first}'"] if window.first else []
    within += [f"last <= DATE '{window.last}'"] if window.last else []
    if spread:  # every month of the year, weighted by its days
        where = " AND ".join(["month = period_id", *within])
        days = "CAST(make_date(CAST(year AS INT) + 1, 1, 1) - make_date(CAST(year AS INT), 1, 1) AS DOUBLE)"
        return (
            f"JOIN (SELECT *, (last - first + 1) / {days} AS part FROM {table} WHERE {where}) t ON t.year = f.period_id"
        )
    where = " AND ".join([f"kind = {quoted(fact.kind)}" if fact.kind else "true", *within])
    key = "number" if number else "period_id"
    return f"JOIN (SELECT *, 1.0 AS part FROM {table} WHERE {where}) t ON t.{key} = f.{key}"


def _offered(name: str, fact: Fact, *, spread: bool) -> bool:
    if name in PERIODS:
        finest = "month" if spread else fact.finest
        return PERIODS.index(name) <= PERIODS.index(finest)
    return name in PLACES or name in fact.dimensions


def _where(
    cube: Cube, fact: Fact, view: View, expressions: dict[str, str], *, rolled: bool, ages: Sequence[str]
) -> list[str]:
    found = []
    if fact.levels:
        level = "f.level" if rolled else "coalesce(p.level, 'other')"
        found.append(f"{level} IN ({listed(fact.levels)})")
    if view.place != NATION:
        found += _inside(cube, view.place, rolled=rolled)
    for name, members in view.where:
        if name in expressions and (name in PLACES or name in PERIODS or name in fact.dimensions):
            found.append(f"coalesce(CAST({expressions[name]} AS VARCHAR), '{UNKNOWN}') IN ({listed(members)})")
    if ages and "age_group" in fact.dimensions:
        found.append(f"f.age_group IN ({listed(ages)})")
    return found


def _inside(cube: Cube, place: str, *, rolled: bool) -> list[str]:
    """The conditions that a unit lies in a place of either system; the partition of its province is enough to read."""
    column = column_of(place)
    if rolled:
        return [f"f.{column} = {quoted(place)}", f"f.scope IN ({listed(cube.partitions(place))})"]
    found = [f"f.scope IN ({listed(cube.partitions(place))})"]
    units = cube.units_of(place)
    if len(units) <= FEW:
        return [*found, f"f.unit_id IN ({listed(units)})"]
    return [*found, f"p.{column} = {quoted(place)}"]


def column_of(place: str) -> str:
    """The column of `place` that says whether a unit lies in a place."""
    system, _, code = place.partition(":")
    level = {2: "province", 3: "district", 5: "commune"}.get(len(code), "")
    if not level or system not in GEOGRAPHIES:
        return "unit_id"
    return level if system == "VN2025" else f"{level}_2024"


def grouped_sql(
    source: Source,
    dimensions: Sequence[str],
    groupings: Sequence[Grouping],
    *,
    fact: Fact | None = None,
    years: bool = False,
) -> str:
    """Sums of a source for every grouping: one column per dimension (TOTAL where it was added up), amount, rows_counted,
    modelled, moved.

    fact : its stock or cumulative amounts are not added up over time; years : a column `years`, the years of each cell
    """
    if fact is not None and (fact.over_time != SUM or fact.cumulative):
        return " UNION ALL ".join(_stock_sql(source, dimensions, grouping, fact) for grouping in groupings)
    columns = [f"{source.expressions[name]} AS {name}" for name in dimensions]
    inner = (
        f"SELECT {', '.join([*columns, ''])}{_marked(source)}, f.amount * t.part AS amount, t.year AS year_of "
        f"FROM {source.from_sql} WHERE {source.where_sql}"
    )
    sets = ", ".join(f"({', '.join(name for name in dimensions if name in grouping)})" for grouping in groupings)
    outer = [
        f"CASE WHEN GROUPING({name}) = 1 THEN '{TOTAL}' ELSE coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') END AS {name}"
        for name in dimensions
    ]
    counted = [*_COUNTED, "count(DISTINCT year_of) AS years"] if years else _COUNTED
    group = f" GROUP BY GROUPING SETS ({sets})" if dimensions else ""
    return f"SELECT {', '.join([*outer, *counted])} FROM ({inner}){group}"


def _marked(source: Source) -> str:
    moved = "coalesce(p.moved, false)" if source.moved else "false"
    modelled = "coalesce(f.modelled, false)" if source.modelled else "false"
    return f"{moved} AS is_moved, {modelled} AS is_modelled"


def _stock_sql(source: Source, dimensions: Sequence[str], grouping: Grouping, fact: Fact) -> str:
    """One grouping of amounts that are not added up over time: within each cell the last (or mean) amount of every place,
    then their sum. A place of 2025 that has reported replaces the communes that went into it."""
    columns = [f"coalesce(CAST({source.expressions[name]} AS VARCHAR), '{UNKNOWN}') AS {name}" for name in dimensions]
    own = [f"f.{name} AS own_{name}" for name in sorted(fact.dimensions - {"cause"})]
    part = [name for name in dimensions if name in grouping]
    of_place = [
        *part,
        *(f"own_{name}" for name in sorted(fact.dimensions - {"cause"})),
        "place_of",
        *(["year_of"] if fact.cumulative else []),
    ]
    inner = (
        f"SELECT {', '.join([*columns, *own, ''])}{_marked(source)}, f.amount AS amount, t.year AS year_of, t.last AS day, "
        f"f.unit_id AS unit, {source.unit} AS place_of, {source.successor} AS is_new FROM {source.from_sql} WHERE {source.where_sql}"
    )
    keys = ", ".join(of_place)
    if fact.over_time == AVERAGE:
        each = (
            f"SELECT {keys}, avg(amount) AS amount, bool_or(is_moved) AS is_moved, bool_or(is_modelled) AS is_modelled FROM ("
            f"SELECT {keys}, day, sum(amount) AS amount, bool_or(is_moved) AS is_moved, bool_or(is_modelled) AS is_modelled "
            f"FROM ({inner}) WHERE amount IS NOT NULL GROUP BY {keys}, day) GROUP BY {keys}"
        )
    else:
        each = (
            f"SELECT * FROM ({inner}) WHERE amount IS NOT NULL QUALIFY row_number() OVER (PARTITION BY {keys}, unit ORDER BY day DESC) = 1 "
            f"AND is_new = max(is_new) OVER (PARTITION BY {keys})"
        )
    outer = [f"{name}" if name in grouping else f"'{TOTAL}' AS {name}" for name in dimensions]
    group = f" GROUP BY {', '.join(part)}" if part else ""
    return f"SELECT {', '.join([*outer, *_COUNTED])} FROM ({each}){group}"


_COUNTED = [
    "CAST(sum(amount) AS DOUBLE) AS amount",
    "count(amount) AS rows_counted",
    "bool_or(is_modelled) AS modelled",
    "CAST(sum(amount) FILTER (WHERE is_moved) AS DOUBLE) AS moved",
]

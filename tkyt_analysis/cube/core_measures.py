"""Measures of the core: reported elements, ratios that data sets and forms define, and reporting rates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tkyt_analysis.catalog.entries import Indicator, Text
from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.cube.facts import SUM, Fact, Sums, listed, quoted
from tkyt_analysis.cube.model import PERIODS, PLACES, Measure
from tkyt_analysis.cube.profile import KIND_OF_ID, KINDS, profile
from tkyt_analysis.cube.session import cube_of
from tkyt_analysis.cube.wording import element_wording, form_rows, form_title
from tkyt_analysis.labels import all_labels

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

REPORTING, ON_TIME = "reporting_rate", "on_time_rate"
FORM_RATIO = "form_ratio"
WHOLE = "total"  # id of the column of a form that holds the whole of a row


def text_of(key: str, **fields: Text | str) -> Text:
    """A label in both languages; a field may itself be a text in both."""
    texts = all_labels()[key]
    both = {
        language: texts[language].format(
            **{name: one[language] if isinstance(one, Text) else one for name, one in fields.items()}
        )
        for language in ("vi", "en")
    }
    return Text(**both)


def core_measures(release: Release) -> Iterable[Measure]:
    """Every element, ratio and reporting rate that the release holds values of."""
    if {"province_value", "data_set"} <= set(release.tables()):
        names = data_set_names(release)
        yield from _elements(release, names)
        yield from _form_ratios(release)
        yield from _programme_ratios(release, names)
        yield from _reporting_rates(release, names)


def data_set_names(release: Release) -> dict[str, Text]:
    """{data set: its name}; the catalog's title where it has one, else the name received."""
    entries = load_entries("datasets")
    received = release.query("SELECT dataset_id, any_value(name) AS name FROM data_set GROUP BY 1")
    names = {row.dataset_id: Text(row.name, row.name) for row in received.itertuples(index=False)}
    forms = {one: title for one in load_entries("forms") if (title := form_title(one))}
    return {**forms, **names, **{one.id: one.title for one in entries.values()}}


def _elements(release: Release, names: dict[str, Text]) -> Iterable[Measure]:
    received = release.query(
        "SELECT dataset_id, element_id, any_value(name) AS name FROM data_element GROUP BY ALL"
    ).set_index(["dataset_id", "element_id"])["name"]
    for row in profile(release).itertuples(index=False):
        words = element_wording(row.dataset_id, row.element_id, received.get((row.dataset_id, row.element_id)))
        own = {"category"} if row.categories > 1 else set()
        yield Measure(
            id=f"{row.dataset_id}/{_short(row.dataset_id, row.element_id)}",
            title=words.title,
            unit=words.unit or text_of("cube.unit.count"),
            group=row.dataset_id,
            group_title=names.get(row.dataset_id, Text(row.dataset_id, row.dataset_id)),
            method="count",
            numerator=f"element:{row.dataset_id}:{row.element_id}",
            dimensions=_dimensions(own, KINDS[row.kind], row.level),
            source=row.dataset_id,
            dataset=row.dataset_id,
            options={"kind": row.kind, "level": row.level, "others": int(row.others), "over_time": words.over_time},
        )


def _short(dataset_id: str, element_id: str) -> str:
    """An element id without the data set's own prefix ("maternal_child_health/live_births" is "live_births")."""
    return element_id.removeprefix(f"{dataset_id}/")


def _dimensions(own: set[str], finest: str, level: str) -> frozenset[str]:
    places = {
        "nation": (),
        "province": ("region", "province"),
        "other": ("region", "province"),
        "district": ("region", "province", "district"),
        "facility": PLACES,
    }.get(level, tuple(name for name in PLACES if name not in ("facility", "facility_type")))
    order = {"month": PERIODS, "quarter": PERIODS[:3], "half": PERIODS[:2], "year": PERIODS[:1]}
    return frozenset({*own, *places, *order[finest]})


def _programme_ratios(release: Release, names: dict[str, Text]) -> Iterable[Measure]:
    if not release.has("programme_indicator"):
        return
    kinds = release.query(
        f"""SELECT dataset_id, indicator_id, min({KIND_OF_ID}) AS kind
        FROM (SELECT DISTINCT dataset_id, indicator_id, period_id FROM programme_indicator) GROUP BY ALL"""
    )
    entries = load_entries("datasets")
    for row in kinds.itertuples(index=False):
        entry = entries.get(row.dataset_id)
        found = [one for one in entry.indicators if one.id == row.indicator_id] if entry else []
        for one in found:
            fact = f"programme:{row.dataset_id}:{row.indicator_id}"
            yield Measure(
                id=f"{row.dataset_id}/{row.indicator_id}",
                title=one.title,
                unit=one.unit,
                group=row.dataset_id,
                group_title=names[row.dataset_id],
                method="ratio",
                numerator=f"{fact}:numerator",
                denominator=f"{fact}:denominator",
                dimensions=_dimensions(set(), KINDS.get(row.kind, "year"), entry.reported_by if entry else ""),
                per=one.per,
                decimals=1,
                definition=Text(f"{one.numerator} / {one.denominator}", f"{one.numerator} / {one.denominator}"),
                source=row.dataset_id,
                dataset=row.dataset_id,
            )


def _form_ratios(release: Release) -> Iterable[Measure]:
    """Ratios of the catalog between cells of forms, where the release holds their cells."""
    held = profile(release).set_index("element_id")
    for entry in load_entries("indicators").values():
        cells = [cell for formula in (entry.numerator, entry.denominator) for cell in _cells(formula)]
        if entry.method == FORM_RATIO and cells and set(cells) <= set(held.index):
            yield indicator_measure(
                entry,
                method="ratio",
                numerator=f"cells:{entry.numerator}",
                denominator="" if entry.denominator == "1" else f"cells:{entry.denominator}",
                dimensions=_dimensions(set(), KINDS[held.loc[cells, "kind"].iloc[0]], held.loc[cells, "level"].iloc[0]),
                dataset=str(held.loc[cells, "dataset_id"].iloc[0]),
                group=text_of("cube.group.targets"),
                group_id="targets",
            )


def _cells(formula: str) -> list[str]:
    return [] if formula == "1" else [part.strip() for part in formula.split("+")]


def indicator_measure(
    entry: Indicator, *, method: str, numerator: str, denominator: str, dimensions: frozenset[str], group: Text,
    group_id: str, dataset: str = "", options: dict | None = None,
) -> Measure:  # fmt: skip
    """The measure of an indicator of the catalog."""
    latest = entry.sources[max(entry.sources)]
    return Measure(
        id=entry.id,
        title=entry.title,
        unit=entry.unit,
        group=group_id,
        group_title=group,
        method=method,
        numerator=numerator,
        denominator=denominator,
        dimensions=dimensions,
        per=entry.per,
        decimals=entry.decimals,
        definition=entry.definition,
        source=latest.reference,
        unverified=latest.unverified,
        higher_is=entry.higher_is,
        dataset=dataset,
        options=options or {},
    )


def _reporting_rates(release: Release, names: dict[str, Text]) -> Iterable[Measure]:
    """Of every data set with expected reporters: the share of the reports due that came, and that came in time."""
    if not release.has("reporting"):
        return
    table = "province_report" if cube_of(release).any_sums else "reporting"
    periods = f"SELECT DISTINCT dataset_id, period_id FROM {table}"
    kinds = release.query(f"SELECT dataset_id, min({KIND_OF_ID}) AS kind FROM ({periods}) GROUP BY 1 ORDER BY 1")
    for row in kinds.itertuples(index=False):
        yield _share_of_due(row.dataset_id, row.kind, names, REPORTING, f"report:{row.dataset_id}:received")
    for row in kinds[kinds["dataset_id"].isin(_with_deadlines(release))].itertuples(index=False):
        yield _share_of_due(row.dataset_id, row.kind, names, ON_TIME, f"{ON_TIME}:{row.dataset_id}")


def _with_deadlines(release: Release) -> set[str]:
    if not release.has("submission"):
        return set()
    return set(release.query("SELECT DISTINCT dataset_id FROM submission WHERE due IS NOT NULL")["dataset_id"])


def _share_of_due(dataset_id: str, kind: str, names: dict[str, Text], what: str, numerator: str) -> Measure:
    return Measure(
        id=f"{dataset_id}:{what}",
        title=text_of(f"cube.{what}", dataset=names.get(dataset_id, Text(dataset_id, dataset_id))),
        unit=Text("%", "%"),
        group="reporting",
        group_title=text_of("cube.group.reporting"),
        method="ratio",
        numerator=numerator,
        denominator=f"report:{dataset_id}:expected",
        dimensions=_dimensions(set(), KINDS.get(kind, "year"), "facility"),
        per=100.0,
        decimals=1,
        definition=text_of(f"cube.{what}.definition"),
        source="reporting" if what == REPORTING else "submission",
        higher_is="better",
        dataset=dataset_id,
        options={"absent_is_zero": True},
    )


def core_fact(fact_id: str, release: Release) -> Fact | None:
    """The fact behind an id that `core_measures` gave; None where it is another module's."""
    kind, _, rest = fact_id.partition(":")
    if kind == "element":
        dataset_id, _, element_id = rest.partition(":")
        return _element_fact(release, fact_id, dataset_id, [element_id])
    if kind == "cells":
        cells = _cells(rest)
        held = profile(release).set_index("element_id")
        return _element_fact(release, fact_id, str(held.loc[cells[0], "dataset_id"]), cells)
    if kind == "programme":
        dataset_id, indicator_id, column = rest.split(":")
        return _programme_fact(fact_id, dataset_id, indicator_id, column)
    if kind == "report":
        dataset_id, _, column = rest.rpartition(":")
        return _report_fact(fact_id, dataset_id, column)
    if kind == ON_TIME:
        return Fact(
            id=fact_id,
            sql=f"SELECT unit_id, period_id, scope, 1 AS amount FROM submission WHERE dataset_id = {quoted(rest)} AND days_late <= 0",
            tables=("submission",),
            dataset=rest,
        )
    return None


def _element_fact(release: Release, fact_id: str, dataset_id: str, elements: list[str]) -> Fact:
    held = profile(release)
    row = held[(held["dataset_id"] == dataset_id) & held["element_id"].isin(elements)].iloc[0]
    where = f"dataset_id = {quoted(dataset_id)} AND element_id IN ({listed(elements)})"
    sums = f"""
        SELECT province, province_2024, facility_type, level, period_id, scope, category_id AS category, value AS amount
        FROM province_value WHERE {where}
    """
    return Fact(
        id=fact_id,
        sql=f"SELECT unit_id, period_id, scope, category_id AS category, value AS amount FROM aggregate_value WHERE {where}",
        sums=(Sums("province_value", sums, frozenset({"category"}), KINDS[row.kind]),),
        dimensions=frozenset({"category"}),
        finest=KINDS[row.kind],
        kind=row.kind,
        levels=(row.level,),
        whole=WHOLE if row.categories > 1 and elements[0] in form_rows(dataset_id) else "",
        over_time=_over_time(dataset_id, elements),
        cumulative=row.kind == "cumulative",
        tables=("aggregate_value", "province_value"),
        dataset=dataset_id,
        element=elements[0] if len(elements) == 1 else "",
    )


def _over_time(dataset_id: str, elements: Iterable[str]) -> str:
    """How amounts of several periods become one: as the catalog says of all these elements, else their sum."""
    kinds = {element_wording(dataset_id, one).over_time for one in elements}
    return kinds.pop() if len(kinds) == 1 else SUM


def _programme_fact(fact_id: str, dataset_id: str, indicator_id: str, column: str) -> Fact:
    where = f"dataset_id = {quoted(dataset_id)} AND indicator_id = {quoted(indicator_id)} AND status = 'ok'"
    if not re.fullmatch("numerator|denominator", column):
        raise ValueError(column)
    return Fact(
        id=fact_id,
        sql=f"SELECT unit_id, period_id, scope, {column} AS amount FROM programme_indicator WHERE {where}",
        over_time=_over_time(
            dataset_id, [f"{dataset_id}/{name}" for name in _columns_of(dataset_id, indicator_id, column)]
        ),
        tables=("programme_indicator",),
        dataset=dataset_id,
    )


def _columns_of(dataset_id: str, indicator_id: str, part: str) -> list[str]:
    """The columns that the numerator or denominator of a data set's ratio names."""
    entry = load_entries("datasets").get(dataset_id)
    found = [one for one in entry.indicators if one.id == indicator_id] if entry else []
    return [name for one in found for name in names_in(getattr(one, part))]


def _report_fact(fact_id: str, dataset_id: str, column: str) -> Fact:
    where = f"dataset_id = {quoted(dataset_id)}"
    sums = f"SELECT province, province_2024, facility_type, period_id, scope, {column} AS amount FROM province_report WHERE {where}"
    return Fact(
        id=fact_id,
        sql=f"SELECT unit_id, period_id, scope, CAST({column} AS INT) AS amount FROM reporting WHERE {where}",
        sums=(Sums("province_report", sums),),
        tables=("reporting", "province_report"),
        dataset=dataset_id,
    )

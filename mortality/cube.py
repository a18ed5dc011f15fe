"""Deaths, their causes and their rates as measures of the cube."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList, load_cause_list
from mortality.tabulation.definitions import load_definition
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.cube.core_measures import indicator_measure, text_of
from tkyt_analysis.cube.facts import Fact, Sums
from tkyt_analysis.cube.model import PERIODS, Measure

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.warehouse.release import Release

PLACES = ("region", "province", "district", "commune")
OF_DEATHS = frozenset({*PLACES, *PERIODS, "sex", "age_group", "cause", "place_of_death"})
OF_RATES = OF_DEATHS - {"place_of_death"}
LEVEL_ORDER = ("commune", "district", "province", "region")

DEATHS = Fact(
    id="deaths",
    sql="""
        SELECT unit_id, CAST(year * 100 + month AS VARCHAR) AS period_id, year * 100 + month AS number, scope, sex, age_group,
               place_of_death, underlying_cause AS cause_code, 1 AS amount
        FROM death WHERE coalesce(excluded, '') = '' AND year IS NOT NULL AND month IS NOT NULL
    """,
    sums=(
        Sums(
            "province_death",
            "SELECT province, province_2024, period_id, scope, sex, age_group, place_of_death, deaths AS amount FROM province_death",
            frozenset({"sex", "age_group", "place_of_death"}),
        ),
        Sums(
            "province_death_cause",
            "SELECT province, province_2024, period_id, scope, sex, age_group, cause_code, deaths AS amount FROM province_death_cause",
            frozenset({"sex", "age_group", "cause"}),
            finest="year",
        ),
    ),
    dimensions=frozenset({"sex", "age_group", "place_of_death", "cause"}),
    number=True,
    tables=("death", "province_death", "province_death_cause"),
    dataset="death",
)
PERSONS = Fact(
    id="registered_population",
    sql="""
        SELECT unit_id, CAST(year AS VARCHAR) AS period_id, scope, sex, age_group, persons AS amount, status = 'modelled' AS modelled
        FROM registered_population
    """,
    sums=(
        Sums(
            "province_person",
            """
            SELECT province, province_2024, period_id, scope, sex, age_group, persons AS amount, status = 'modelled' AS modelled
            FROM province_person
            """,
            frozenset({"sex", "age_group"}),
            finest="year",
        ),
    ),
    dimensions=frozenset({"sex", "age_group"}),
    finest="year",
    tables=("registered_population", "province_person"),
)
_COMPLETE_BIRTHS = "SELECT unit_id AS birth_unit, year AS birth_year FROM registered_birth WHERE complete"
BIRTHS = Fact(
    id="registered_birth",
    sql="""
        SELECT unit_id, CAST(year AS VARCHAR) AS period_id, scope, live_births AS amount FROM registered_birth WHERE complete
    """,
    finest="year",
    tables=("registered_birth",),
)
DEATHS_OVER_BIRTHS = Fact(  # of the communes and years whose births are known, so that both stand on the same places
    id="deaths_over_births",
    sql=f"""
        SELECT unit_id, CAST(year * 100 + month AS VARCHAR) AS period_id, year * 100 + month AS number, scope, sex, age_group,
               place_of_death, underlying_cause AS cause_code, 1 AS amount
        FROM death JOIN ({_COMPLETE_BIRTHS}) ON birth_unit = unit_2025 AND birth_year = year
        WHERE coalesce(excluded, '') = '' AND year IS NOT NULL AND month IS NOT NULL
    """,
    dimensions=frozenset({"sex", "age_group", "place_of_death", "cause"}),
    number=True,
    tables=("death", "registered_birth"),
    dataset="death",
)
NOTICES = "facility_notices"


def _notice_fact(kind: str, column: str, fact_id: str) -> Fact:
    """Facility deaths (or those notified) per province, of the months in which notices of the kind were received at all."""
    return Fact(
        id=fact_id,
        sql=f"""
            SELECT unit_id, period_id, scope, {column} AS amount FROM facility_notice
            WHERE kind = 'province' AND length(period_id) = 6 AND {kind}_status = 'ok'
        """,
        tables=("facility_notice",),
        dataset="death",
    )


NOTICE_FACTS = tuple(
    _notice_fact(kind, column, fact_id)
    for kind in ("notified", "synchronised")
    for column, fact_id in ((kind, f"facility_notice/{kind}"), ("facility_deaths", f"facility_notice/{kind}/deaths"))
)
FACTS = {fact.id: fact for fact in (DEATHS, PERSONS, BIRTHS, DEATHS_OVER_BIRTHS, *NOTICE_FACTS)}


def mortality_measures(release: Release) -> Iterable[Measure]:
    """Deaths, the population of the communes that keep a register, and every mortality indicator of the catalog."""
    group = text_of("cube.group.mortality")
    if release.has("death"):
        yield Measure(
            id="deaths", title=text_of("cube.deaths"), unit=text_of("cube.unit.deaths"), group="mortality", group_title=group,
            method="count", numerator=DEATHS.id, dimensions=OF_DEATHS, definition=text_of("cube.deaths.definition"),
            source="death", dataset="death", options={"absent_is_zero": True},
        )  # fmt: skip
    if release.has("registered_population"):
        yield Measure(
            id="population", title=text_of("cube.population"), unit=text_of("cube.unit.persons"), group="population",
            group_title=text_of("cube.group.population"), method="average", numerator=PERSONS.id,
            dimensions=frozenset({*PLACES, "year", "sex", "age_group"}), definition=text_of("cube.population.definition"),
            source="registered_population",
        )  # fmt: skip
    if release.has("death") and release.has("registered_population"):
        from mortality.cube_indicators import mortality_indicators

        yield from mortality_indicators(
            group, births=release.has("registered_birth"), figures=release.has("indicator_value")
        )
    if release.has("facility_notice"):
        for entry in load_entries("indicators").values():
            if entry.method == NOTICES:
                yield indicator_measure(
                    entry, method="proportion", numerator=entry.numerator, denominator=entry.denominator,
                    dimensions=frozenset({"region", "province", *PERIODS}), group=group, group_id="mortality",
                    dataset="death", options={"minimum_level": entry.minimum_level},
                )  # fmt: skip


def mortality_fact(fact_id: str, release: Release) -> Fact | None:
    """The module's facts by id."""
    return FACTS.get(fact_id)


def cause_items(list_id: str, codes: pd.Series) -> pd.Series:
    """The item of a cause list of each code ("gap" for a code that no item takes, "unknown" where there is none).

    "<definition>/<measure>" is a list too: the parts of one measure of a cause definition.
    """
    return _list_of(list_id).item_of(codes)


def _list_of(list_id: str) -> CauseList:
    definition, _, measure = list_id.partition("/")
    return load_definition(definition).measures[measure] if measure else load_cause_list(list_id)


def cause_names(list_id: str) -> dict[str, Text]:
    """{item: its name} in the order of the list, with the gaps last."""
    items = _list_of(list_id).items
    names = {row.item: Text(row.label_vi, row.label_en) for row in items[~items["heading"]].itertuples(index=False)}
    return {**names, GAP: text_of("cube.cause.gap"), UNKNOWN: text_of("cube.cause.unknown")}

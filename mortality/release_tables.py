"""The module's release tables: deaths without identifiers, causes by age and sex, and the mortality indicators.

One geography through time: figures stand on the units of 2025 and on the nation. Deaths and population of the
old communes are moved there; provinces exactly, communes with a split one going to its default target.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pandas as pd

from mortality.persons_release.of_records import deaths_sql
from tkyt_analysis.cube.release_tables import SCOPE_OF_PLACE, offer_places
from tkyt_analysis.warehouse.release import NATION, ReleaseContext
from tkyt_analysis.warehouse.replaced import replaced_files_sql

UNCODABLE = "uncodable"
HIV = ("B20", "B21", "B22", "B23", "B24")
AGE_BANDS = ("0", "1-4", *(f"{low}-{low + 4}" for low in range(5, 85, 5)), "85+")
DUPLICATE, NO_DATE, FUTURE, REFERENCE = "duplicate", "no_date", "future_date", "reference_source"
STILLBIRTH, FETAL_DEATH = "stillbirth", "P95"  # a fetal death is no death of a person
# place and time first: rows of a release lie in the order of their columns, so that a question about a commune reads few of them
DEATH_COLUMNS = [
    "unit_id", "unit_2025", "year", "month", "sex", "age_group", "underlying_cause", "place_of_death", "source", "decision",
    "excluded", "death_id",
]  # fmt: skip
REPLACED = "replaced"  # its file was replaced by a mended one, or the record by a corrected one
BOOK, ALL_LISTS = "book", "all_lists"
# One source counts in all figures of a release: the first of these that holds a death. The same person stands in several
# (book, civil register, hospital, interview), so they are never added up; linking them is a step of its own.
SOURCES = ("a6", "certificate", "civil_registration", "death_notice", "verbal_autopsy")

# One figure per commune, year, sex and age: of a file sent again the last received, and never two series in one year.
COMMUNE_POPULATION = """
    SELECT p.unit_id, p.year, p.sex, p.age_group, p.persons, p.status, p.series, f.file_name, p.sheet, p.row_number
    FROM lake.population p JOIN lake.received_file f USING (file_sha256)
    WHERE p.unit_id LIKE 'VN20__:_____' AND p.sex IN ('male', 'female') AND p.age_group <> 'total'
    QUALIFY row_number() OVER (
        PARTITION BY p.unit_id, p.year, p.sex, p.age_group, p.series
        ORDER BY f.received_at DESC, f.file_name DESC, p.row_number DESC) = 1
    AND p.series = first_value(p.series) OVER (
        PARTITION BY p.unit_id, p.year ORDER BY f.received_at DESC, f.file_name DESC, p.row_number DESC)
"""


def analysed_deaths(context: ReleaseContext) -> pd.DataFrame:
    """Deaths with year, month, age group, the unit of 2025 and what excludes a record ("" where nothing does)."""
    if "deaths" not in context.made:
        from tkyt_analysis.reference.ages import age_group

        rows = context.query(deaths_sql(context.warehouse, replaced_files_sql(context.warehouse)))
        date = pd.to_datetime(rows["death_date"])
        excluded = pd.Series("", index=rows.index, dtype="str").mask(
            date.isna() & (rows["source"] != "certificate"), NO_DATE
        )
        excluded = excluded.mask(date > pd.to_datetime(rows["received_at"]), FUTURE)
        excluded = excluded.mask(rows["underlying_cause"].str.startswith(FETAL_DEATH), STILLBIRTH)
        excluded = excluded.mask(rows["again"].astype(bool), DUPLICATE)
        excluded = excluded.mask(rows["replaced"].astype(bool), REPLACED)
        context.made["deaths"] = rows.assign(
            year=date.dt.year.astype("Int64"),
            month=date.dt.month.astype("Int64"),
            age_group=age_group(rows["age_years"], AGE_BANDS),
            unit_2025=on_units_of_2025(rows["unit_id"]),
            excluded=excluded.mask(other_lists(rows, excluded, basis_of_figures(rows["received_at"])), REFERENCE),
        )
    return context.made["deaths"]


def counted_source(sources: pd.Series) -> str:
    """The one source whose records are counted: the first of SOURCES that is there, else the first by name; "" of none."""
    present = set(sources.dropna())
    return next((source for source in SOURCES if source in present), min(present, default=""))


def other_lists(rows: pd.DataFrame, excluded: pd.Series, basis: str) -> pd.Series:
    """Whether each record stands on a list that does not count: any but the counted source ("book"), or, where all lists count
    ("all_lists"), any but the person's first list with a record that nothing else excludes."""
    if basis == BOOK:
        return rows["source"] != counted_source(rows["source"])
    order = {source: place for place, source in enumerate(SOURCES)}
    rank = rows["source"].map(order).fillna(len(SOURCES))
    best = (rank + 100 * (excluded != "")).groupby(rows["person_id"]).transform("min") % 100
    return rank != best


def basis_of_figures(received_at: pd.Series) -> str:
    """What the figures count, as the catalog says at the day of the last file: "book" or "all_lists" (threshold `death_basis`)."""
    from tkyt_analysis.catalog import load_entry

    day = str(received_at.dropna().max())[:10] if received_at.notna().any() else "2026-01-01"
    return str(load_entry("thresholds", "death_basis").at(datetime.date.fromisoformat(day)))


def on_units_of_2025(unit_ids: pd.Series) -> pd.Series:
    """The unit of 2025 of each unit: an old commune's default target, else the unit itself."""
    from tkyt_analysis.reference.geography import crosswalk

    links = crosswalk()
    default = links[links["is_default"]].drop_duplicates("old_unit_id").set_index("old_unit_id")["new_unit_id"]
    return unit_ids.map(default).fillna(unit_ids)


def death(context: ReleaseContext) -> pd.DataFrame:
    """One row per registered death: no name, no exact date, no wording.

    A death of HIV looks like one whose cause could not be coded: a mark of its own would disclose it.
    """
    rows = analysed_deaths(context)
    withheld = of_hiv(rows)
    released = rows.assign(
        underlying_cause=rows["underlying_cause"].mask(withheld, ""),
        decision=rows["decision"].mask(withheld, UNCODABLE),
    )
    return context.add_scope(released[DEATH_COLUMNS])


def province_death(context: ReleaseContext) -> pd.DataFrame:
    """Counted deaths per province, month, sex, age group and place of death."""
    return _rolled_up(context, province_death_sql)


def province_death_cause(context: ReleaseContext) -> pd.DataFrame:
    """Counted deaths per province, year, sex, age group and code of the underlying cause."""
    return _rolled_up(context, province_death_cause_sql)


def _rolled_up(context: ReleaseContext, sql: Callable[[str], str]) -> pd.DataFrame:
    offer_places(context)
    context.warehouse.con.register("death_rows", death(context))
    return context.query(sql("death_rows"))


_COUNTED = "coalesce(d.excluded, '') = '' AND d.year IS NOT NULL AND d.month IS NOT NULL"


def province_death_sql(deaths: str) -> str:
    """The counts of `province_death` over a relation of deaths (`death`); needs the relation place_of_unit."""
    return f"""
        SELECT CAST(d.year * 100 + d.month AS VARCHAR) AS period_id, p.province, p.province_2024, d.sex, d.age_group,
               d.place_of_death, count(*) AS deaths, {SCOPE_OF_PLACE} AS scope
        FROM {deaths} d LEFT JOIN place_of_unit p USING (unit_id) WHERE {_COUNTED} GROUP BY ALL
    """


def province_death_cause_sql(deaths: str) -> str:
    """The counts of `province_death_cause` over a relation of deaths; needs the relation place_of_unit."""
    return f"""
        SELECT CAST(d.year AS VARCHAR) AS period_id, p.province, p.province_2024, d.sex, d.age_group,
               d.underlying_cause AS cause_code, count(*) AS deaths, {SCOPE_OF_PLACE} AS scope
        FROM {deaths} d LEFT JOIN place_of_unit p USING (unit_id) WHERE {_COUNTED} GROUP BY ALL
    """


def of_hiv(rows: pd.DataFrame) -> pd.Series:
    """Whether a record, or another record of the same person, was coded to HIV: one list must not say what another withholds."""
    own = rows["underlying_cause"].str[:3].isin(HIV)
    return own | rows["person_id"].isin(rows.loc[own, "person_id"])


def death_flow(context: ReleaseContext) -> pd.DataFrame:
    """How many records were received, excluded and why, and analysed; by scope."""
    rows = analysed_deaths(context)
    rows = context.add_scope(rows.assign(decision=rows["decision"].mask(of_hiv(rows), UNCODABLE)))
    return (
        rows.groupby(["scope", "source", "excluded", "decision"], as_index=False, dropna=False)
        .size()
        .rename(columns={"size": "deaths"})
    )


def deaths_by_cause(context: ReleaseContext) -> pd.DataFrame:
    """Deaths by chapter of ICD-10, sex, age group and year per present-day province, with the gaps of the list."""
    from mortality.tabulation.cause_lists import load_cause_list
    from mortality.tabulation.tables import tabulate_deaths

    rows = context.add_scope(analysed_deaths(context))
    counted = rows[rows["excluded"] == ""]
    if counted.empty:
        return pd.DataFrame(columns=["scope", "year", "sex", "age_group", "item", "deaths"]).astype("str")
    by = ["scope", "year", "sex", "age_group"]
    counted = counted.assign(
        year=counted["year"].astype("str").replace("<NA>", ""), age_group=counted["age_group"].fillna("unknown")
    )
    return tabulate_deaths(counted, load_cause_list("icd10_chapters"), by)


def indicator_value(context: ReleaseContext) -> pd.DataFrame:
    """Every mortality indicator of the catalog for communes and provinces of 2025 and the nation, by year and sex."""
    from mortality.measure_release import indicator_values

    return context.add_scope(indicator_values(context))


def population_of_registers(context: ReleaseContext) -> pd.DataFrame:
    """Population by sex and age of the communes whose registers were received, on the units of 2025.

    Sums of communes, so that a province's denominator covers the same communes as its deaths. Columns unit_id, year,
    sex, age_group, persons, status, series.
    """
    rows = context.query(COMMUNE_POPULATION)
    communes = communes_of_registers(context)
    moved = one_population_per_commune(rows)
    return summed_population(moved[moved["unit_id"].isin(communes)])


def registered_population(context: ReleaseContext) -> pd.DataFrame:
    """The denominator of every rate of registered deaths: `population_of_registers`, as it is used."""
    return context.add_scope(population_of_registers(context))


def province_person(context: ReleaseContext) -> pd.DataFrame:
    """`registered_population` summed per province, year, sex and age group."""
    offer_places(context)
    context.warehouse.con.register("person_rows", registered_population(context))
    return context.query(province_person_sql("person_rows"))


def province_person_sql(persons: str) -> str:
    """The sums of `province_person` over a relation of persons; needs the relation place_of_unit."""
    return f"""
        SELECT CAST(n.year AS VARCHAR) AS period_id, p.province, p.province_2024, n.sex, n.age_group, n.status,
               sum(n.persons) AS persons, {SCOPE_OF_PLACE} AS scope
        FROM {persons} n LEFT JOIN place_of_unit p USING (unit_id) GROUP BY ALL
    """


def communes_of_registers(context: ReleaseContext) -> set[str]:
    """The communes of 2025 from which the counted source holds any record."""
    rows = analysed_deaths(context)
    return set(rows.loc[rows["excluded"] != REFERENCE, "unit_2025"].dropna())


def one_population_per_commune(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows on the communes of 2025, never counted twice: where a commune and year has figures of its own, those of the
    old communes that went into it are left out. Needs unit_id and year."""
    moved = rows.assign(unit_id=on_units_of_2025(rows["unit_id"]), own=rows["unit_id"].str.startswith("VN2025:"))
    has_own = moved.groupby(["unit_id", "year"])["own"].transform("any")
    return moved[moved["own"] | ~has_own].drop(columns="own")


def summed_population(population: pd.DataFrame) -> pd.DataFrame:
    keys = ["unit_id", "year", "sex", "age_group"]
    weakest = {"final": 0, "preliminary": 1, "projection": 2, "modelled": 3}
    ordered = population.assign(weakness=population["status"].map(weakest).fillna(3)).sort_values("weakness")
    return ordered.groupby(keys, as_index=False).agg(
        persons=("persons", "sum"), status=("status", "last"), series=("series", "last")
    )


def ancestors(units: pd.DataFrame) -> pd.DataFrame:
    """unit_id, above: each commune of 2025 with itself, its province, and the nation where there is more than one."""
    communes = units[units["unit_id"].str.fullmatch(r"VN2025:\d{5}")]
    own = communes[["unit_id"]].assign(above=communes["unit_id"])
    province = communes[["unit_id"]].assign(above=communes["province_id"])
    nation = communes[["unit_id"]].assign(above=NATION)
    return pd.concat([own, province, nation], ignore_index=True)


def at_levels(rows: pd.DataFrame, above: pd.DataFrame) -> pd.DataFrame:
    """The rows once for each unit that they count in; the nation only where several provinces have rows."""
    placed = rows.merge(above, on="unit_id").drop(columns="unit_id").rename(columns={"above": "unit_id"})
    provinces = placed["unit_id"][placed["unit_id"].str.fullmatch(r"VN2025:\d{2}")].unique()
    return placed if len(provinces) > 1 else placed[placed["unit_id"] != NATION]

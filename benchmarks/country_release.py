"""A release of the practice country over many years: to see the tables of trends, excess deaths and small areas full.

    python benchmarks/country_release.py --home DIR

Deaths are those of `tkyt_analysis.practice.country_series` (34 provinces, 2010–2025, months from 2015, communes of 2025), synthetic with
planted truth. They go straight into release tables through the makers of `publish`; indicators beside the crude death rate,
causes, and what comes of files (values, findings, deaths one by one) are left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.outbreak_release import signals_of
from mortality.small_area_release import smoothed
from mortality.trend_release import excess_of, trends
from tkyt_analysis.analysis.limits import byar_limits
from tkyt_analysis.analysis.trend import watched_events
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.cube import release_tables as cube_tables
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice import country_series
from tkyt_analysis.warehouse import release, release_tables
from tkyt_analysis.warehouse.lake import Warehouse

AS_OF = datetime.date(2026, 1, 15)
RELEASE_ID = "R000001-country"
WATCHED = {
    "drowning": "drowning_reported",
    "food_poisoning": "food_poisoning_reported",
    "drug_poisoning": "drug_poisoning_deaths",
}


def main() -> None:
    """Make the release and say how many rows each table has."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    print(json.dumps(make(parser.parse_args().home), indent=1))


def make(home: Path) -> dict[str, int]:
    """Rows per table of the release that was made and pointed to."""
    prepare_home(home, practice=True)
    with Warehouse(home) as warehouse:
        context = release.ReleaseContext(warehouse, practice=True)
        tables = country_tables(context)
        part = home / "releases" / f".{RELEASE_ID}.part"
        shutil.rmtree(part, ignore_errors=True)
        for name, rows in tables.items():
            release.write_table(warehouse.con, rows, part / "tables" / name, name)
        passport = {"snapshot": warehouse.snapshot_id(), "catalog_version": "benchmark", "code_version": "benchmark"}
        release.write_manifest(part, RELEASE_ID, {**passport, "practice": True, "data_as_of": AS_OF.isoformat()})
    shutil.rmtree(home / "releases" / RELEASE_ID, ignore_errors=True)
    part.rename(home / "releases" / RELEASE_ID)
    release._point_to(home, RELEASE_ID)
    return {name: len(rows) for name, rows in tables.items()}


def country_tables(context: release.ReleaseContext) -> dict[str, pd.DataFrame]:
    """Release tables by name, each with its scope."""
    yearly, monthly, communes = _yearly(), _monthly(), _communes()
    people = yearly.rename(columns={"population": "persons"}).assign(population_source="PRACTICE")
    rules = dict(load_entry("thresholds", "excess_deaths").at(AS_OF))
    figures = _figures(pd.concat([yearly, communes], ignore_index=True))
    context.made["place"] = cube_tables.place(context)
    made = {
        "indicator_value": figures,
        "province_trend": trends(_figures(yearly)),
        "excess_deaths": excess_of(
            monthly,
            people[["unit_id", "year", "persons", "population_source"]],
            rules=rules,
            open_from=AS_OF.replace(day=1),
        ),
        "outbreak_signal": _signals(),
        "small_area_rate": smoothed(figures[figures["period_id"] >= "2024"], context.units),
    }
    scoped = {name: context.add_scope(rows) for name, rows in made.items()}
    plain = {"organisation_unit": release_tables.organisation_unit(context), "place": context.made["place"]}
    return plain | scoped


def _yearly() -> pd.DataFrame:
    """unit_id, year, events, population of provinces and the nation."""
    rows = country_series.deaths_by_province_year(geography="VN2025").table[["unit_id", "year", "events", "population"]]
    whole = rows.groupby("year", as_index=False)[["events", "population"]].sum().assign(unit_id="VN")
    return pd.concat([rows, whole], ignore_index=True)


def _monthly() -> pd.DataFrame:
    rows = country_series.deaths_by_month().table[["unit_id", "period_id", "events"]]
    return rows.rename(columns={"events": "deaths"})


def _signals() -> pd.DataFrame:
    """Signals of the watched events of the practice country, under the codes of the code list."""
    rules = dict(load_entry("thresholds", "outbreak_signal").at(AS_OF))
    rows = country_series.events_by_month().table
    counts = rows.assign(watch_id=rows["element_id"].map(WATCHED), reports=1.0)
    counts = counts[["unit_id", "watch_id", "period_id", "events", "reports"]]
    return signals_of(counts, watched_events(at=AS_OF), rules=rules, open_from=AS_OF.replace(day=1))


def _communes() -> pd.DataFrame:
    rows = country_series.deaths_by_commune_year(geography="VN2025").table
    return rows.loc[rows["year"] >= 2024, ["unit_id", "year", "events", "population"]]


def _figures(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `indicator_value`: crude death rates of both sexes."""
    lower, upper = (np.asarray(part) for part in byar_limits(rows["events"], 0.95))
    people, year = rows["population"].astype(float), rows["year"].astype("str")
    own = {"indicator_id": "crude_death_rate", "sex": "total", "age_group": "all", "cause": "all", "method": "crude_byar",
           "status": "ok", "reason": "", "population_source": "PRACTICE"}  # fmt: skip
    return pd.DataFrame(
        {
            "figure_id": "crude_death_rate|" + rows["unit_id"] + "|" + year + "|total|all|all", "unit_id": rows["unit_id"],
            "period_id": year, "period_start": pd.to_datetime(year + "-01-01"), "period_end": pd.to_datetime(year + "-12-31"),
            "numerator": rows["events"].astype(float), "denominator": people, "value": 1000 * rows["events"] / people,
            "lower": 1000 * lower / people, "upper": 1000 * upper / people,
        }
    ).assign(**own)  # fmt: skip


if __name__ == "__main__":
    main()

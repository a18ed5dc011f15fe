"""Deaths and registered population of the whole nation as release tables (part of `national_release.py`)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from mortality import release_tables as mortality_tables
from mortality.practice.deaths import Batch, draw_deaths
from mortality.practice.source import plan_batches
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.cube.release_tables import offer_places
from tkyt_analysis.practice.world import World
from tkyt_analysis.reference.ages import age_group
from tkyt_analysis.warehouse import release

PLACES_OF_DEATH = (("home", 0.78), ("health_facility", 0.15), ("on_the_way", 0.02), ("other", 0.04), ("", 0.01))
UNCODED = 0.05


def write_deaths(context: release.ReleaseContext, part: Path, world: World) -> None:
    """`death` and its sums: the registered deaths of every commune, one batch of `mortality.practice` at a time."""
    con = context.warehouse.con
    con.register("unit_scope", context.units[["unit_id", "scope"]])
    with tempfile.TemporaryDirectory(dir=part) as name:
        population, year = pd.DataFrame(), 0
        for number, batch in enumerate(plan_batches(world)):
            if batch.year != year:
                population, year = world.population(batch.year), batch.year
            _batch(world, batch, population).to_parquet(f"{name}/{number:05d}.parquet")
        columns = ", ".join(f"d.{one}" for one in mortality_tables.DEATH_COLUMNS)
        sql = f"SELECT {columns}, coalesce(s.scope, 'VN') AS scope FROM read_parquet('{name}/*.parquet') d LEFT JOIN unit_scope s USING (unit_id)"
        release.write_table(con, sql, part / "tables" / "death", "death")
    offer_places(context)
    for table in ("province_death", "province_death_cause"):
        sql = getattr(mortality_tables, f"{table}_sql")(f"read_parquet('{part}/tables/death/**/*.parquet')")
        release.write_table(con, sql, part / "tables" / table, table)


def _batch(world: World, batch: Batch, population: pd.DataFrame) -> pd.DataFrame:
    """The registered deaths of a batch with the columns of `death`, without its scope."""
    deaths = draw_deaths(world, batch, population)
    deaths = deaths[deaths["registered"]]
    rng = world.rng("national deaths", batch.name)
    day = deaths["death_day"].to_numpy().astype("datetime64[D]")
    names, share = zip(*PLACES_OF_DEATH)
    coded = rng.random(len(deaths)) >= UNCODED
    codes = cause_codes().code[deaths["code"].to_numpy()].astype(str)
    codes = np.where(coded & ~np.isin([one[:3] for one in codes], mortality_tables.HIV), codes, "")
    rows = pd.DataFrame(
        {
            "unit_id": deaths["unit_id"].to_numpy(), "year": day.astype("datetime64[Y]").astype(int) + 1970,
            "month": day.astype("datetime64[M]").astype(int) % 12 + 1, "sex": np.array(["male", "female"])[deaths["sex"]],
            "age_group": age_group(deaths["age_years"], mortality_tables.AGE_BANDS).to_numpy(), "underlying_cause": codes,
            "place_of_death": rng.choice(names, len(deaths), p=share), "source": "a6",
            "decision": np.where(codes == "", "uncodable", "auto"), "excluded": np.where(rng.random(len(deaths)) < 0.005, "duplicate", ""),
            "death_id": pd.util.hash_array(deaths["death_id"].to_numpy(object)).astype(str),
        }
    )  # fmt: skip
    return rows.assign(unit_2025=mortality_tables.on_units_of_2025(rows["unit_id"]))


def write_persons(context: release.ReleaseContext, part: Path, world: World) -> None:
    """`population`, `registered_population` and its sums, a year at a time."""
    con = context.warehouse.con
    with tempfile.TemporaryDirectory(dir=part) as name:
        for year in world.scale.years:
            rows = world.population(year).assign(year=year, series="PRACTICE", status="modelled", source_id="practice")
            rows.to_parquet(f"{name}/all{year}.parquet")
            moved = mortality_tables.one_population_per_commune(rows.astype({"persons": "float64"}))
            own = context.add_scope(mortality_tables.summed_population(moved))
            own.to_parquet(f"{name}/own{year}.parquet")
        public = f"SELECT unit_id, year, sex, age_group, persons::DOUBLE AS persons, series, status, source_id, 'VN' AS scope FROM read_parquet('{name}/all*.parquet')"
        release.write_table(con, public, part / "tables" / "population", "population")
        persons = f"read_parquet('{name}/own*.parquet')"
        release.write_table(
            con, f"SELECT * FROM {persons}", part / "tables" / "registered_population", "registered_population"
        )
    persons = f"read_parquet('{part}/tables/registered_population/**/*.parquet', hive_partitioning = false)"
    release.write_table(
        con, mortality_tables.province_person_sql(persons), part / "tables" / "province_person", "province_person"
    )

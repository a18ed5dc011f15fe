"""Population files as received: an NSO PX-Web table, district and commune tables, and one that must be refused."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.labels import label
from tkyt_analysis.practice.rates import defect_rate
from tkyt_analysis.practice.world import MERGER_MONTH, NOTE, Progress, World
from tkyt_analysis.practice.writing import write_csv

MISSING_SHARE = 0.02  # cells of the PX-Web table that the office left open (".."); always at least one
JUMP = (0.6, 1.5)  # E5: a denominator that jumps by these factors
KEYS = ["unit_id", "year", "sex", "age_group"]
TABLE_COLUMNS = ["unit_id", "year", "sex", "age_group", "persons", "series", "status", "source_id"]


class PopulationSource:
    """Provinces (PX-Web), districts, communes by age and sex; the merger dossiers to be refused."""

    id = "20_population"

    def make(self, world: World, progress: Progress) -> None:
        """Write received/population/ and received/must_be_refused/."""
        yearly = []
        for done, year in enumerate(world.scale.years, start=1):
            people = world.population(year).assign(year=year)
            yearly.append(_by_sex(world, people))
            write_communes(world, people, year)
            progress(self.id, done / (len(world.scale.years) + 1))
        totals = pd.concat(yearly, ignore_index=True)
        write_px_web(world, totals)
        write_districts(world, totals)
        write_merger_dossier(world)
        progress(self.id, 1.0)


SOURCE = PopulationSource()


def _by_sex(world: World, people: pd.DataFrame) -> pd.DataFrame:
    """unit_id, province_id, district_id, year, sex, persons."""
    sums = people.groupby(["unit_id", "year", "sex"], as_index=False)["persons"].sum()
    return sums.merge(world.communes[["unit_id", "province_id", "district_id"]], on="unit_id", validate="many_to_one")


def write_communes(world: World, people: pd.DataFrame, year: int) -> None:
    """commune_age_sex_<year>.csv (old communes, up to 2025), …_new.csv (new ones, from 2025), with E5 jumps.

    A file holds one list of units only, as the statistics office gives it.
    """
    files = {"": people}
    if year >= int(MERGER_MONTH[:4]):
        successor = world.communes.set_index("unit_id")["successor_id"]
        new = people.assign(unit_id=people["unit_id"].map(successor))
        files["_new"] = new.groupby(KEYS, as_index=False, sort=False)["persons"].sum()
    for suffix, rows in files.items():
        name = f"commune_age_sex_{year}{suffix}.csv"
        shown = _with_jumps(world, rows, year, f"population/{name}")
        table = shown.assign(series="PRACTICE", status="modelled", source_id=NOTE)[TABLE_COLUMNS]
        write_csv(table, world.received_path("population", name))


def _with_jumps(world: World, rows: pd.DataFrame, year: int, file: str) -> pd.DataFrame:
    """E5: all ages of some units of one year are too many or too few; truth rows tell the totals."""
    rng = world.rng("population", "jump", file)
    units = rows["unit_id"].unique()
    count = int(rng.binomial(len(units), defect_rate("E5", world.profile)))
    if world.scale.id != "national":
        count = max(1, count)
    hit = pd.Series(rng.choice(JUMP, size=count), index=rng.choice(units, size=count, replace=False))
    factor = rows["unit_id"].map(hit).fillna(1.0).to_numpy(float)
    shown = rows.assign(persons=np.rint(rows["persons"] * factor).astype(np.int64))
    true = rows.groupby("unit_id")["persons"].sum().loc[hit.index]
    truth = pd.DataFrame(
        {
            "unit_id": hit.index,
            "period_id": str(year),
            "element": "population",
            "true_value": true.to_numpy(),
            "shown_value": shown.groupby("unit_id")["persons"].sum().loc[hit.index].to_numpy(),
            "file": file,
        }
    )
    world.write_truth("E5", truth.sort_values("unit_id"))
    return shown


def write_px_web(world: World, totals: pd.DataFrame) -> None:
    """nso_px_web_63_provinces.csv (before 2025) and nso_px_web_34_provinces.csv (from 2025)."""
    places = world.communes.drop_duplicates("province_id").set_index("province_id")
    old = totals["year"] < int(MERGER_MONTH[:4])
    new = totals["province_id"].map(places["successor_province_id"])
    names = _province_names()
    if old.any():
        _px_web_table(world, totals[old], names, "nso_px_web_63_provinces.csv")
    if (~old).any():
        table = totals[~old].assign(province_id=new[~old])
        _px_web_table(world, table, names, "nso_px_web_34_provinces.csv")


def _province_names() -> pd.Series:
    """Full names of the provinces of both systems, by unit_id."""
    from tkyt_analysis.reference.places import places

    units = pd.concat([places("VN2024", at="2025-06-30"), places("VN2025", at="2025-07-01")])
    return units[units["level"] == 1].set_index("unit_id")["full_name"]


def _px_web_table(world: World, totals: pd.DataFrame, names: pd.Series, file_name: str) -> None:
    """ ";"-separated, a column per year and sex, thousand persons, ".." where the office has no figure."""
    sums = totals.groupby(["province_id", "year", "sex"])["persons"].sum().unstack("sex")
    sums = sums.assign(total=sums["male"] + sums["female"])[["total", "male", "female"]] / 1000
    wide = sums.unstack("year").swaplevel(axis=1).sort_index(axis=1, level=0, sort_remaining=False)
    shown = wide.map(lambda value: f"{value:.1f}")
    gaps = world.rng("population", "gaps", file_name).random(shown.shape) < MISSING_SHARE
    gaps[-1, -1] = True
    shown = shown.mask(gaps, "..")
    shown.columns = [f"{year} {label(f'practice.population.{sex}', 'vi')}" for year, sex in wide.columns]
    shown.insert(0, label("practice.population.place", "vi"), names.loc[shown.index])
    path = world.received_path("population", file_name)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f'"{label("practice.population.title", "vi")} – {NOTE}"\n\n')
        shown.to_csv(file, sep=";", index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)


def write_districts(world: World, totals: pd.DataFrame) -> None:
    """district_sex.csv: persons of the old districts by sex, up to 2025."""
    sums = totals.groupby(["district_id", "year", "sex"], as_index=False)["persons"].sum()
    table = sums.rename(columns={"district_id": "unit_id"})
    table = table.assign(age_group="total", series="PRACTICE", status="modelled", source_id=NOTE)
    write_csv(table[TABLE_COLUMNS], world.received_path("population", "district_sex.csv"))


def write_merger_dossier(world: World) -> None:
    """must_be_refused/: residence-register figures of the merger dossiers, which are no denominator."""
    dossier = read_codelist("population_merger_dossier")
    wanted = {unit.partition(":")[2] for unit in world.communes["successor_province_id"]}
    rows = dossier[dossier["province_code_2025"].isin(wanted)]
    place, persons = (label(f"practice.dossier.{name}", "vi") for name in ("place", "persons"))
    table = pd.DataFrame({place: "VN2025:" + rows["province_code_2025"], persons: rows["total"]})
    path = world.received_path("must_be_refused", "merger_dossier_population_2025.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {NOTE}\n")
        file.write(f'"{label("practice.dossier.title", "vi")}"\n')
        table.to_csv(file, sep=";", index=False, lineterminator="\n")

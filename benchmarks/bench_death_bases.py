"""What the two bases of the figures of deaths give, against the truth of a practice home: the book, or all lists.

    python benchmarks/bench_death_bases.py HOME

Counts, age, sex, month and cause of persons, each person's truth found through the place of its records in the received files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

TRUTH = ("deaths", "a6_lines", "death_sources")


def truth_of(home: Path) -> dict[str, pd.DataFrame]:
    """The truth tables of a practice home."""
    folder = home / "practice" / "truth"
    return {name: pd.concat(map(pd.read_parquet, sorted((folder / name).glob("*.parquet")))) for name in TRUTH}


def persons_with_truth(home: Path, truth: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows of `deaths`, records of `death`), each with the id of its true death ("" none)."""
    from mortality.persons_release.deaths import deaths
    from mortality.persons_release.records import person_records
    from mortality.release_tables import analysed_deaths
    from tkyt_analysis.warehouse.lake import Warehouse
    from tkyt_analysis.warehouse.release import ReleaseContext

    places = pd.concat([truth["a6_lines"], truth["death_sources"]])[["file", "sheet", "row_number", "death_id"]]
    places = places.dropna(subset=["row_number"]).astype({"row_number": "int64", "sheet": "str"})
    places = places[places["death_id"] != ""].drop_duplicates(["file", "sheet", "row_number"])
    with Warehouse(home) as warehouse:
        context = ReleaseContext(warehouse, practice=True)
        people = context.query(deaths(context))
        records = context.query(f"SELECT record_id, person_id FROM {person_records(context)}")
        rows = analysed_deaths(context)
    found = rows.merge(
        places.rename(columns={"death_id": "true_id", "file": "file_name"}),
        on=["file_name", "sheet", "row_number"],
        how="left",
    )
    owner = found.dropna(subset=["true_id"]).groupby("person_id")["true_id"].agg(lambda ids: ids.mode().iloc[0])
    assert set(records["person_id"]) >= set(people["person_id"])
    return people.assign(true_id=people["person_id"].map(owner).fillna("")), found


def basis(people: pd.DataFrame, true: pd.DataFrame) -> dict[str, Any]:
    """Counts of one basis beside the truth, and how often the fields of its persons are right."""
    known = people[people["true_id"] != ""].merge(true.add_prefix("true_"), on="true_id", how="inner")
    right = {
        "month": (known["year"] * 100 + known["month"])
        == pd.to_datetime(known["true_death_date"]).dt.strftime("%Y%m").astype(int),
        "age": known["age_years"] == known["true_age_years"].clip(upper=100),
        "sex": known["sex"] == known["true_sex"],
        "cause": known["underlying_cause"].str[:3] == known["true_underlying_cause"].str[:3],
    }
    found = known["true_id"].nunique()
    return {
        "persons": len(people), "true_deaths_found": found, "counted_twice": len(known) - found, "of_all": round(len(people) / len(true), 3),
        **{f"{name}_right": round(float(one.mean()), 3) for name, one in right.items()},
        **{f"of_age_{low}_{high}": round(len(people[people["age_years"].between(low, high)]) / max(1, true["age_years"].between(low, high).sum()), 3)
           for low, high in ((0, 4), (5, 59), (60, 79), (80, 130))},
    }  # fmt: skip


def main(home: Path) -> pd.DataFrame:
    truth = truth_of(home)
    true = truth["deaths"].drop_duplicates("death_id")
    people, records = persons_with_truth(home, truth)
    book = records[records["excluded"] == ""].assign(age_years=lambda one: one["age_years"].clip(upper=100))
    bases = {
        "book_as_written": basis(
            book.assign(true_id=book["true_id"].fillna("")), true.rename(columns={"death_id": "id"})
        ),
        "book_best_fields": basis(people[people["counted"]], true.rename(columns={"death_id": "id"})),
        "all_lists": basis(people[people["excluded"] == ""], true.rename(columns={"death_id": "id"})),
    }
    table = pd.DataFrame(bases)
    print(f"{len(true)} true deaths")
    print(table.to_string())
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))

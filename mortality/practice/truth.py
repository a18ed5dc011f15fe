"""The truth about the deaths of a batch: every death, every line, every planted value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.deaths import Batch
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.practice.world import SEXES, TRUTH_COLUMNS, World
from tkyt_analysis.practice.writing import write_parquet

PLANTED_COLUMNS = TRUTH_COLUMNS[1:]  # the id is given when the rows are stored


def write_death_truth(
    world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame, places: pd.DataFrame, notes: pd.DataFrame
) -> None:
    """truth/deaths: every death; truth/a6_lines: where each line stands; and the planted rows."""
    ids = deaths["death_id"].to_numpy()
    prefix = f"L{batch.name}-"
    line = lines.merge(places, on="line_id", how="left", validate="one_to_one")
    write_parquet(_line_truth(line, ids, prefix), world.truth_path("a6_lines", f"{batch.name}.parquet"))
    write_parquet(_death_truth(deaths, line), world.truth_path("deaths", f"{batch.name}.parquet"))
    rows = pd.concat([_line_notes(notes, lines, ids, prefix), _missing_notes(deaths), _covid_notes(deaths)])
    world.write_truth("deaths", rows, part=batch.name)


def _missing_notes(deaths: pd.DataFrame) -> pd.DataFrame:
    """F3: deaths that reached no book."""
    missing = deaths[~deaths["registered"]]
    return pd.DataFrame(
        {
            "kind": "F3",
            "unit_id": missing["unit_id"],
            "period_id": _month(missing["death_day"].to_numpy()),
            "element": "death",
            "true_value": missing["death_id"],
            "shown_value": "",
        }
    )


def _month(day: np.ndarray) -> np.ndarray:
    return (dates.year_of(day) * 100 + dates.month_of(day)).astype(str)


def _line_truth(line: pd.DataFrame, ids: np.ndarray, prefix: str) -> pd.DataFrame:
    copy = line["duplicate_of"].to_numpy()
    text = prefix + line["line_id"].astype(str).str.zfill(6)
    original = prefix + line["duplicate_of"].astype(str).str.zfill(6)
    return pd.DataFrame(
        {
            "line_id": text,
            "death_id": ids[line["death_row"].to_numpy()],
            "duplicate_of": np.where(copy >= 0, original, ""),
            "unit_id": line["unit_id"],
            "code_in_book": cause_codes().code[line["code"].to_numpy()],
            "cause_text": line["cause_text"],
            "file": line["file"],
            "sheet": line["sheet"],
            "row_number": line["row_number"],
        }
    )


def _death_truth(deaths: pd.DataFrame, line: pd.DataFrame) -> pd.DataFrame:
    own = line[line["duplicate_of"] < 0].set_index("death_row")
    return pd.DataFrame(
        {
            "death_id": deaths["death_id"],
            "unit_id": deaths["unit_id"],
            "origin_unit_id": deaths["origin_unit_id"],
            "district_id": deaths["district_id"],
            "death_date": dates.as_text(deaths["death_day"].to_numpy(), "iso"),
            "birth_date": dates.as_text(deaths["birth_day"].to_numpy(), "iso"),
            "age_days": deaths["age_days"],
            "age_years": deaths["age_years"],
            "sex": np.array(SEXES, object)[deaths["sex"].to_numpy()],
            "cause": deaths["cause"],
            "underlying_cause": cause_codes().code[deaths["code"].to_numpy()],
            "work_accident": deaths["work_accident"],
            "registered": deaths["registered"],
            "registered_date": np.where(
                deaths["registered"], dates.as_text(deaths["registered_day"].to_numpy(), "iso"), ""
            ),
            "file": own["file"].reindex(deaths.index).fillna("").to_numpy(),
            "row_number": own["row_number"].reindex(deaths.index).astype("Int64"),
        }
    )


def _line_notes(notes: pd.DataFrame, lines: pd.DataFrame, ids: np.ndarray, prefix: str) -> pd.DataFrame:
    """Planted rows with unit and month; F1 and F2 name the death and both lines."""
    of_line = notes["line_id"].notna() if "line_id" in notes else pd.Series(False, index=notes.index)
    own, rest = notes[of_line].copy(), notes[~of_line]
    place = pd.Index(lines["line_id"]).get_indexer(own["line_id"])
    own["unit_id"] = lines["unit_id"].to_numpy(object)[place]
    own["period_id"] = _month(lines["death_day"].to_numpy()[place])
    double = own["kind"].isin(["F1", "F2"]) & (own["element"] == "line")
    for column in ("true_value", "shown_value"):
        text = prefix + own.loc[double, column].astype(int).astype(str).str.zfill(6)
        own.loc[double, column] = text
    return pd.concat([own, rest])[PLANTED_COLUMNS]


def _covid_notes(deaths: pd.DataFrame) -> pd.DataFrame:
    """D2: the epidemic months, deaths without and with it, per district."""
    month = _month(deaths["death_day"].to_numpy())
    count = (
        deaths.assign(month=month, covid=deaths["cause"] == "covid")
        .groupby(["district_id", "month"])["covid"]
        .agg(["size", "sum"])
    )
    count = count[count["sum"] > 0].reset_index()
    return pd.DataFrame(
        {
            "kind": "D2",
            "unit_id": count["district_id"],
            "period_id": count["month"],
            "element": "deaths",
            "true_value": (count["size"] - count["sum"]).astype(str),
            "shown_value": count["size"].astype(str),
        }
    )

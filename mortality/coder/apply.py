"""What people decided, laid over what the machine decided: for the coding step of the pipeline.

A coder's choice on the record itself, or the words as one coder decided them, still for review; the rule says which: coder_record,
coder_choice. What coders agreed on is learnt: the engine reads with it (`code_deaths(…, learnt=…)`, rule learnt) and it goes
before a single coder's choice. Codes that came with the record stand before all of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.coder.choices import TABLE, latest, read_table
from mortality.coder.keys import NEONATAL_YEARS, UNDER_28_DAYS, text_key

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

COLUMNS = ["death_id", "code", "decision", "score", "rule"]
MATERNAL = "SELECT d.death_id FROM lake.death d WHERE {maternal}"


def decisions_of_people(warehouse: Warehouse, deaths: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS of the records on which people decided; none where nobody did.

    deaths : death_id, cause_text, sex (male, female), age_years. Decision: auto where a record was coded by a person,
    review where one coder chose for the words and a second is still due, uncodable where a coder said so.
    """
    said = latest(read_table(warehouse, TABLE, order="choice_number"))
    said = said[(said["sample_id"] == "") & said["state"].isin(["code", "uncodable"])]
    if said.empty:
        return pd.DataFrame(columns=COLUMNS)
    records = keyed_records(warehouse, deaths)
    parts = [
        _on_records(said[said["death_id"] != ""]),
        _on_words(records, said[said["death_id"] == ""]),
    ]
    found = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
    found = found[found["death_id"].isin(deaths["death_id"])]
    return found.drop_duplicates("death_id", ignore_index=True)[COLUMNS]


def keyed_records(warehouse: Warehouse, deaths: pd.DataFrame) -> pd.DataFrame:
    """death_id, text_key, sex, age_years, age_band, maternal; each distinct text is read once."""
    from mortality.coder.keys import MATERNAL_SQL

    words = deaths["cause_text"].fillna("").astype("str")
    keys = {text: text_key(text) for text in words.unique()}
    maternal = warehouse.query(MATERNAL.format(maternal=MATERNAL_SQL))["death_id"]
    newborn = pd.to_numeric(deaths["age_years"]) < NEONATAL_YEARS
    return pd.DataFrame(
        {
            "death_id": deaths["death_id"],
            "text_key": words.map(keys),
            "sex": deaths["sex"].fillna(""),
            "age_years": pd.to_numeric(deaths["age_years"]),
            "age_band": newborn.map({True: UNDER_28_DAYS, False: ""}),
            "maternal": deaths["death_id"].isin(maternal),
        }
    )


def _on_records(said: pd.DataFrame) -> pd.DataFrame:
    """The latest choice on each record, whoever made it."""
    last = said.sort_values("choice_number").drop_duplicates("death_id", keep="last")
    coded = last["state"] == "code"
    return last.assign(decision=coded.map({True: "auto", False: "uncodable"}), score=1.0, rule="coder_record")[COLUMNS]


def _on_words(records: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Records whose words one coder decided and nobody contradicted: the code for review, until a second coder agrees."""
    if said.empty:
        return pd.DataFrame(columns=COLUMNS)
    context = ["text_key", "age_band", "maternal", "sex"]
    agreed = said.groupby(context)["code"].transform("nunique") == 1
    last = said[agreed].sort_values("choice_number").drop_duplicates(context, keep="last")
    rows = records.merge(
        last.drop(columns="death_id").rename(columns={"sex": "for_sex"}), on=["text_key", "age_band", "maternal"]
    )
    rows = rows[(rows["for_sex"] == "") | (rows["for_sex"] == rows["sex"])]
    rows = rows.assign(limits=(rows["for_sex"] != "").astype("int64")).sort_values(
        ["limits", "choice_number"], ascending=False
    )
    rows = rows.drop_duplicates("death_id")
    coded = rows["state"] == "code"
    return rows.assign(decision=coded.map({True: "review", False: "uncodable"}), score=1.0, rule="coder_choice")[
        COLUMNS
    ]

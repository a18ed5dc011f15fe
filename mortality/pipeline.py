"""The module's steps on a home: code the causes of the registered deaths; and its release tables.

Which cause a death is tabulated under, in this order, each with its rule on record:
1. `as_given`: an underlying cause that came with the record (a certificate that was coded elsewhere),
2. `certificate:SP3>M1`: the lines of a certificate by the rules for the underlying cause (`mortality.underlying_cause`), unless a
   coder decided on this very record (`coder_record`) or a rule asks for a coder (then 3 and 4 go before it),
3. `as_written`: a valid ICD-10 code in the register's own column,
4. `coder_record`, `learnt`, `coder_choice`: what a coder decided on the record; words that coders agreed on (the engine reads
   with them); words as a single coder decided them (`mortality.coder.apply`),
5. `dictionary`: the engine's suggestion from the words (several causes: by the same rules); decision auto or review.

A code of 2 to 5 that is never an underlying cause (an injury alone: S06.9; illness without a name: R69) gives way to what
stands for it (X59.9, R99), and a coder is asked where the rules ask.

`death_underlying` keeps the steps and flags of 2, of 5 where the words name several causes, and of a code that gave way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mortality.coder.keys import MATERNAL_STATUS_SQL
from tkyt_analysis.warehouse.lake import Warehouse, create_home

Progress = Callable[[int, int, str], None]

DEATHS_TO_CODE = f"""
    SELECT death_id, coalesce(cause_text, '') AS cause_text, coalesce(icd10_as_written, '') AS icd10_as_written,
           coalesce(underlying_cause_as_given, '') AS underlying_cause_as_given, sex, age_years,
           coalesce(manner, '') AS manner, {MATERNAL_STATUS_SQL} AS maternal
    FROM lake.death d ORDER BY death_id
"""
LEARNT = ("learnt", "learnt_folded")


def code_registered_deaths(home: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write a coding decision for every registered death; {decision: deaths}. Run again, it replaces them all."""
    from mortality.coder.apply import decisions_of_people
    from mortality.coder.entries import learnt_of
    from mortality.underlying_cause.home import (
        underlying_causes,
        underlying_of_codes,
        with_codes_replaced,
        with_underlying,
    )

    create_home(home)  # a home of an earlier version gets the tables that it lacks
    with Warehouse(home, write=True) as warehouse:
        deaths = warehouse.query(DEATHS_TO_CODE)
        decisions = coding_decisions(deaths, people=decisions_of_people(warehouse, deaths), learnt=learnt_of(warehouse))
        underlying = underlying_causes(warehouse, deaths, decisions)
        decisions = with_underlying(decisions, underlying)
        replaced = underlying_of_codes(deaths, decisions)
        decisions = with_codes_replaced(decisions, replaced)
        replaced = replaced[~replaced["death_id"].isin(underlying["death_id"])]
        underlying = pd.concat([underlying, replaced], ignore_index=True).sort_values("death_id", ignore_index=True)
        with warehouse.transaction():
            _replace(warehouse, "death_code", decisions)
            _replace(warehouse, "death_underlying", underlying)
    return {"deaths": len(decisions), **decisions["decision"].value_counts().sort_index().to_dict()}


def _replace(warehouse: Warehouse, table: str, rows: pd.DataFrame) -> None:
    warehouse.con.execute(f"DELETE FROM lake.{table}")
    warehouse.con.register("incoming", rows)
    warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
    warehouse.con.unregister("incoming")


def coding_decisions(
    deaths: pd.DataFrame, *, people: pd.DataFrame | None = None, learnt: pd.DataFrame | None = None
) -> pd.DataFrame:
    """death_id, code, decision (auto | review | uncodable), score, rule, dictionary_version: one row per death.

    people : what coders decided (`mortality.coder.apply.decisions_of_people`); it goes before the machine's suggestion
    learnt : what coders agreed on (`mortality.coder.entries.learnt_of`); whole words so decided go before a single coder's choice
    """
    from mortality.coding.suggest import code_deaths
    from mortality.icd import check_codes

    text = deaths.rename(columns={"death_id": "id", "cause_text": "text"})
    text = text[[name for name in ("id", "text", "sex", "age_years", "maternal") if name in text]]
    result_of_words = code_deaths(text, learnt=learnt)
    coded = result_of_words.set_index("id").loc[deaths["death_id"]].reset_index()
    rule = coded["rule"].fillna("").astype("str")
    result = pd.DataFrame(
        {
            "death_id": deaths["death_id"],
            "code": coded["code_1"].fillna("").astype("str"),
            "decision": coded["decision"],
            "score": pd.to_numeric(coded["score_1"]),
            "rule": rule.where(rule.isin(LEARNT), "dictionary:" + rule),
            "dictionary_version": result_of_words.attrs["dictionary_version"],
        }
    )
    if people is not None and len(people):
        said = people.set_index("death_id").reindex(result["death_id"]).reset_index()
        by_people = said["rule"].notna() & ~(said["rule"].eq("coder_choice") & result["rule"].isin(LEARNT))
        names = ["code", "decision", "score", "rule"]
        result.loc[by_people, names] = said.loc[by_people, names]
    for column, rule in (("icd10_as_written", "as_written"), ("underlying_cause_as_given", "as_given")):
        verdicts = check_codes(deaths[column].unique()).set_index("written")
        usable = verdicts.loc[verdicts["status"].isin(["valid", "legacy"]), "code"]
        known = deaths[column].map(usable)
        taken = known.notna()
        result.loc[taken, ["code", "decision", "rule"]] = pd.DataFrame(
            {"code": known[taken], "decision": "auto", "rule": rule}
        )
        result.loc[taken, "score"] = 1.0
    return result

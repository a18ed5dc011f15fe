"""The interviews of a home: answers that landed, for the places that the account reads; what concerns HIV only with that right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mortality.verbal_autopsy.files import levels_named
from mortality.verbal_autopsy.indicators import Indicators, indicators_from_answers

if TYPE_CHECKING:
    from tkyt_analysis.access.warehouse_view import ScopedWarehouse

IDENTITY = "verbal_autopsy_identity"
HIV_QUESTIONS = ("Id10126", "Id10127", "Id10424", "Id10445", "Id10446")
# Where an interview does not tell age or sex itself, the record made of it does.
_RECORDS = """
    SELECT d.death_id, coalesce(d.sex, '') AS sex, d.age_years FROM lake.death d
    WHERE d.death_id IN (SELECT death_id FROM lake.verbal_autopsy_answer) AND {units} AND d.death_id NOT IN ({hidden})
    ORDER BY d.death_id
"""
_ANSWERS = """
    SELECT a.death_id, a.question_id, a.value FROM lake.verbal_autopsy_answer a
    WHERE a.death_id IN (SELECT death_id FROM ({records})) ORDER BY a.death_id, a.question_id, a.value
"""


@dataclass(frozen=True)
class HomeInterviews:
    """indicators (ids are death_id); levels that the interviews name; may_know_hiv; hiv_answers: whether the answers about
    HIV were read with the rest."""

    indicators: Indicators
    levels: dict[str, set[str]]
    may_know_hiv: bool
    hiv_answers: bool


def interviews_of_home(home: Path, *, edition: str | None = None) -> HomeInterviews | None:
    """The interviews that the account at work may see, None where there is none.

    Replaced records are left out, and without the right to HIV those whose record concerns it; the answers about HIV
    themselves lie in the restricted store and are read, with an entry in the audit log, where the account has both rights.
    Raises InputError without the right to check.
    """
    from tkyt_analysis.access import decide, require
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "check")
    may_know = decide(account, "read_hiv").allowed
    with scoped_warehouse(home, account) as view:
        seen = _RECORDS.format(units=view.units("d.unit_id"), hidden=_hidden(view, may_know))
        records = view.warehouse.query(seen)
        answers = view.warehouse.query(_ANSWERS.format(records=seen))
    if records.empty:
        return None
    closed = may_know and decide(account, "read_identifiers", table=IDENTITY).allowed
    if closed:
        answers = pd.concat([answers, _hiv_answers(home, records["death_id"].tolist())], ignore_index=True)
    wide = answers.drop_duplicates(["death_id", "question_id"]).pivot(
        index="death_id", columns="question_id", values="value"
    )
    wide = _completed(wide.fillna(""), records)
    return HomeInterviews(indicators_from_answers(wide, edition=edition), levels_named(wide), may_know, closed)


def _hidden(view: ScopedWarehouse, may_know: bool) -> str:
    """SQL text: records that are not shown."""
    from mortality.hiv import DEATHS
    from mortality.records.replaced import replaced_records_sql

    hidden = replaced_records_sql(view.warehouse)
    return hidden if may_know else f"SELECT * FROM ({hidden}) UNION ALL SELECT * FROM ({DEATHS})"


def _hiv_answers(home: Path, deaths: list[str]) -> pd.DataFrame:
    from tkyt_analysis.access.identifiers import read_identities
    from tkyt_analysis.labels import label

    rows = read_identities(home, deaths, why=label("verbal_autopsy.why"), table=IDENTITY)
    return rows.loc[rows["question_id"].isin(HIV_QUESTIONS), ["death_id", "question_id", "value"]]


def _completed(wide: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Sex and age of the record where the interview has none."""
    record = records.set_index("death_id").reindex(wide.index)
    years = record["age_years"].map(lambda age: "" if pd.isna(age) else str(int(age)))
    for question, known in (("Id10019", record["sex"]), ("ageInYears", years)):
        said = wide[question] if question in wide else pd.Series("", index=wide.index)
        wide = wide.assign(**{question: said.mask(said.eq(""), known)})
    return wide.sort_index()

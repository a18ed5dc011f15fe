"""Which questions to ask first: findings bundled into cases, ranked by what hangs on them, cut at the user's budget.

A case is one subject (unit, period, data set): the officer is asked once about one form. Its score is the number of
events expected to be wrong: for each cell the largest at_stake × probability of the findings on it, added up. Findings of
several rules on one cell are one doubt, not several.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.labels import format_number, label

SUBJECT = ["unit_id", "period_id", "dataset_id"]
CELL = [*SUBJECT, "element_id", "category_id"]
NOT_ASKED = ("ok", "not_assessable", "shock")
NOTE = "note"  # severity of what is worth knowing, not worth a letter
CERTAIN = "error"  # severity of rules that are arithmetic: what they find is wrong, whatever the cause
QUESTION_COLUMNS = [
    "finding_id", "province_id", "month", "unit_id", "period_id", "dataset_id", "case_id", "rank", "score", "findings",
    "probability", "expected_false", "within_budget",
]  # fmt: skip
_NUMBERS = {"rank": "int64", "score": "float64", "findings": "int64", "probability": "float64",
            "expected_false": "float64", "within_budget": "bool"}  # fmt: skip
_EMPTY = {name: _NUMBERS.get(name, "str") for name in QUESTION_COLUMNS}


@dataclass(frozen=True)
class Budget:
    """What a budget buys, over all provinces and months.

    cases, asked : cases there are, and those within the budget; judged : asked cases with a known probability
    expected_false : of those, how many are expected to be no error; fdr : that over `judged` (NaN where it is 0)
    unknown : asked cases for which no rule states a probability; score, score_asked : events expected to be wrong
    """

    cases: int
    asked: int
    judged: int
    unknown: int
    expected_false: float
    fdr: float
    score: float
    score_asked: float

    def sentence(self, language: str | None = None) -> str:
        """What the budget buys, in words."""
        share = 100 * self.score_asked / self.score if self.score else float("nan")
        return label(
            "ranking.summary",
            language,
            asked=format_number(self.asked, 0, language),
            cases=format_number(self.cases, 0, language),
            share=format_number(share, 0, language),
            expected_false=format_number(self.expected_false, 1, language),
            fdr=format_number(100 * self.fdr, 0, language),
            unknown=format_number(self.unknown, 0, language),
        )


def default_budget(day: datetime.date | None = None) -> int:
    """Questions per province and month in force on `day` (today)."""
    from tkyt_analysis.catalog import load_entry

    return int(load_entry("thresholds", "question_budget").at(day or datetime.date.today()))


def error_probability(findings: pd.DataFrame) -> pd.Series:
    """Probability that each finding is an error: as its rule says; 1 for a logical certainty (severity error); else NaN."""
    stated = pd.to_numeric(findings["probability"]).clip(0, 1)
    return stated.where(stated.notna() | (findings["severity"] != CERTAIN), 1.0)


def _cases(findings: pd.DataFrame) -> pd.DataFrame:
    """One row per subject: score, findings, probability that anything in it is wrong (NaN where no rule says)."""
    distance = findings["value"] - findings["suggested"].fillna(findings["expected"])
    rows = findings.assign(p=error_probability(findings), stake=findings["at_stake"].fillna(distance).abs())
    # An unknown probability or stake cannot lift a case over one that is known: it ranks behind, by the other.
    rows["part"] = rows["p"].fillna(0.0) * rows["stake"].fillna(0.0)
    rows["behind"] = rows["stake"].fillna(0.0) * rows["p"].isna()
    cells = rows.groupby(CELL, dropna=False, sort=False)[["part", "behind", "p"]].max().reset_index()
    cells["right"] = 1 - cells["p"].fillna(0.0)
    cases = cells.groupby(SUBJECT, dropna=False, sort=True).agg(
        score=("part", "sum"), behind=("behind", "sum"), right=("right", "prod"), known=("p", "count")
    )
    cases["findings"] = rows.groupby(SUBJECT, dropna=False, sort=True).size()
    cases["probability"] = (1 - cases["right"]).where(cases["known"] > 0)
    return cases.reset_index()


def rank_questions(
    findings: pd.DataFrame,
    units: pd.DataFrame,
    budget: int | None = None,
    per: tuple[str, ...] = ("province_id", "month"),
) -> pd.DataFrame:
    """Every finding that is a question, with the rank of its case in its province and month.

    Parameters
    ----------
    findings : the finding table; verdicts ok, not_assessable and shock, and notes, are no questions
    units : unit_id, province_id (units that are not there, or have none, are asked by the nation: "")
    budget : cases asked per province and month; None: the catalog's `question_budget` of today
    per : within what is ranked: any of province_id, month (first month of the period), dataset_id, unit_id; () = all

    Returns
    -------
    QUESTION_COLUMNS, one row per finding in the order of province, month and rank: case_id (first finding of the
    case), rank (1 = most events at stake × probability), score [events], findings (in the case), probability (that
    something in the case is wrong; NaN where no rule states one), expected_false (1 − probability), within_budget.
    """
    asked = findings[~findings["verdict"].isin(NOT_ASKED) & (findings["severity"] != NOTE)]
    asked = asked.assign(**{name: asked[name].fillna("").astype("str") for name in CELL})
    if asked.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _EMPTY.items()})
    cases = _cases(asked)
    province = units.drop_duplicates("unit_id").set_index("unit_id")["province_id"]
    cases["province_id"] = cases["unit_id"].map(province).fillna("").astype("str")
    cases["month"] = months_of(cases["period_id"])
    ascending = [*[True] * len(per), False, False, *[True] * len(SUBJECT)]
    cases = cases.sort_values([*per, "score", "behind", *SUBJECT], ascending=ascending, ignore_index=True)
    cases["rank"] = (cases.groupby(list(per), sort=False).cumcount() if per else pd.Series(cases.index)) + 1
    cases["within_budget"] = cases["rank"] <= (default_budget() if budget is None else budget)
    cases["expected_false"] = 1 - cases["probability"]
    return _per_finding(asked, cases, per)


def _per_finding(asked: pd.DataFrame, cases: pd.DataFrame, per: tuple[str, ...]) -> pd.DataFrame:
    first = asked.groupby(SUBJECT, sort=True)["finding_id"].min().rename("case_id").reset_index()
    cases = cases.merge(first, on=SUBJECT, validate="one_to_one")
    rows = asked[["finding_id", *SUBJECT]].merge(cases, on=SUBJECT, validate="many_to_one")
    return rows.sort_values([*per, "rank", "finding_id"], ignore_index=True)[QUESTION_COLUMNS]


def question_rank(context: Any) -> pd.DataFrame:
    """Release table: the questions of the stored findings, ranked in their province of 2025 and month; the budget is the one
    in force on the day of the last file received."""
    findings = context.query(
        """
        SELECT finding_id, severity, dataset_id, unit_id, period_id, element_id, category_id, value, expected, verdict, probability,
               suggested, at_stake FROM lake.finding WHERE verdict NOT IN ('ok', 'not_assessable', 'shock') AND severity <> 'note'
        """
    )
    province = context.units["scope"].where(context.units["scope"] != "VN", "").str.replace("-", ":", regex=False)
    units = context.units[["unit_id"]].assign(province_id=province)
    return context.add_scope(rank_questions(findings, units, budget=default_budget(last_received(context))))


def last_received(context: Any) -> datetime.date | None:
    """The day on which the last file was received: the day at which a release asks for thresholds (None: no file)."""
    (day,) = context.query("SELECT max(received_at)[1:10] AS day FROM lake.received_file")["day"]
    return datetime.date.fromisoformat(day) if isinstance(day, str) else None


def months_of(period_ids: pd.Series) -> pd.Series:
    """The first month of each period (2025Q2 → 202504), "" where the id is none."""
    from tkyt_analysis.reference.periods import period_windows

    distinct = [one for one in pd.unique(period_ids) if one]
    windows = period_windows(distinct) if distinct else pd.DataFrame({"period_id": [], "period_start": []})
    starts = pd.to_datetime(windows["period_start"]).dt.strftime("%Y%m")
    return period_ids.map(dict(zip(windows["period_id"], starts, strict=True))).fillna("").astype("str")


def budget_summary(questions: pd.DataFrame) -> Budget:
    """What the budget buys: cases asked, expected false alarms among them, events expected to be wrong."""
    cases = questions.drop_duplicates("case_id")
    asked = cases[cases["within_budget"].astype(bool)]
    judged, false = int(asked["probability"].notna().sum()), float(asked["expected_false"].sum())
    return Budget(
        cases=len(cases),
        asked=len(asked),
        judged=judged,
        unknown=len(asked) - judged,
        expected_false=false,
        fdr=false / judged if judged else float("nan"),
        score=float(cases["score"].sum()),
        score_asked=float(asked["score"].sum()),
    )


def budget_curve(questions: pd.DataFrame, budgets: tuple[int, ...] = (5, 10, 20, 50, 100)) -> pd.DataFrame:
    """The same for several budgets: budget, asked, expected_false, fdr, share of the events expected to be wrong."""
    lines = []
    for budget in budgets:
        bought = budget_summary(questions.assign(within_budget=questions["rank"] <= budget))
        share = bought.score_asked / bought.score if bought.score else np.nan
        lines.append((budget, bought.asked, bought.expected_false, bought.fdr, share))
    return pd.DataFrame(lines, columns=["budget", "asked", "expected_false", "fdr", "share"])

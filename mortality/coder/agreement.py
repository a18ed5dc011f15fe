"""How far two coders agree on the same records: Cohen's kappa with its 95 % interval, and where they differ.

Cohen J. Educ Psychol Meas 1960;20:37–46; large-sample variance: Fleiss, Cohen, Everitt, Psychol Bull 1969;72:323–327 (as in
statsmodels `cohens_kappa`). Kappa is not assessable with fewer records than `least_for_kappa`, or where chance alone
would agree always (both coders used one category).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.coder.choices import SAMPLES, TABLE, choices, latest, read_table, rule_of_learning, shown_rows
from tkyt_analysis.errors import InputError

LEVELS = ("characters_3", "list_1")
LIST_1 = "who_mortality_list_1"
NO_CODE = {"uncodable": "(uncodable)", "ask": "(uncodable)"}


@dataclass(frozen=True)
class Kappa:
    """records coded by both, share on which they agree (0–1), Cohen's kappa with limits; status ok | not_assessable."""

    level: str
    records: int
    agreed: float
    kappa: float
    lower: float
    upper: float
    status: str

    def as_dict(self) -> dict[str, Any]:
        """For machines; figures that do not exist are None."""
        return {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Agreement:
    """kappas : one per level; pairs : death_id, stratum, stratum_deaths, first, second and both at each level;
    weighted_agreed : share of agreement at three characters weighted back to all records of the strata (NaN without records)."""

    sample: str
    coders: tuple[str, str]
    kappas: tuple[Kappa, ...]
    pairs: pd.DataFrame
    weighted_agreed: float

    def disagreements(self, level: str = "list_1") -> pd.DataFrame:
        """first, second, records: what one coder chose where the other chose something else, commonest first."""
        a, b = self.pairs[f"first_{level}"], self.pairs[f"second_{level}"]
        rows = pd.DataFrame({"first": a[a != b], "second": b[a != b]})
        counted = rows.groupby(["first", "second"], as_index=False).size().rename(columns={"size": "records"})
        return counted.sort_values(["records", "first", "second"], ascending=[False, True, True], ignore_index=True)


def cohens_kappa(first: pd.Series, second: pd.Series, *, level: str = "", least: int = 2) -> Kappa:
    """Cohen's kappa of two codings of the same records, in the same order, with a 95 % interval (limits cut at ±1)."""
    names = sorted(set(first) | set(second))
    table = pd.crosstab(pd.Categorical(first, names), pd.Categorical(second, names), dropna=False).to_numpy()
    n = int(table.sum())
    agreed = float(np.trace(table) / n) if n else float("nan")
    chance = float((table.sum(0) / n) @ (table.sum(1) / n)) if n else 1.0
    if n < least or chance >= 1:
        nothing = float("nan")
        return Kappa(level, n, agreed, nothing, nothing, nothing, "not_assessable")
    from statsmodels.stats.inter_rater import cohens_kappa as of_table

    found = of_table(table)
    lower, upper = max(float(found.kappa_low), -1.0), min(float(found.kappa_upp), 1.0)
    return Kappa(level, n, agreed, float(found.kappa), lower, upper, "ok")


def agreement(home: Path, sample: str, coders: tuple[str, str] | None = None) -> Agreement:
    """Two coders on the records of a sample that both coded (default: the two who coded most of it).

    Raises InputError for an unknown sample, or where fewer than two coders have coded it.
    """
    drawn, said = _of_sample(home, sample)
    if drawn.empty:
        raise InputError("error.coder_no_sample", sample=sample)
    who = coders or _busiest(said, sample)
    return compare(drawn, said, sample=sample, coders=who, least=int(rule_of_learning()["least_for_kappa"]))


def _of_sample(home: Path, sample: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The records of a sample and the last word of each coder on them (those on HIV only for accounts that may know)."""
    from tkyt_analysis.access import require, working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    require(home, "check")
    if not (Path(home) / "warehouse").exists():
        return pd.DataFrame(), pd.DataFrame()
    with working_within(), Warehouse(home) as warehouse:
        drawn = read_table(warehouse, SAMPLES, order="place_in_sample")
        said = latest(read_table(warehouse, TABLE, order="choice_number", where=shown_rows(home)))
    return drawn[drawn["sample_id"] == sample], said[(said["sample_id"] == sample) & (said["death_id"] != "")]


def _busiest(said: pd.DataFrame, sample: str) -> tuple[str, str]:
    counts = said["coder"].value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    if len(names) < 2:
        raise InputError("error.coder_one_coder", sample=sample, found=len(names))
    return names[0], names[1]


def compare(drawn: pd.DataFrame, said: pd.DataFrame, *, sample: str, coders: tuple[str, str], least: int) -> Agreement:
    """The two codings side by side. drawn : rows of coder_sample; said : the last word of each coder on each record."""
    code = said["code"].where(said["state"] == "code", said["state"].map(NO_CODE))
    wide = (
        said.assign(chosen=code)
        .pivot(index="death_id", columns="coder", values="chosen")
        .reindex(columns=list(coders))
        .dropna()
    )
    wide.columns = pd.Index(["first", "second"])
    pairs = drawn[["death_id", "stratum", "stratum_deaths"]].merge(
        wide.reset_index(), on="death_id", validate="one_to_one"
    )
    for name in ("first", "second"):
        pairs[f"{name}_characters_3"] = pairs[name].where(pairs[name].str.startswith("("), pairs[name].str[:3])
        pairs[f"{name}_list_1"] = items_of(pairs[name])
    kappas = tuple(
        cohens_kappa(pairs[f"first_{level}"], pairs[f"second_{level}"], level=level, least=least) for level in LEVELS
    )
    return Agreement(sample, coders, kappas, pairs, _weighted(pairs))


def items_of(codes: pd.Series) -> pd.Series:
    """The item of WHO mortality list 1 of each code; what is no code stays."""
    from mortality.tabulation.cause_lists import load_cause_list

    none = codes.str.startswith("(")
    return load_cause_list(LIST_1).item_of(codes.mask(none)).where(~none, codes) if len(codes) else codes


def _weighted(pairs: pd.DataFrame) -> float:
    """Agreement at three characters with each stratum counted as large as it is among all records."""
    if pairs.empty:
        return float("nan")
    same = (pairs["first_characters_3"] == pairs["second_characters_3"]).astype("float64")
    by = same.groupby(pairs["stratum"]).mean()
    weight = pairs.groupby("stratum")["stratum_deaths"].first()
    return float((by * weight).sum() / weight.sum())


def accepted_first(said: pd.DataFrame) -> pd.DataFrame:
    """How often coders took the first suggestion: by rule of that suggestion, and in all ("total").

    said : rows of coder_choice. Returns rule, choices (those that chose a code and were shown a suggestion), first, among
    (the code was among the suggestions), share, lower, upper (first / choices with Wilson's 95 % limits).
    """
    import json

    from statsmodels.stats.proportion import proportion_confint

    last = latest(said) if len(said) else said
    shown = [json.loads(text or "[]") for text in last["suggested"]]
    rows = pd.DataFrame(
        {
            "rule": [one[0]["rule"] if one else "" for one in shown],
            "rank": pd.to_numeric(last["accepted_rank"]).astype("int64"),
            "asked": [bool(one) for one in shown],
            "state": last["state"],
        }
    )
    rows = rows[rows["asked"] & (rows["state"] == "code")]
    both = pd.concat([rows, rows.assign(rule="total")])
    counted = both.groupby("rule", as_index=False).agg(
        choices=("rank", "size"),
        first=("rank", lambda rank: int((rank == 1).sum())),
        among=("rank", lambda rank: int((rank > 0).sum())),
    )
    lower, upper = (
        proportion_confint(counted["first"], counted["choices"], method="wilson") if len(counted) else ([], [])
    )
    counted = counted.assign(
        share=counted["first"] / counted["choices"], lower=lower, upper=upper, last=counted["rule"] == "total"
    )
    return counted.sort_values(["last", "choices", "rule"], ascending=[True, False, True], ignore_index=True).drop(
        columns="last"
    )


def coded_by(home: Path) -> pd.DataFrame:
    """coder, choices, texts, deaths: how much each account has decided (the last word on each matter)."""
    last = latest(choices(home))
    rows = last.assign(text=(last["death_id"] == "").astype("int64"))
    return rows.groupby("coder", as_index=False).agg(
        choices=("state", "size"), texts=("text", "sum"), deaths=("deaths", "sum")
    )

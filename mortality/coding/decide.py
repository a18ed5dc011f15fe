"""A coding decision for every death: auto where the score allows it, review where a coder looks, else uncodable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.coding.calibrate import auto_from
from mortality.coding.ranking import sex_conflict
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from mortality.coding.suggest import Candidate

AT_MOST_WRONG = 0.02
UNCODABLE_BELOW = 0.1


def decide(
    candidates: list[Candidate], sex: str | None = None, *, at_most_wrong: float = AT_MOST_WRONG
) -> tuple[str, str]:
    """(decision, rule): auto from the score that keeps at most this share wrong; a doubt goes to a coder.

    Vague words (an honest "không rõ", "bệnh tim") and a code of the other sex are always reviewed.
    """
    if not candidates or candidates[0].score < UNCODABLE_BELOW:
        return "uncodable", "no_match"
    best = candidates[0]
    if sex_conflict(best.code, sex):
        return "review", "sex_conflict"
    if best.certainty != "vague" and best.score >= auto_from(at_most_wrong):
        return "auto", best.rule
    return "review", best.rule


def _age_band(age_years: pd.Series) -> pd.Series:
    """The limits that the dictionary asks about cut ages into bands; one age stands for each band."""
    from mortality.coding.dictionary import load_dictionary
    from mortality.coding.ranking import PERINATAL_FROM_YEARS
    from mortality.coding.routes import NEWBORN_BELOW

    entries = [entry for group in load_dictionary().by_accented.values() for entry in group]
    asked = {limit for entry in entries for limit in (entry.age_from, entry.age_below) if limit is not None}
    limits = sorted(asked | {NEWBORN_BELOW, PERINATAL_FROM_YEARS})
    edges = [-float("inf"), *limits, float("inf")]
    inside = [limits[0] / 2, *[(a + b) / 2 for a, b in zip(limits, limits[1:])], limits[-1] + 1]
    return pd.cut(age_years, edges, right=False, labels=inside, ordered=False).astype("float64")


def _keys(deaths: pd.DataFrame) -> pd.DataFrame:
    """Text, sex, age band and maternal status: what a decision depends on."""
    from mortality.coding.suggest import SEXES

    blank = pd.Series("", index=deaths.index)
    sexes = deaths.get("sex", blank).astype("str").str.strip().str.lower().map(SEXES)
    ages = pd.to_numeric(deaths.get("age_years", pd.Series(float("nan"), index=deaths.index)), errors="coerce")
    return pd.DataFrame(
        {
            "text": deaths["text"].fillna("").astype("str"),
            "sex": sexes.fillna(""),
            "age": _age_band(ages).fillna(-1.0),
            "maternal": deaths.get("maternal", blank).fillna("").astype("str"),
        }
    ).reset_index(drop=True)


def code_deaths(deaths: pd.DataFrame, *, limit: int = 5, at_most_wrong: float = AT_MOST_WRONG) -> pd.DataFrame:
    """A coding decision for every death, each distinct (text, sex, age band, maternal status) read once.

    Parameters
    ----------
    deaths : columns id, text and optionally sex, age_years [years], maternal
    at_most_wrong : the share of wrong three-character codes among auto that is put up with

    Returns
    -------
    One row per row of `deaths`, in its order: id, text, decision (auto | review | uncodable),
    code_1 … code_5, score_1 … score_5, rule. `attrs`: dictionary_version, at_most_wrong, auto_from.
    Raises InputError where id or text is missing or the share is not between 0 and 1.
    """
    from mortality.coding.dictionary import load_dictionary
    from mortality.coding.memory import Memory

    missing = [name for name in ("id", "text") if name not in deaths.columns]
    if missing:
        raise InputError("error.coding_columns", missing=", ".join(missing), found=", ".join(map(str, deaths.columns)))
    keys = _keys(deaths)
    distinct = keys.drop_duplicates().reset_index(drop=True)
    columns = ["decision", *[f"code_{n}" for n in range(1, limit + 1)]]
    columns += [*[f"score_{n}" for n in range(1, limit + 1)], "rule"]
    threshold = auto_from(at_most_wrong)
    with Memory() as memory:
        found = [memory.candidates(*key) for key in distinct.itertuples(index=False, name=None)]
    rows = [_row(candidates, sex, limit, at_most_wrong) for candidates, sex in zip(found, distinct["sex"].tolist())]
    coded = pd.concat([distinct, pd.DataFrame(rows, columns=columns)], axis=1)
    result = keys.merge(coded, on=list(keys.columns), how="left", validate="many_to_one")
    result.insert(0, "id", deaths["id"].to_numpy())
    result = result[["id", "text", *columns]]
    result.attrs |= {
        "dictionary_version": load_dictionary().version,
        "at_most_wrong": at_most_wrong,
        "auto_from": round(threshold, 4),
    }
    return result


def _row(candidates: list[Candidate], sex: str, limit: int, at_most_wrong: float) -> tuple[object, ...]:
    decision, rule = decide(candidates, sex or None, at_most_wrong=at_most_wrong)
    shown = candidates[:limit]
    empty = limit - len(shown)
    codes = [*[one.code for one in shown], *[""] * empty]
    scores = [*[one.score for one in shown], *[float("nan")] * empty]
    return decision, *codes, *scores, rule

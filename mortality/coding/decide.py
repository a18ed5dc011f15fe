"""A coding decision for every death: auto where the score allows it, review where a coder looks, else uncodable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from mortality.coding.calibrate import auto_from
from mortality.coding.library import Library, load_library
from mortality.coding.ranking import sex_conflict
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from mortality.coding.memory import Remembered
    from mortality.coding.suggest import Candidate

AT_MOST_WRONG = 0.02
UNCODABLE_BELOW = 0.1
LEARNT_WHOLE = ("learnt", "learnt_folded")  # coders decided on these very words
LOOKED_UP = ("dictionary_exact", "dictionary_folded", "dictionary_standard", "code_in_text")
OLD_AGE, OLD_AGE_FROM = "R54", 70.0  # senility under 70 is a question (vietnam.md §4.1)


def decide(
    candidates: Sequence[Candidate],
    sex: str | None = None,
    *,
    age_years: float | None = None,
    at_most_wrong: float = AT_MOST_WRONG,
) -> tuple[str, str]:
    """(decision, rule): auto from the score that keeps at most this share wrong; a doubt goes to a coder.

    Vague words (an honest "không rõ", "bệnh tim"), a code of the other sex and old age under 70 are always reviewed.
    """
    if not candidates:
        return "uncodable", "no_match"
    best = candidates[0]
    return _decision(best.code, best.score, best.rule, best.certainty, sex, age_years, _limits(at_most_wrong))


def _limits(at_most_wrong: float) -> tuple[float, float]:
    """The thresholds for words that were looked up and for codes that were inferred."""
    return auto_from(at_most_wrong), auto_from(at_most_wrong, inferred=True)


def _decision(
    code: str,
    score: float,
    rule: str,
    certainty: str,
    sex: str | None,
    age_years: float | None,
    limits: tuple[float, float],
) -> tuple[str, str]:
    if score < UNCODABLE_BELOW:
        return "uncodable", "no_match"
    if sex_conflict(code, sex):
        return "review", "sex_conflict"
    if code == OLD_AGE and age_years is not None and 0 <= age_years < OLD_AGE_FROM:
        return "review", "old_age_too_young"
    if rule in LEARNT_WHOLE and certainty != "vague":
        return "auto", rule
    threshold = limits[not rule.removesuffix("_context").endswith(LOOKED_UP)]
    return ("auto" if certainty != "vague" and score >= threshold else "review"), rule


def _age_band(age_years: pd.Series, library: Library) -> pd.Series:
    """The limits that the dictionary asks about cut ages into bands; one age stands for each band."""
    from mortality.coding.ranking import PERINATAL_FROM_YEARS
    from mortality.coding.routes import NEWBORN_BELOW

    entries = [entry for group in library.dictionary.by_accented.values() for entry in group]
    asked = {limit for entry in entries for limit in (entry.age_from, entry.age_below) if limit is not None}
    limits = sorted(asked | {NEWBORN_BELOW, PERINATAL_FROM_YEARS, OLD_AGE_FROM})
    edges = [-float("inf"), *limits, float("inf")]
    inside = [limits[0] / 2, *[(a + b) / 2 for a, b in zip(limits, limits[1:])], limits[-1] + 1]
    return pd.cut(age_years, edges, right=False, labels=inside, ordered=False).astype("float64")


def _keys(deaths: pd.DataFrame, library: Library) -> pd.DataFrame:
    """Text, sex, age band and maternal status: what a decision depends on."""
    from mortality.coding.suggest import SEXES

    blank = pd.Series("", index=deaths.index)
    sexes = deaths.get("sex", blank).astype("str").str.strip().str.lower().map(SEXES)
    ages = pd.to_numeric(deaths.get("age_years", pd.Series(float("nan"), index=deaths.index)), errors="coerce")
    return pd.DataFrame(
        {
            "text": deaths["text"].fillna("").astype("str"),
            "sex": sexes.fillna(""),
            "age": _age_band(ages, library).fillna(-1.0),
            "maternal": deaths.get("maternal", blank).fillna("").astype("str"),
        }
    ).reset_index(drop=True)


def code_deaths(
    deaths: pd.DataFrame,
    *,
    limit: int = 5,
    at_most_wrong: float = AT_MOST_WRONG,
    learnt: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A coding decision for every death, each distinct (text, sex, age band, maternal status) read once.

    Parameters
    ----------
    deaths : columns id, text and optionally sex, age_years [years], maternal
    at_most_wrong : the share of wrong three-character codes among auto that is put up with
    learnt : entries that coders confirmed (`mortality.coder.entries.learnt_entries`): their whole words are auto, rule "learnt"

    Returns
    -------
    One row per row of `deaths`, in its order: id, text, decision (auto | review | uncodable),
    code_1 … code_5, score_1 … score_5, rule. `attrs`: dictionary_version, at_most_wrong, auto_from.
    Raises InputError where id or text is missing or the share is not between 0 and 1.
    """
    from mortality.coding.memory import Memory

    missing = [name for name in ("id", "text") if name not in deaths.columns]
    if missing:
        raise InputError("error.coding_columns", missing=", ".join(missing), found=", ".join(map(str, deaths.columns)))
    library = load_library(learnt=learnt)
    keys = _keys(deaths, library)
    distinct = keys.drop_duplicates().reset_index(drop=True)
    columns = ["decision", *[f"code_{n}" for n in range(1, limit + 1)]]
    columns += [*[f"score_{n}" for n in range(1, limit + 1)], "rule"]
    limits = _limits(at_most_wrong)
    with Memory(library) as memory:
        found = [memory.look_up(*key) for key in distinct.itertuples(index=False, name=None)]
    rows = [
        _row(one, sex, age, limit, limits)
        for one, sex, age in zip(found, distinct["sex"].tolist(), distinct["age"].tolist())
    ]
    coded = pd.concat([distinct, pd.DataFrame(rows, columns=columns)], axis=1)
    result = keys.merge(coded, on=list(keys.columns), how="left", validate="many_to_one")
    result.insert(0, "id", deaths["id"].to_numpy())
    result = result[["id", "text", *columns]]
    result.attrs |= {
        "dictionary_version": library.dictionary.version,
        "at_most_wrong": at_most_wrong,
        "auto_from": round(limits[0], 4),
        "auto_from_inferred": round(limits[1], 4),
    }
    return result


def _row(one: Remembered, sex: str, age: float, limit: int, limits: tuple[float, float]) -> tuple[object, ...]:
    empty = max(0, limit - len(one.codes))
    codes, scores = [*one.codes[:limit], *[""] * empty], [*one.scores[:limit], *[float("nan")] * empty]
    if not one.codes:
        return "uncodable", *codes, *scores, "no_match"
    verdict = _decision(one.codes[0], one.scores[0], one.rule, one.certainty, sex or None, age, limits)
    return verdict[0], *codes, *scores, verdict[1]

"""Words on the register → candidate codes, by exact match of the look-up form.

Scores are an order, not yet a probability: they are fixed steps by certainty and by how the match
was reached. Retrieval for unknown words and calibrated scores replace them later (issue 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from mortality.coding.dictionary import DictionaryEntry, LayDictionary, load_dictionary
from mortality.coding.normalise import accented_key, folded_key, has_accents, noise_steps, split_causes
from tkyt_analysis.errors import InputError

SCORE_BY_CERTAINTY = {"sure": 0.95, "likely": 0.70, "vague": 0.50}
FACTOR_BY_ROUTE = {"exact": 1.0, "folded": 0.95, "without_noise": 0.9}
FACTOR_AMBIGUOUS = 0.8
FACTOR_SECOND_CAUSE = 0.5
AUTO_FROM = 0.8
_FEMALE_ONLY = ("C51", "C52", "C53", "C54", "C55", "C56", "C57", "C58", "D25", "O")
_MALE_ONLY = ("C60", "C61", "C62", "C63", "N40")
_SEXES = {"m": "male", "nam": "male", "male": "male", "f": "female", "nữ": "female", "nu": "female", "female": "female"}


@dataclass(frozen=True)
class Candidate:
    """One code that the text may stand for: score 0–1, the rule that found it, the dictionary expression."""

    code: str
    score: float
    rule: str
    expression: str


def _best_first(entries: Iterable[DictionaryEntry], sex: str | None, age_years: float | None) -> list[DictionaryEntry]:
    """The entries that apply: those made for this sex or age first, then the surer; one per code."""
    applying = [entry for entry in entries if entry.applies(sex, age_years)]
    applying.sort(key=lambda entry: (not entry.has_context, -SCORE_BY_CERTAINTY[entry.certainty], entry.code))
    return list({entry.code: entry for entry in reversed(applying)}.values())[::-1]


def _look_up(dictionary: LayDictionary, text: str) -> tuple[tuple[DictionaryEntry, ...], str]:
    """Entries of the first form that is known, and the route: exact, folded, then without noise words."""
    forms = [("folded", folded_key(text), dictionary.by_folded)]
    if has_accents(text):
        forms.insert(0, ("exact", accented_key(text), dictionary.by_accented))
    for route, key, index in forms:
        if key in index:
            return index[key], route
    for _, key, index in forms:
        for shorter in noise_steps(key):
            if shorter in index:
                return index[shorter], "without_noise"
    return (), "none"


def _candidates(text: str, sex: str | None, age_years: float | None) -> list[Candidate]:
    entries, route = _look_up(load_dictionary(), text)
    factor = FACTOR_BY_ROUTE.get(route, 0.0)
    if len({accented_key(entry.expression) for entry in entries}) > 1:  # "bệnh than" and "bệnh thận" fold alike
        factor *= FACTOR_AMBIGUOUS
    return [
        Candidate(
            code=entry.code,
            score=round(SCORE_BY_CERTAINTY[entry.certainty] * factor * 0.95**rank, 4),
            rule=f"dictionary_{route}" + ("_context" if entry.has_context else ""),
            expression=entry.expression,
        )
        for rank, entry in enumerate(_best_first(entries, sex, age_years))
    ]


def _from_parts(text: str, sex: str | None, age_years: float | None) -> list[Candidate]:
    """A text of several causes: the candidates of each, the originating cause first, all for review."""
    parts = split_causes(text)
    if len(parts) < 2:
        return []
    found: list[Candidate] = []
    for rank, (part, relation) in enumerate(parts):
        factor = 0.8 * FACTOR_SECOND_CAUSE ** min(rank, 3)
        found += [
            Candidate(one.code, round(one.score * factor, 4), f"several_causes_{relation}", one.expression)
            for one in _candidates(part, sex, age_years)
        ]
    best: dict[str, Candidate] = {}
    for one in found:
        if one.code not in best or one.score > best[one.code].score:
            best[one.code] = one
    return sorted(best.values(), key=lambda one: -one.score)


def suggest_codes(
    text: str, *, limit: int = 5, sex: str | None = None, age_years: float | None = None
) -> list[Candidate]:
    """The codes that a register's words may stand for, best first, at most `limit`.

    Parameters
    ----------
    text : the words as written, with or without diacritics
    sex : "male" or "female" (also nam/nữ, M/F); age_years : completed years or a fraction; None if unknown

    Returns an empty list where no word is known: a coder reads those.
    """
    if not isinstance(text, str) or not text.strip():
        return []
    known_sex = _SEXES.get(str(sex).strip().lower()) if sex is not None else None
    found = _candidates(text, known_sex, age_years) or _from_parts(text, known_sex, age_years)
    return found[:limit]


def sex_conflict(code: str, sex: str | None) -> bool:
    """True for a code limited to the other sex (WHO Volume 2, annex 7.8; the groups only)."""
    return (sex == "male" and code.startswith(_FEMALE_ONLY)) or (sex == "female" and code.startswith(_MALE_ONLY))


def decide(candidates: list[Candidate], sex: str | None) -> tuple[str, str]:
    """(decision, rule): auto needs a sure single reading; nothing found is uncodable; the rest is review."""
    if not candidates:
        return "uncodable", "no_match"
    best = candidates[0]
    if sex_conflict(best.code, sex):
        return "review", "sex_conflict"
    rival = any(other.score >= AUTO_FROM for other in candidates[1:])
    if best.score >= AUTO_FROM and not rival and best.rule.startswith("dictionary_"):
        return "auto", best.rule
    return "review", best.rule


def _one_row(text: str, sex: str | None, age_years: float | None, limit: int) -> dict[str, object]:
    candidates = suggest_codes(text, limit=limit, sex=sex, age_years=age_years)
    decision, rule = decide(candidates, sex)
    codes = {f"code_{n}": "" for n in range(1, limit + 1)} | {
        f"code_{n}": one.code for n, one in enumerate(candidates, 1)
    }
    scores = {f"score_{n}": float("nan") for n in range(1, limit + 1)} | {
        f"score_{n}": one.score for n, one in enumerate(candidates, 1)
    }
    return {"decision": decision, **codes, **scores, "rule": rule}


def _age_band(age_years: pd.Series) -> pd.Series:
    """The limits that the dictionary asks about cut ages into bands; one age stands for each band."""
    entries = [entry for group in load_dictionary().by_accented.values() for entry in group]
    limits = sorted({limit for entry in entries for limit in (entry.age_from, entry.age_below) if limit is not None})
    edges = [-float("inf"), *limits, float("inf")]
    inside = [limits[0] / 2 if limits else 0.0, *[(a + b) / 2 for a, b in zip(limits, limits[1:])]]
    inside += [limits[-1] + 1] if limits else []
    return pd.cut(age_years, edges, right=False, labels=inside, ordered=False).astype("float64")


def code_deaths(deaths: pd.DataFrame, *, limit: int = 5) -> pd.DataFrame:
    """A coding decision for every death, each distinct (text, sex, age band) read once.

    Parameters
    ----------
    deaths : columns id, text and optionally sex, age_years [years]

    Returns
    -------
    One row per row of `deaths`, in its order: id, text, decision (auto | review | uncodable),
    code_1 … code_5, score_1 … score_5, rule. `attrs["dictionary_version"]` names the dictionary.
    Raises InputError where id or text is missing.
    """
    missing = [name for name in ("id", "text") if name not in deaths.columns]
    if missing:
        raise InputError("error.coding_columns", missing=", ".join(missing), found=", ".join(map(str, deaths.columns)))
    sexes = deaths.get("sex", pd.Series("", index=deaths.index)).astype("str").str.strip().str.lower().map(_SEXES)
    ages = pd.to_numeric(deaths.get("age_years", pd.Series(float("nan"), index=deaths.index)), errors="coerce")
    keys = pd.DataFrame(
        {"text": deaths["text"].fillna("").astype("str"), "sex": sexes.fillna(""), "age": _age_band(ages).fillna(-1.0)}
    ).reset_index(drop=True)
    distinct = keys.drop_duplicates().reset_index(drop=True)
    rows = [
        _one_row(text, sex or None, None if age < 0 else age, limit)
        for text, sex, age in distinct.itertuples(index=False, name=None)
    ]
    columns = ["decision", *[f"code_{n}" for n in range(1, limit + 1)]]
    columns += [*[f"score_{n}" for n in range(1, limit + 1)], "rule"]
    coded = pd.concat([distinct, pd.DataFrame(rows, columns=columns)], axis=1)
    result = keys.merge(coded, on=["text", "sex", "age"], how="left", validate="many_to_one")
    result.insert(0, "id", deaths["id"].to_numpy())
    result = result[["id", "text", *columns]]
    result.attrs["dictionary_version"] = load_dictionary().version
    return result

"""From choices to dictionary entries: which words coders agree on, and what reviewers said of them. Pure functions on tables.

States of an entry:
  waiting    not enough coders agree yet          disputed   coders chose differently, or two entries contradict each other
  learnt     the rule is met                      imported   came from another office, nobody here has looked
  accepted / refused / withdrawn                  the last word of a reviewer
  not_learnt the words name somebody, or were decided for a maternal death: they never become an entry
Entries in `ACTIVE` states code records.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pandas as pd

from mortality.coder.choices import CONTEXT, latest
from mortality.coder.keys import MASK, age_limits

ACTIVE = ("learnt", "accepted")
OF_EVENT = {"accept": "accepted", "refuse": "refused", "withdraw": "withdrawn", "import": "imported"}
COLUMNS = [
    "entry_id", "expression", "sex", "age_band", "code", "state", "confirmations", "coders", "reviewers", "against", "deaths", "first_at",
    "last_at", "dictionary_version", "source", "reviewed_by", "reviewed_at", "reason",
]  # fmt: skip
DICTIONARY_COLUMNS = ["expression", "icd10", "certainty", "sex", "age_from", "age_below", "note", "source"]


def entry_id(expression: str, sex: str, age_band: str, code: str) -> str:
    """The same words, context and code have the same id in every office."""
    return sha256("|".join((expression, sex, age_band, code)).encode()).hexdigest()[:12]


def learn(choices: pd.DataFrame, events: pd.DataFrame, rule: Mapping[str, float]) -> pd.DataFrame:
    """Every expression that coders decided or an office sent, one row per expression, context and code.

    Parameters
    ----------
    choices : rows of coder_choice; events : rows of coder_entry_event
    rule : `coders` different coders who agree, or `reviewers` reviewers, make an entry

    Returns
    -------
    columns COLUMNS, by expression, context and code; `against`: coders who chose otherwise for the same words and context.
    """
    found = _with_events(_confirmed(choices, rule), events)
    if found.empty:
        return pd.DataFrame(columns=COLUMNS)
    found["entry_id"] = [
        entry_id(*key) for key in found[["expression", "sex", "age_band", "code"]].itertuples(index=False)
    ]
    found = _without_contradictions(found)
    return found.sort_values(["expression", "sex", "age_band", "code"], ignore_index=True)[COLUMNS]


def _confirmed(choices: pd.DataFrame, rule: Mapping[str, float]) -> pd.DataFrame:
    """Agreements on words (not on single records) with the state that the rule gives them."""
    said = latest(choices[choices["death_id"] == ""]) if len(choices) else choices
    said = said[said["state"].isin(["code", "uncodable"])]
    if said.empty:
        return pd.DataFrame()
    by = [*CONTEXT, "state", "code"]
    said = said.assign(
        is_reviewer=said["reviewer"].astype(bool), by_reviewer=said["coder"].where(said["reviewer"].astype(bool))
    )
    rows = said.groupby(by, as_index=False, dropna=False).agg(
        confirmations=("choice_number", "size"), coders=("coder", "nunique"), reviewers=("by_reviewer", "nunique"),
        deaths=("deaths", "max"), first_at=("decided_at", "min"), last_at=("decided_at", "max"), dictionary_version=("dictionary_version", "last"),
    )  # fmt: skip
    rows["against"] = rows.groupby(CONTEXT)["coders"].transform("sum") - rows["coders"]
    reviewed = rows["reviewers"] >= rule["reviewers"]
    enough = reviewed | ((rows["coders"] >= rule["coders"]) & (rows["against"] == 0))
    rows["state"] = np.select(
        [
            rows["text_key"].str.contains(MASK, regex=False) | rows["maternal"].astype(bool),
            enough,
            rows["against"] > 0,
        ],
        ["not_learnt", "learnt", "disputed"],
        "waiting",
    )
    rows = rows[rows["code"] != ""]
    return rows.rename(columns={"text_key": "expression"}).assign(source="own")


def _with_events(rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The entries with the last word of reviewers; entries of other offices that nobody decided here added."""
    key = ["expression", "sex", "age_band", "code"]
    if rows.empty and events.empty:
        return pd.DataFrame()
    last = events.sort_values("event_number").drop_duplicates(key, keep="last") if len(events) else events
    if rows.empty:
        rows = pd.DataFrame(columns=[*key, "maternal", "state", "confirmations", "coders", "reviewers", "deaths", "first_at",
                                     "last_at", "dictionary_version", "against", "source"])  # fmt: skip
    words = last.rename(columns={"confirmations": "at_event", "dictionary_version": "version_then", "source": "from_office",
                                 "decided_by": "reviewed_by", "decided_at": "reviewed_at"})  # fmt: skip
    merged = rows.merge(
        words[[*key, "event", "at_event", "version_then", "from_office", "reason", "reviewed_by", "reviewed_at"]],
        on=key,
        how="outer",
    )
    judged = merged["event"].map(OF_EVENT)
    own = merged["state"].notna()
    keep_own = judged.isna() | (merged["state"] == "not_learnt") | ((judged == "imported") & own)
    merged["state"] = merged["state"].where(keep_own, judged)
    counts = {
        name: pd.to_numeric(merged[name]).fillna(0).astype("int64")
        for name in ("coders", "reviewers", "deaths", "against")
    }
    return merged.assign(
        **counts,
        confirmations=pd.to_numeric(merged["confirmations"]).fillna(merged["at_event"]).astype("int64"),
        source=merged["from_office"].where(merged["source"].isna(), merged["source"]),
        dictionary_version=merged["dictionary_version"].fillna(merged["version_then"]),
        **{name: merged[name].fillna("") for name in ("first_at", "last_at", "reviewed_by", "reviewed_at", "reason")},
    )


def _without_contradictions(rows: pd.DataFrame) -> pd.DataFrame:
    """Of several active codes for the same words and context the one accepted last stays; without one all are disputed."""
    where = ["expression", "sex", "age_band"]
    active = rows[rows["state"].isin(ACTIVE)]
    several = active[active.duplicated(where, keep=False)]
    if several.empty:
        return rows
    ordered = several.sort_values(["reviewed_at", "entry_id"])
    best = ordered[ordered["state"] == "accepted"].drop_duplicates(where, keep="last")["entry_id"]
    lost = several.loc[~several["entry_id"].isin(best), "entry_id"]
    return rows.assign(state=rows["state"].where(~rows["entry_id"].isin(lost), "disputed"))


def as_dictionary(entries: pd.DataFrame, *, office: str = "") -> pd.DataFrame:
    """Active entries as rows of a lay dictionary (DICTIONARY_COLUMNS, all text): the note says who, when and how many.

    office : written as the source; without it the source is "learnt"
    """
    rows = entries[entries["state"].isin(ACTIVE)].reset_index(drop=True)
    limits = [age_limits(band, code) for band, code in zip(rows["age_band"], rows["code"], strict=True)]
    return pd.DataFrame(
        {
            "expression": rows["expression"],
            "icd10": rows["code"],
            "certainty": "sure",
            "sex": rows["sex"],
            "age_from": [one for one, _ in limits],
            "age_below": [one for _, one in limits],
            "note": [_provenance(one) for one in rows.to_dict("records")],
            "source": f"learnt:{office}" if office else "learnt",
        },
        columns=DICTIONARY_COLUMNS,
    ).astype("str")


def _provenance(row: Mapping[str, object]) -> str:
    """Machine-readable: how many confirmed it, when, on which dictionary; no account names."""
    days = "/".join(dict.fromkeys(str(row[name])[:10] for name in ("first_at", "last_at", "reviewed_at") if row[name]))
    return (
        f"learnt confirmations={row['confirmations']} coders={row['coders']} reviewers={row['reviewers']} "
        f"deaths={row['deaths']} days={days} dictionary={row['dictionary_version']} origin={row['source']}"
    )


def version_of(entries: pd.DataFrame) -> str:
    """Twelve characters that change whenever an active entry comes, goes or changes; "" without active entries."""
    active = entries.loc[entries["state"].isin(ACTIVE), "entry_id"].sort_values()
    return sha256("\n".join(active).encode()).hexdigest()[:12] if len(active) else ""

"""Records of the same person: what is stored already while one is typed, and pairs to be judged side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access import require
from tkyt_analysis.access.scopes import is_known
from tkyt_analysis.labels import current_language, format_number

ASKED_BY = ("full_name", "death_date")  # with both of them there, stored records of the same person are looked for
LOOKED_AT = (*ASKED_BY, "sex", "birth", "age", "id_number", "address")
LIKELY, MOST_PAIRS = 5, 50


@dataclass(frozen=True)
class Likely:
    """A stored record that may be of the person who is typed: how likely (text), and why."""

    record_id: str
    probability: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two stored records to judge. rows : (field, value in a, value in b, whether they differ)."""

    record_a: str
    record_b: str
    probability: str
    reasons: tuple[str, ...]
    rows: tuple[tuple[str, str, str, bool], ...]
    left: int  # pairs that wait, this one included


def may_look(values: Mapping[str, str]) -> bool:
    """Whether enough is typed to look for the person."""
    return all(values.get(name) for name in ASKED_BY) and len(values["full_name"].split()) > 1


def likely_same(home: Path, values: Mapping[str, str], *, unit_id: str = "", corrects: str = "") -> list[Likely]:
    """Stored records that may be of the same person, most likely first; [] for a home without deaths.

    corrects : the record that is being corrected is no other
    """
    from mortality.linkage.review import similar_to

    require(home, "read")
    if not (Path(home) / "warehouse").exists():
        return []
    record = {name: values[name] for name in LOOKED_AT if values.get(name)}
    found = similar_to(
        home, record | ({"place_code": unit_id.partition(":")[2]} if is_known(unit_id) else {}), limit=LIKELY + 1
    )
    rows = [row for row in found.to_dict("records") if row["record_id"] != corrects]
    return [
        Likely(str(row["record_id"]), _percent(row["probability"]), _words(row["reasons"])) for row in rows[:LIKELY]
    ]


def _percent(value: float) -> str:
    return f"{format_number(100 * float(value), 0, current_language())} %"


def _words(reasons: Any) -> tuple[str, ...]:
    """Reasons as sentences, however they come: a list of texts, or one text."""
    if isinstance(reasons, str):
        return (reasons,) if reasons else ()
    return tuple(str(one) for one in reasons)


def next_pair(home: Path, *, skipped: frozenset[tuple[str, str]] = frozenset()) -> Pair | None:
    """The pair to judge next, those that were skipped in this session last of all left out; None when none waits."""
    from mortality.linkage.review import review_queue

    require(home, "read")
    if not (Path(home) / "warehouse").exists():
        return None
    waiting = review_queue(home, limit=MOST_PAIRS + len(skipped))
    rows = [row for row in waiting.to_dict("records") if (row["record_a"], row["record_b"]) not in skipped]
    if not rows:
        return None
    first = rows[0]
    ids = [str(first["record_a"]), str(first["record_b"])]
    return Pair(ids[0], ids[1], _percent(first["probability"]), _words(first["reasons"]), compare(home, ids), len(rows))


def compare(home: Path, record_ids: list[str]) -> tuple[tuple[str, str, str, bool], ...]:
    """The fields of two records beside each other; identifiers only with the right (an audit line says why)."""
    from mortality.linkage.review import side_by_side

    table = side_by_side(home, record_ids)
    names = [column for column in table.columns if column not in ("field", "title")]
    titles = table["title"] if "title" in table else table["field"] if "field" in table else pd.Series(table.index)
    fields = table.get("field", titles)
    left, right = (table[name].astype("object").where(table[name].notna(), "").astype(str) for name in names[:2])
    return tuple(
        (str(title), _in_words(field, a), _in_words(field, b), a.strip().casefold() != b.strip().casefold())
        for field, title, a, b in zip(fields, titles, left, right, strict=True)
    )


def _in_words(field: str, value: str) -> str:
    """A code of a choice in words; any other text as it stands."""
    from mortality.capture.fields import form_fields, shown

    known = form_fields().get(str(field))
    return shown(known, value, current_language()) if known else value


def judge(home: Path, record_a: str, record_b: str, decision: str, reason: str) -> None:
    """Say "same" or "different", with a reason; "open" takes back what was said."""
    from mortality.linkage.decisions import decide

    decide(home, record_a, record_b, decision, reason)

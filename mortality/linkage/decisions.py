"""What people decided about pairs of death records: appended, never changed; the latest word on a pair counts.

A decision names two records. "same" always joins them, "different" always keeps them apart (it goes before any "same" that
would bring them together through a third record), "open" takes back what was decided before. A corrected record inherits
the decisions on the one that it replaces.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tkyt_analysis.access import Account
    from tkyt_analysis.warehouse.lake import Warehouse

DECISIONS = ("same", "different", "open")
TABLE = "death_link_decision"
# The record that stands for each corrected one today (a chain of corrections is followed to its end).
_STANDS_FOR = """
    WITH RECURSIVE one AS (
        SELECT record_id, any_value(replaced_by ORDER BY decided_at DESC) AS replaced_by FROM lake.record_replacement
        WHERE record_id IS NOT NULL AND replaced_by IS NOT NULL AND record_id <> replaced_by GROUP BY 1
    ), chain AS (
        SELECT record_id, replaced_by, 1 AS step FROM one
        UNION ALL SELECT c.record_id, o.replaced_by, c.step + 1 FROM chain c JOIN one o ON o.record_id = c.replaced_by WHERE c.step < 50
    ) SELECT record_id, arg_max(replaced_by, step) AS stands FROM chain GROUP BY 1
"""


@dataclass(frozen=True)
class DecisionOutcome:
    """What a decision did: how many pairs were decided, and the person ids of the records now ("" where one stands alone)."""

    decision: str
    pairs: int
    persons: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def current_decisions(warehouse: Warehouse) -> pd.DataFrame:
    """record_a, record_b (record_a < record_b), decision (same or different), decision_number: the latest word on each pair."""
    columns = ["record_a", "record_b", "decision", "decision_number"]
    if not warehouse.has(TABLE):
        return pd.DataFrame(columns=columns)
    stands = _STANDS_FOR if warehouse.has("record_replacement") else "SELECT '' AS record_id, '' AS stands"
    rows = warehouse.query(
        f"""
        WITH stands AS ({stands}), word AS (
            SELECT coalesce(a.stands, d.record_a) AS one, coalesce(b.stands, d.record_b) AS other, d.decision, d.decision_number
            FROM lake.{TABLE} d LEFT JOIN stands a ON a.record_id = d.record_a LEFT JOIN stands b ON b.record_id = d.record_b
        )
        SELECT least(one, other) AS record_a, greatest(one, other) AS record_b, arg_max(decision, decision_number) AS decision,
               max(decision_number) AS decision_number
        FROM word WHERE one <> other GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    return rows[rows["decision"] != "open"].reset_index(drop=True)[columns]


def with_decisions(pairs: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """The pairs with state same or different where somebody decided, and decided pairs that the engine did not offer added
    (without weight or contradiction). Column decision_number: missing where nobody decided."""
    merged = pairs.merge(decisions, on=["record_a", "record_b"], how="outer", validate="one_to_one")
    said = merged.pop("decision")
    state = merged["state"].where(said.isna(), said)
    return merged.assign(state=state, contradiction=merged["contradiction"].fillna(""))


def decide(home: Path, record_a: str, record_b: str, decision: str, reason: str) -> DecisionOutcome:
    """Say that two records are of one person ("same"), of two ("different"), or take back what was said ("open").

    reason : kept with account and time; numbers and names of persons in it are masked. Persons are made anew at once.
    Raises InputError for an unknown record, the same record twice, no reason, or without the right to check at the places
    of both records.
    """
    if decision not in DECISIONS:
        raise InputError("error.link_decision", found=decision, expected=", ".join(DECISIONS))
    if record_a == record_b:
        raise InputError("error.link_one_record", record=record_a)
    return decide_pairs(home, pd.DataFrame({"record_a": [record_a], "record_b": [record_b], "decision": [decision],
                                            "reason": [reason]}))  # fmt: skip


def split(home: Path, record_id: str, reason: str) -> DecisionOutcome:
    """Take a record out of its person: "different" from every other record that stands there now.

    Raises InputError where the record stands alone.
    """
    from mortality.linkage.persons import person_of, reading

    with reading(home) as warehouse:
        record_id = full_ids(warehouse, [record_id])[0]
        others = [one for one in person_of(warehouse, record_id) if one != record_id]
    if not others:
        raise InputError("error.link_stands_alone", record=record_id)
    rows = pd.DataFrame({"record_a": record_id, "record_b": others, "decision": "different", "reason": reason})
    return decide_pairs(home, rows)


def decide_pairs(home: Path, rows: pd.DataFrame) -> DecisionOutcome:
    """Several decisions at once, all or none: rows of record_a, record_b, decision, reason (see `decide`)."""
    from mortality.linkage.persons import remake_persons
    from tkyt_analysis.access import require, working_within
    from tkyt_analysis.access.audit import record
    from tkyt_analysis.warehouse.lake import Warehouse, create_home

    account = require(home, "check")
    if (rows["reason"].str.strip() == "").any():
        raise InputError("error.link_no_reason")
    create_home(home)
    with working_within(), Warehouse(home, write=True) as warehouse, warehouse.turn():
        wanted = [*rows["record_a"], *rows["record_b"]]
        ids = full_ids(warehouse, wanted)
        given = rows.assign(record_a=ids[: len(rows)], record_b=ids[len(rows) :])
        _require_places(home, warehouse, ids)
        with warehouse.transaction():
            _append(warehouse, given, account)
            persons = remake_persons(warehouse, ids)
    record(home, "death_link_decided", rows=len(given), decision=" ".join(sorted(set(given["decision"]))))
    return DecisionOutcome(str(given["decision"].iloc[0]), len(given), persons)


def _append(warehouse: Warehouse, rows: pd.DataFrame, account: Account) -> None:
    from tkyt_analysis.access.masking import mask_text
    from tkyt_analysis.workflow.states import event_time, utc_now

    first = int(warehouse.one(f"SELECT coalesce(max(decision_number), 0) FROM lake.{TABLE}")[0]) + 1
    pair = rows[["record_a", "record_b"]]
    given = pd.DataFrame(
        {
            "decision_number": range(first, first + len(rows)),
            "record_a": pair.min(axis=1),
            "record_b": pair.max(axis=1),
            "decision": rows["decision"],
            "reason": [mask_text(text.strip()) for text in rows["reason"]],
            "decided_at": event_time(utc_now()),
            "decided_by": account.name,
        }
    )
    warehouse.con.register("incoming", given)
    warehouse.con.execute(f"INSERT INTO lake.{TABLE} BY NAME SELECT * FROM incoming")
    warehouse.con.unregister("incoming")


def _require_places(home: Path, warehouse: Warehouse, ids: Sequence[str]) -> None:
    """The right to check at the place of every record."""
    from tkyt_analysis.access import NATION, require

    for unit in sorted(set(units_of_records(warehouse, ids).values())):
        require(home, "check", place=unit or NATION)


def full_ids(warehouse: Warehouse, wanted: Sequence[str]) -> list[str]:
    """The record ids that these ids or their beginnings (six characters or more) name, in their order.

    Raises InputError for one that no record has, or several.
    """
    whole = units_of_records(warehouse, wanted)
    return [one if one in whole else _begun(warehouse, one.strip()) for one in wanted]


def _begun(warehouse: Warehouse, text: str) -> str:
    """The one record whose id begins with the text."""
    rows = warehouse.query(
        "SELECT death_id AS id FROM lake.death WHERE starts_with(death_id, $1) "
        "UNION SELECT event_id FROM lake.sent_home_dying WHERE starts_with(event_id, $1) ORDER BY 1 LIMIT 2",
        [text],
    )["id"].tolist()
    if len(text) < 6 or not rows:
        raise InputError("error.link_record_unknown", record=text)
    if len(rows) > 1:
        raise InputError("error.link_record_several", record=text)
    return str(rows[0])


def units_of_records(warehouse: Warehouse, ids: Sequence[str]) -> dict[str, str]:
    """{record: the unit at whose door it came in}."""
    warehouse.con.register("wanted_record", pd.DataFrame({"id": pd.Series(list(ids), dtype="str")}))
    rows = warehouse.con.execute(
        "SELECT death_id, coalesce(unit_id, '') FROM lake.death WHERE death_id IN (SELECT id FROM wanted_record) UNION ALL "
        "SELECT event_id, coalesce(unit_id, '') FROM lake.sent_home_dying WHERE event_id IN (SELECT id FROM wanted_record)"
    ).fetchall()
    warehouse.con.unregister("wanted_record")
    return {str(record): str(unit) for record, unit in rows}


def history(home: Path, record_a: str, record_b: str) -> pd.DataFrame:
    """What was decided on a pair: decided_at, decided_by, decision, reason; the first first."""
    from mortality.linkage.persons import reading

    with reading(home) as warehouse:
        a, b = sorted(full_ids(warehouse, [record_a, record_b]))
        return warehouse.query(
            f"SELECT decided_at, decided_by, decision, reason FROM lake.{TABLE} WHERE record_a = ? AND record_b = ? ORDER BY decision_number",
            [a, b],
        )

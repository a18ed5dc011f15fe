"""What coders chose: rows of `coder_choice`, appended, never changed; the latest choice of a coder on the same matter counts.

A choice is about words in a context (every record with these words), or about one record. Words are stored in normal form
with names and numbers of persons masked. Choices that concern HIV are shown to accounts with that right only.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.coder.keys import AGE_BANDS, SEXES, text_key
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from mortality.coding.suggest import Candidate
    from tkyt_analysis.access import Account
    from tkyt_analysis.warehouse.lake import Warehouse

TABLE, EVENTS, SAMPLES = "coder_choice", "coder_entry_event", "coder_sample"
STATES = ("code", "uncodable", "ask", "withdrawn")
CONTEXT = ["text_key", "sex", "age_band", "maternal"]


@dataclass(frozen=True)
class Choice:
    """One decision of a coder.

    text : the words as written; death_id : one record ("" = every record with these words in this context)
    sex, age_band, maternal : the context (`keys`); state : code | uncodable | ask | withdrawn (take back one's own)
    code : where state is code; suggested : the candidates that were shown, best first; deaths : records it codes
    decided_at : UTC as `event_time` writes it ("" = now)
    """

    text: str
    state: str = "code"
    code: str = ""
    death_id: str = ""
    sex: str = ""
    age_band: str = ""
    maternal: bool = False
    suggested: tuple[Candidate, ...] = ()
    deaths: int = 1
    sample_id: str = ""
    note: str = ""
    decided_at: str = ""


@dataclass(frozen=True)
class Recorded:
    """A choice as it was stored: its number, the words in normal form, the code with its dot."""

    choice_number: int
    text_key: str
    state: str
    code: str


def rule_of_learning(day: datetime.date | None = None) -> dict[str, float]:
    """Numbers of the catalog `coder_learning` in force on `day` (today): coders, reviewers, export_least_deaths, low_score,
    least_per_stratum, least_for_kappa."""
    from tkyt_analysis.catalog.loader import load_entry

    return dict(load_entry("thresholds", "coder_learning").at(day or datetime.date.today()))


def may_code(home: Path) -> bool:
    """Whether the account at work may code: the right to check (docs/access.md)."""
    from tkyt_analysis.access import current_account, decide

    return decide(current_account(home), "check").allowed


def is_reviewer(account: Account) -> bool:
    """Whether an account reviews: it may check the whole nation (learnt words count for the whole home), or was granted approval."""
    from tkyt_analysis.access import NATION, decide

    granted = "approve" in account.grants and decide(account, "approve").allowed
    return decide(account, "check", place=NATION).allowed or (granted and decide(account, "check").allowed)


def may_know_hiv(home: Path) -> bool:
    """Whether words and codes about HIV may be shown to the account at work."""
    from tkyt_analysis.access import current_account, decide

    return decide(current_account(home), "read_hiv").allowed


def record_choice(home: Path, choice: Choice) -> Recorded:
    """Store one choice of the account at work (see `record_choices`)."""
    return record_choices(home, [choice])[0]


def record_choices(home: Path, given: Sequence[Choice]) -> list[Recorded]:
    """Store choices of the account at work, all or none, in their order.

    Raises InputError without the right to check (at the record's place where one is named), for words of HIV without the
    right to know, for a code that is no lowest-level code of the registry, for no words, for an unknown record or sample.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.audit import record

    account = require(home, "check")
    rows = _rows(given, account)
    _require_hiv(home, rows)
    with writing(home) as warehouse, warehouse.turn():
        _require_records(home, warehouse, rows)
        first = int(warehouse.one(f"SELECT coalesce(max(choice_number), 0) FROM lake.{TABLE}")[0]) + 1
        rows.insert(0, "choice_number", range(first, first + len(rows)))
        with warehouse.transaction():
            append(warehouse, TABLE, rows)
    record(home, "coder_choice", rows=len(rows))
    return [
        Recorded(int(number), key, state, code)
        for number, key, state, code in rows[["choice_number", "text_key", "state", "code"]].itertuples(index=False)
    ]


def _rows(given: Sequence[Choice], account: Account) -> pd.DataFrame:
    """The choices as rows of the table, checked."""
    from mortality.coding.dictionary import load_dictionary
    from tkyt_analysis.access.masking import mask_text
    from tkyt_analysis.workflow.states import event_time, utc_now

    now = event_time(utc_now())
    codes = [checked_choice(one) for one in given]
    return pd.DataFrame(
        {
            "text_key": [text_key(one.text) for one in given],
            "death_id": [one.death_id for one in given],
            "sex": [one.sex for one in given],
            "age_band": [one.age_band for one in given],
            "maternal": [one.maternal for one in given],
            "state": [one.state for one in given],
            "code": codes,
            "suggested": [suggested_json(one.suggested) for one in given],
            "accepted_rank": [rank_of(code, one.suggested) for code, one in zip(codes, given, strict=True)],
            "deaths": [one.deaths for one in given],
            "dictionary_version": load_dictionary().version,
            "sample_id": [one.sample_id for one in given],
            "note": [mask_text(one.note.strip())[:500] for one in given],
            "coder": account.name,
            "reviewer": is_reviewer(account),
            "decided_at": [one.decided_at or now for one in given],
        }
    )


def checked_choice(one: Choice) -> str:
    """The code of a choice with its dot ("" where it chose none); raises InputError for what cannot be stored."""
    for name, allowed in (("state", STATES), ("sex", SEXES), ("age_band", AGE_BANDS)):
        if getattr(one, name) not in allowed:
            raise InputError(
                "error.coder_value", field=name, found=getattr(one, name), expected=", ".join(filter(None, allowed))
            )
    if not text_key(one.text):
        raise InputError("error.coder_no_words")
    return checked_code(one.code) if one.state == "code" else ""


def checked_code(written: str) -> str:
    """A code with its dot. Raises InputError where it is no lowest-level code of the registry."""
    from mortality.icd import is_lowest_level, is_valid_code, normalise_code

    code = normalise_code(written)
    if not (is_valid_code(code) and is_lowest_level(code)):
        raise InputError("error.coder_code", found=written)
    return code


def suggested_json(candidates: Sequence[Candidate]) -> str:
    """The candidates as they were shown: code, score, rule."""
    return json.dumps([{"code": one.code, "score": round(one.score, 4), "rule": one.rule} for one in candidates])


def rank_of(code: str, candidates: Sequence[Candidate]) -> int:
    """Which candidate the code was, from 1; 0 where it was none."""
    return next((rank for rank, one in enumerate(candidates, 1) if code and one.code == code), 0)


def _require_hiv(home: Path, rows: pd.DataFrame) -> None:
    """Words about HIV are decided by accounts that may know."""
    import duckdb

    if may_know_hiv(home):
        return
    with duckdb.connect() as con:
        hidden = con.execute(f"SELECT count(*) FROM rows WHERE {concerns_hiv()}").fetchone()
    if hidden and hidden[0]:
        raise InputError("error.coder_hiv")


def concerns_hiv(text: str = "text_key", code: str = "") -> str:
    """SQL condition: the row concerns HIV by its words (and its code, where a column is named)."""
    from tkyt_analysis.access.hiv import has_code, has_words

    return f"({has_words(text)} OR {has_code(code)})" if code else has_words(text)


def _require_records(home: Path, warehouse: Warehouse, rows: pd.DataFrame) -> None:
    """The records exist in the places where the account may check; the samples exist."""
    from mortality.linkage.decisions import units_of_records
    from tkyt_analysis.access import NATION, require

    ids = sorted(set(rows["death_id"]) - {""})
    units = units_of_records(warehouse, ids) if ids else {}
    for missing in sorted(set(ids) - set(units)):
        raise InputError("error.link_record_unknown", record=missing)
    for unit in sorted(set(units.values())):
        require(home, "check", place=unit or NATION)
    for sample, death in sorted(set(rows.loc[rows["sample_id"] != "", ["sample_id", "death_id"]].itertuples(index=False, name=None))):  # fmt: skip
        sql = f"SELECT count(*) FROM lake.{SAMPLES} WHERE sample_id = ? AND death_id = ?"
        if not warehouse.one(sql, [sample, death])[0]:
            raise InputError("error.coder_not_in_sample", sample=sample, record=death[:8])


# ------------------------------------------------------------------------------------------------ the tables of this room


@contextmanager
def writing(home: Path) -> Iterator[Warehouse]:
    """The home for appending; tables that a home of an earlier version lacks are made first."""
    from tkyt_analysis.access import working_within
    from tkyt_analysis.warehouse.lake import Warehouse, create_home

    with working_within():
        if (Path(home) / "warehouse").exists():
            with Warehouse(home, write=True) as warehouse:
                if all(has_columns(warehouse, table) for table in (TABLE, EVENTS, SAMPLES)):
                    yield warehouse
                    return
        create_home(home)
        with Warehouse(home, write=True) as warehouse:
            yield warehouse


def append(warehouse: Warehouse, table: str, rows: pd.DataFrame) -> None:
    """Add rows to a table of the lake, inside the caller's transaction."""
    warehouse.con.register("incoming", rows)
    warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
    warehouse.con.unregister("incoming")


def read_table(warehouse: Warehouse, table: str, *, order: str, where: str = "TRUE") -> pd.DataFrame:
    """Rows of a table of this room; none in a home that does not have it yet."""
    if has_columns(warehouse, table):
        return warehouse.query(f"SELECT * FROM lake.{table} WHERE {where} ORDER BY {order}")
    return pd.DataFrame(columns=_columns(table))


def has_columns(warehouse: Warehouse, table: str, columns: str = "1") -> bool:
    """Whether the home has the table (with these columns): asked by a query without rows, which is quicker than the list of all."""
    import duckdb

    try:
        warehouse.con.execute(f"SELECT {columns} FROM lake.{table} LIMIT 0")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _columns(table: str) -> list[str]:
    from tkyt_analysis.catalog import load_entries

    return list(load_entries("datasets")[table].columns)


def choices(home: Path, *, as_of: str = "") -> pd.DataFrame:
    """Every choice in its order, as stored; those that concern HIV only for accounts that may know.

    as_of : a moment "YYYY-MM-DD HH:MM:SS" (UTC): only what had been decided by then
    """
    from tkyt_analysis.access import require, working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    require(home, "check")
    if not (Path(home) / "warehouse").exists():
        return pd.DataFrame(columns=_columns(TABLE))
    with working_within(), Warehouse(home) as warehouse:
        rows = read_table(warehouse, TABLE, order="choice_number", where=shown_rows(home))
    return until(rows, as_of)


def shown_rows(home: Path) -> str:
    """SQL condition: the choices that the account at work may read."""
    return "TRUE" if may_know_hiv(home) else f"NOT {concerns_hiv(code='code')}"


def until(rows: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """The rows decided up to a moment (UTC); all of them for ""."""
    return rows[rows["decided_at"] <= as_of].reset_index(drop=True) if as_of else rows


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """The last word of each coder on each matter (words in a context, or a record; once per sample), without those taken back."""
    matter = [*CONTEXT, "death_id", "sample_id", "coder"]
    last = rows.sort_values("choice_number").drop_duplicates(matter, keep="last")
    return last[last["state"] != "withdrawn"].reset_index(drop=True)


def as_text(value: Any) -> str:
    """A cell as text; nothing for a missing one."""
    return "" if value is None or pd.isna(value) else str(value)

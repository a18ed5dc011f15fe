"""Helpers of the tests of coders: choices as drawn tables, and a home whose deaths and machine decisions the test draws."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from support import table

from tkyt_analysis.access.accounts import AccountRecord, changing
from tkyt_analysis.warehouse.lake import Warehouse, create_home

COMMUNE, NEIGHBOUR = "VN2025:21115", "VN2025:21040"
RULE = {"coders": 2, "reviewers": 1}
NO_EVENTS = pd.DataFrame(columns=["event_number", "entry_id", "expression", "sex", "age_band", "code", "event", "confirmations",
                                  "dictionary_version", "source", "reason", "decided_by", "decided_at"])  # fmt: skip


def drawn_choices(text: str) -> pd.DataFrame:
    """Rows of coder_choice from a drawn table of words, coder, code and whatever else matters ("-" = empty); the rest is plain."""
    rows = table(text).rename(columns={"words": "text_key"}).replace("-", "")
    count = len(rows)
    plain = {
        "choice_number": range(1, count + 1), "death_id": "", "sex": "", "age_band": "", "maternal": False, "state": "code", "suggested": "[]",
        "accepted_rank": 0, "deaths": 1, "dictionary_version": "v1", "sample_id": "", "note": "", "reviewer": False,
        "decided_at": [f"2026-11-20 08:00:{number:02}.000000" for number in range(count)],
    }  # fmt: skip
    for name, value in plain.items():
        if name not in rows:
            rows[name] = value
    rows["reviewer"] = rows["reviewer"].isin([True, "yes"])
    return rows


def event(number: int, words: str, code: str, what: str, **more: object) -> dict[str, object]:
    """A row of coder_entry_event."""
    return {"event_number": number, "entry_id": "", "expression": words, "sex": "", "age_band": "", "code": code, "event": what,
            "confirmations": 1, "dictionary_version": "v1", "source": "own", "reason": "đã xem", "decided_by": "duyet",
            "decided_at": f"2026-11-21 08:00:{number:02}.000000"} | more  # fmt: skip


def home_with_deaths(home: Path, rows: pd.DataFrame) -> Path:
    """A home with these deaths: id, words, and optionally sex, age, maternal, unit, decision, code, score, rule."""
    create_home(home)
    count = len(rows)
    plain = {"sex": "male", "age": 70.0, "maternal": False, "unit": COMMUNE, "decision": "review", "code": "", "score": 0.4,
             "rule": "dictionary:no_match"}  # fmt: skip
    for name, value in plain.items():
        if name not in rows:
            rows = rows.assign(**{name: value})
    rows = rows.assign(id=rows["id"].str.ljust(8, "_"))
    deaths = pd.DataFrame(
        {
            "death_id": rows["id"], "source": "a6", "unit_id": rows["unit"], "death_date": pd.Timestamp("2025-08-10"),
            "sex": rows["sex"], "age_years": rows["age"].astype(float), "cause_text": rows["words"], "maternal_death": rows["maternal"].astype(bool),
            "file_sha256": "f1", "sheet": "Tử vong", "row_number": range(1, count + 1),
        }
    )  # fmt: skip
    codes = rows.rename(columns={"id": "death_id"})[["death_id", "code", "decision", "score", "rule"]]
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for name, frame in (("death", deaths), ("death_code", codes.assign(code=codes["code"].fillna("")))):
            warehouse.con.register("incoming", frame)
            warehouse.con.execute(f"INSERT INTO lake.{name} BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")
    return home


@contextmanager
def small_library():
    """The engine with one of its dictionaries and no titles: quick to build anew for each set of learnt words."""
    from mortality.coding import dictionary, library

    def small(source, learnt):
        return library.Library(dictionary.dictionary_of(("lay_dictionary_nerves",), learnt), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "_library", cache(small))
        patch.setattr(dictionary, "dictionary_codelists", lambda: ["lay_dictionary_nerves"])
        yield


def add_coders(home: Path) -> None:
    """The owner as a reviewer of the ministry who may know of HIV; two coders of a commune without the right to HIV, one of another commune, one who may not check."""
    from tkyt_analysis.access.accounts import name_of_user

    owner = name_of_user()
    with changing(home) as accounts:
        accounts[owner] = AccountRecord(
            owner, "ministry", "VN", owner, since="2020-01-01", grants=_grants("identifiers", "hiv", "administer")
        )
        for name, unit in (("an", COMMUNE), ("binh", COMMUNE), ("xa_khac", NEIGHBOUR)):
            accounts[name] = AccountRecord(name, "province_unit", unit, since="2020-01-01", grants=_grants("check"))
        accounts["khong"] = AccountRecord("khong", "province_unit", COMMUNE, since="2020-01-01")


def _grants(*names: str) -> tuple:
    from tkyt_analysis.access.accounts import Right

    return tuple(Right(name, "thử", "chủ kho", "2020-01-01") for name in names)

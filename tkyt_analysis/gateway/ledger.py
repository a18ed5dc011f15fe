"""The gateway's ledger: what was asked of a server, what came, and what is still to be asked. One SQLite file a server.

It lies in `work/gateway/<server>/` of the home, holds no secrets, and is what lets a killed pull or push go on. Answers lie
beside it only until they are received into the warehouse.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.errors import ProcessingError

PLANNED, DONE, SPLIT, FAILED, REPEATED, RECEIVED = "planned", "done", "split", "failed", "repeated", "received"

_TABLES = """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY, arguments TEXT, who TEXT, server_time TEXT, started TEXT, ended TEXT, state TEXT,
    planned INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS ask (
    run_id TEXT, number INTEGER, what TEXT, path TEXT, params TEXT, units TEXT, period TEXT, state TEXT, sha256 TEXT,
    file TEXT, rows INTEGER, deleted INTEGER, approval TEXT, attempts INTEGER, asked_at TEXT, reason TEXT, fields TEXT,
    stamped INTEGER DEFAULT 0,     PRIMARY KEY (run_id, number));
CREATE TABLE IF NOT EXISTS recent (arguments TEXT, value TEXT, PRIMARY KEY (arguments, value));
CREATE TABLE IF NOT EXISTS approval (
    run_id TEXT, workflow TEXT, period TEXT, unit TEXT, attribute TEXT, state TEXT,
    PRIMARY KEY (run_id, workflow, period, unit, attribute));
CREATE TABLE IF NOT EXISTS push (
    payload TEXT, chunk INTEGER, sha256 TEXT, summary TEXT, who TEXT, sent_at TEXT, PRIMARY KEY (payload, chunk));
"""


@dataclass(frozen=True)
class Ask:
    """One request of a plan. `units` are those it may be halved by; `period` is what it is about, for people."""

    what: str
    path: str
    params: tuple[tuple[str, str], ...]
    units: tuple[str, ...] = ()
    period: str = ""
    unit_parameter: str = "orgUnit"

    def parameters(self) -> list[tuple[str, str]]:
        """Everything in the address: units joined for `ou` parameters, one parameter each for `orgUnit`."""
        if self.unit_parameter == "orgUnit":
            return [*self.params, *(("orgUnit", unit) for unit in self.units)]
        if self.unit_parameter == "dimension":
            return [*self.params, ("dimension", "ou:" + ";".join(self.units))] if self.units else [*self.params]
        return [*self.params, (self.unit_parameter, ",".join(self.units))] if self.units else [*self.params]

    def file_name(self, number: int) -> str:
        """Name of the answer as a received file."""
        parts = [self.what, self.period or "", hashlib.sha256(repr(self).encode()).hexdigest()[:10], str(number)]
        return "_".join(part for part in parts if part).replace("/", "-") + ".json"


class Ledger:
    """The ledger of one server, open. Use as a context manager."""

    def __init__(self, home: Path, server_name: str) -> None:
        self.folder = Path(home) / "work" / "gateway" / server_name
        self.answers = self.folder / "answers"
        for folder in (self.folder.parent.parent, self.folder.parent, self.folder, self.answers):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = open(self.folder / "lock", "a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ProcessingError("error.dhis2_ledger_busy", server=server_name) from None
        path = self.folder / "ledger.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self.con = sqlite3.connect(path, timeout=30, isolation_level=None)
            self.con.row_factory = sqlite3.Row
            self.con.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLES}")
        except sqlite3.DatabaseError as error:
            raise ProcessingError("error.dhis2_ledger", path=path, problem=str(error)) from None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.con.close()
        self._lock.close()

    # ------------------------------------------------------------------------------------------------------------ runs

    def open_run(self, arguments: Mapping[str, Any], who: str) -> tuple[str, bool]:
        """(run, is it a run that was not finished) for these arguments."""
        text = _json(arguments)
        row = self.con.execute("SELECT run_id FROM run WHERE arguments = ? AND state = 'open'", [text]).fetchone()
        if row:
            return row["run_id"], True
        run_id = f"{now():%Y%m%dT%H%M%S%f}"
        self.con.execute(
            "INSERT INTO run (run_id, arguments, who, started, state) VALUES (?, ?, ?, ?, 'open')",
            [run_id, text, who, f"{now():%Y-%m-%d %H:%M:%S}"],
        )
        return run_id, False

    def last_server_time(self, arguments: Mapping[str, Any]) -> str | None:
        """The server's own time when the last finished run of these arguments began."""
        sql = "SELECT max(server_time) FROM run WHERE arguments = ? AND state = 'closed'"
        return self.con.execute(sql, [_json(arguments)]).fetchone()[0]

    def set_server_time(self, run_id: str, time: str) -> None:
        self.con.execute("UPDATE run SET server_time = ? WHERE run_id = ? AND server_time IS NULL", [time, run_id])

    def server_time(self, run_id: str) -> str:
        """The server's own time when the run began, "" where it told none."""
        return self.con.execute("SELECT server_time FROM run WHERE run_id = ?", [run_id]).fetchone()[0] or ""

    def is_planned(self, run_id: str) -> bool:
        """Whether the plan of a run stands whole."""
        return bool(self.con.execute("SELECT planned FROM run WHERE run_id = ?", [run_id]).fetchone()[0])

    def plan(self, run_id: str, asks: Iterable[Ask]) -> None:
        """Write the whole plan of a run at once."""
        with _transaction(self.con):
            self.con.execute("DELETE FROM ask WHERE run_id = ?", [run_id])
            for ask in asks:
                self._insert(run_id, ask)
            self.con.execute("UPDATE run SET planned = 1 WHERE run_id = ?", [run_id])

    def close_run(self, run_id: str, arguments: Mapping[str, Any]) -> None:
        """The run is over. Where requests failed, the next run asks for all of it again, not only for what changed."""
        state = "closed_with_failures" if self.asks(run_id, FAILED) else "closed"
        with _transaction(self.con):
            if state == "closed":
                text = _json(arguments)
                self.con.execute("DELETE FROM recent WHERE arguments = ?", [text])
                self.con.execute("UPDATE recent SET arguments = ? WHERE arguments = ?", [text, run_id])
            sql = "UPDATE run SET state = ?, ended = ? WHERE run_id = ?"
            self.con.execute(sql, [state, f"{now():%Y-%m-%d %H:%M:%S}", run_id])

    # ------------------------------------------------------------------------------------------------------------ asks

    def _insert(self, run_id: str, ask: Ask) -> None:
        params = _json([ask.unit_parameter, *map(list, ask.params)])
        sql = (
            "INSERT INTO ask (run_id, number, what, path, params, units, period, state) VALUES "
            "(?, (SELECT coalesce(max(number), 0) + 1 FROM ask WHERE run_id = ?), ?, ?, ?, ?, ?, 'planned')"
        )
        self.con.execute(sql, [run_id, run_id, ask.what, ask.path, params, _json(ask.units), ask.period])

    def add(self, run_id: str, ask: Ask) -> int:
        """One more request of a run; its number."""
        self._insert(run_id, ask)
        return int(self.con.execute("SELECT max(number) FROM ask WHERE run_id = ?", [run_id]).fetchone()[0])

    def waiting(self, run_id: str) -> list[tuple[int, Ask]]:
        """(number, request) of what is still to be asked, in the order of the plan."""
        rows = self.con.execute("SELECT * FROM ask WHERE run_id = ? AND state = 'planned' ORDER BY number", [run_id])
        return [(row["number"], ask_of(row)) for row in rows]

    def counts(self, run_id: str) -> tuple[int, int]:
        """(requests that are settled, all requests) of a run; those that gave way to smaller ones are left out."""
        sql = (
            "SELECT count(*) FILTER (WHERE state <> 'planned'), count(*) FROM ask WHERE run_id = ? AND state <> 'split'"
        )
        done, total = self.con.execute(sql, [run_id]).fetchone()
        return int(done), int(total)

    def keep_answer(self, run_id: str, number: int, name: str, body: bytes, **columns: Any) -> None:
        """The answer on disk first, whole, then the request done."""
        sha256 = hashlib.sha256(body).hexdigest()
        target = self.answers / run_id / name
        target.parent.mkdir(exist_ok=True, mode=0o700)
        part = target.with_suffix(".part")
        with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as sink:
            sink.write(body)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(part, target)
        file = target.relative_to(self.folder).as_posix()
        self.update(run_id, number, **{"state": DONE, "sha256": sha256, "file": file, **columns})

    def split(self, run_id: str, number: int, smaller: Iterable[Ask]) -> None:
        """A request gives way to smaller ones."""
        with _transaction(self.con):
            self.update(run_id, number, state=SPLIT)
            for ask in smaller:
                self._insert(run_id, ask)

    def update(self, run_id: str, number: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        stamp = f"{now():%Y-%m-%d %H:%M:%S}"
        sql = f"UPDATE ask SET {names}, asked_at = coalesce(asked_at, ?) WHERE run_id = ? AND number = ?"
        self.con.execute(sql, [*columns.values(), stamp, run_id, number])

    def asks(self, run_id: str, *states: str) -> list[sqlite3.Row]:
        """The requests of a run that are in one of the states (all without any)."""
        where = f"AND a.state IN ({', '.join('?' * len(states))})" if states else ""
        sql = f"SELECT a.*, r.who FROM ask a JOIN run r USING (run_id) WHERE run_id = ? {where} ORDER BY number"
        return self.con.execute(sql, [run_id, *states]).fetchall()

    # ---------------------------------------------------------------------------------------- values of the overlap window

    def recent(self, arguments: Mapping[str, Any]) -> set[str]:
        """Fingerprints of the values that lay in the overlap window when they were last pulled."""
        rows = self.con.execute("SELECT value FROM recent WHERE arguments = ?", [_json(arguments)])
        return {row[0] for row in rows}

    def add_recent(self, run_id: str, values: Iterable[str]) -> None:
        """Values of a run that is under way; they replace those of the last run once it is over."""
        with _transaction(self.con):
            self.con.executemany("INSERT OR IGNORE INTO recent VALUES (?, ?)", ((run_id, value) for value in values))

    # -------------------------------------------------------------------------------------------------------------- pushes

    def sent_chunks(self, payload: str) -> dict[int, str]:
        """{chunk: summary} of the chunks that the server has confirmed."""
        rows = self.con.execute("SELECT chunk, summary FROM push WHERE payload = ?", [payload])
        return {row["chunk"]: row["summary"] for row in rows}

    def keep_sent(self, payload: str, chunk: int, sha256: str, summary: str, who: str) -> None:
        """The server has confirmed a chunk."""
        values = [payload, chunk, sha256, summary, who, f"{now():%Y-%m-%d %H:%M:%S}"]
        self.con.execute("INSERT OR REPLACE INTO push VALUES (?, ?, ?, ?, ?, ?)", values)

    # ------------------------------------------------------------------------------------------------------ approval states

    def keep_approvals(self, run_id: str, states: Iterable[Mapping[str, Any]]) -> None:
        """What the server said of workflow × period × unit × attribute."""
        rows = [(run_id, *(str(one.get(name) or "") for name in ("wf", "pe", "ou", "aoc", "state"))) for one in states]
        with _transaction(self.con):
            self.con.executemany("INSERT OR REPLACE INTO approval VALUES (?, ?, ?, ?, ?, ?)", rows)

    def approvals(self, run_id: str, period: str, units: Iterable[str]) -> list[str]:
        """The states of a period's units in a run, one per workflow, unit and attribute."""
        wanted = set(units)
        rows = self.con.execute("SELECT unit, state FROM approval WHERE run_id = ? AND period = ?", [run_id, period])
        return [row["state"] for row in rows if row["unit"] in wanted]


def ask_of(row: sqlite3.Row) -> Ask:
    """The request that a row of the ledger describes."""
    parameter, *params = json.loads(row["params"])
    units = tuple(json.loads(row["units"]))
    return Ask(row["what"], row["path"], tuple((k, v) for k, v in params), units, row["period"], parameter)


class _transaction:
    """BEGIN … COMMIT on a connection that commits by itself otherwise."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con

    def __enter__(self) -> None:
        self.con.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.con.execute("ROLLBACK" if kind else "COMMIT")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)

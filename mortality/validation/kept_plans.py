"""A DuckDB connection that plans each statement once: for the same few statements over and over on tables of a row or two.

Planning costs more than running there. A table that is made again is emptied and filled by the plan of its first time; no
statement changes the catalog then, which would make every plan void. A table that is made of a frame as it was made of the
same rows before is left as it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

INCOMING = "incoming"  # the name under which frames are offered
_MADE = re.compile(r"\s*CREATE OR REPLACE (?:TEMP )?TABLE \"?(\w+)\"?\s+(AS\b|\()(.*)", re.DOTALL)


class KeptPlans:
    """Stands for the connection: `execute`, `register`, `unregister` as there. Tables are never dropped."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.tables: set[str] = set()
        self.plans: dict[str, str] = {}
        self.offered: pd.DataFrame | None = None
        self.made_of: dict[str, tuple[str, pd.DataFrame]] = {}  # {table: (its query, the frame that it was made of)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)

    def register(self, name: str, frame: pd.DataFrame) -> None:
        """Offer a frame; the connection takes it when a statement needs it."""
        if name == INCOMING:
            self.offered = frame
        else:
            self.con.register(name, frame)

    def unregister(self, name: str) -> None:
        if name == INCOMING:
            self.offered = None
        self.con.unregister(name)

    def execute(self, sql: str, parameters: list[Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Run a statement; without parameters by its kept plan."""
        if parameters:
            return self.con.execute(sql, parameters)
        if sql.lstrip().startswith("DROP TABLE"):
            return self.con
        made = _MADE.match(sql)
        return self._make(made[1], made[2] == "AS", made[3], sql) if made else self._run(sql)

    def _make(self, table: str, filled: bool, query: str, sql: str) -> duckdb.DuckDBPyConnection:
        if self.offered is not None and INCOMING in query:
            before = self.made_of.get(table)
            if before is not None and before[0] == query and self.offered.equals(before[1]):
                return self.con
            self.made_of[table] = (query, self.offered)
        else:
            self.made_of.pop(table, None)
        if table not in self.tables:
            self.tables.add(table)
            self._take()
            return self.con.execute(sql.replace("CREATE OR REPLACE TEMP TABLE", "CREATE OR REPLACE TABLE", 1))
        self._run(f'DELETE FROM "{table}"')
        return self._run(f'INSERT INTO "{table}" BY NAME {query}') if filled else self.con

    def _take(self) -> None:
        if self.offered is not None:
            self.con.register(INCOMING, self.offered)

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        if INCOMING in sql:
            self._take()
        if INCOMING in sql or not sql.lstrip().startswith(("SELECT", "WITH", "INSERT", "DELETE", "(")):
            return self.con.execute(sql)
        if sql not in self.plans:
            name = f"plan_{len(self.plans)}"
            self.con.execute(f"PREPARE {name} AS {sql}")
            self.plans[sql] = name
        return self.con.execute(f"EXECUTE {self.plans[sql]}")

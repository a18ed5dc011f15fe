"""The warehouse for functions that serve accounts of any scope: conditions that keep to what the account reads.

Raw rows are for accounts of the nation (`require_whole_home`). Status, explanation and the start page open the
warehouse here and put `units` and `files` into their WHERE.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.access.decision import Account, Scope
from tkyt_analysis.access.door import working_within
from tkyt_analysis.access.scopes import visible_units
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

UNIT_LISTS = ("organisation_unit", "facility", "unit_alias")


class ScopedWarehouse:
    """An open warehouse and the SQL conditions of one scope."""

    def __init__(self, warehouse: Warehouse, scope: Scope) -> None:
        self.warehouse = warehouse
        self.scope = scope

    def units(self, column: str = "unit_id") -> str:
        """Condition: the row's unit is one that the scope sees."""
        return "TRUE" if self.scope.nation else f"{column} IN (SELECT unit_id FROM {self._seen_unit})"

    def files(self, column: str = "file_sha256") -> str:
        """Condition: every row of the file belongs to a unit that the scope sees."""
        return "TRUE" if self.scope.nation else f"{column} IN (SELECT file_sha256 FROM {self._own_file})"

    def require_file(self, file_sha256: str, account: Account) -> None:
        """Refuse a file that holds rows of units outside the scope."""
        where = f"file_sha256 = ? AND {self.files()}"
        if (
            not self.scope.nation
            and not self.warehouse.one(f"SELECT count(*) FROM lake.received_file WHERE {where}", [file_sha256])[0]
        ):
            raise InputError(
                "error.file_outside_scope", file=file_sha256[:8], account=account.name, unit=account.unit_id
            )

    def own_file_names(self) -> set[str] | None:
        """Names of the files that the scope may know; None for all."""
        if self.scope.nation:
            return None
        rows = self.warehouse.con.execute(f"SELECT file_name FROM lake.received_file WHERE {self.files()}").fetchall()
        return {name for (name,) in rows}

    @cached_property
    def _seen_unit(self) -> str:
        import pandas as pd

        table = self.warehouse.query(
            "SELECT unit_id, parent_unit_id, province_id FROM lake.organisation_unit "
            "UNION ALL SELECT facility_id, unit_id, NULL FROM lake.facility"
        )
        units = visible_units(self.scope.units, table.astype("str").fillna(""))
        self.warehouse.con.register("incoming_unit", pd.DataFrame({"unit_id": sorted(units)}))
        self.warehouse.con.execute("CREATE OR REPLACE TEMP TABLE seen_unit AS SELECT unit_id FROM incoming_unit")
        self.warehouse.con.unregister("incoming_unit")
        return "seen_unit"

    @cached_property
    def _own_file(self) -> str:
        parts = [
            f'SELECT file_sha256, bool_and({self.units()}) AS own FROM lake."{table}" WHERE unit_id IS NOT NULL GROUP BY 1'
            for table in self._tables_with_units()
        ]
        self.warehouse.con.execute(
            "CREATE OR REPLACE TEMP TABLE own_file AS SELECT file_sha256 FROM "
            f"({' UNION ALL '.join(parts)}) GROUP BY 1 HAVING bool_and(own)"
        )
        return "own_file"

    def _tables_with_units(self) -> list[str]:
        from tkyt_analysis.warehouse.schema import column_types, store_of, stored_datasets

        return [
            name
            for name, entry in stored_datasets().items()
            if {"unit_id", "file_sha256"} <= set(column_types(entry))
            and store_of(entry) == "lake"
            and name not in UNIT_LISTS
        ]


@contextmanager
def scoped_warehouse(home: Path, account: Account, *, as_of: int | str | None = None) -> Iterator[ScopedWarehouse]:
    """The warehouse, open for reading what the account may see."""
    from tkyt_analysis.warehouse.lake import Warehouse

    with working_within(), Warehouse(home, as_of=as_of) as warehouse:
        yield ScopedWarehouse(warehouse, account.reads)

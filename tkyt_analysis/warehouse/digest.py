"""One fingerprint of what a warehouse holds, whatever the order and time in which it came in."""

from __future__ import annotations

from pathlib import Path

from tkyt_analysis.access import NATION, require, working_within
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.schema import column_types, store_of, stored_datasets

NOT_CONTENT = {"received_at", "code_version", "event_at", "event_number"}


def warehouse_digest(home: Path) -> dict[str, tuple[int, str]]:
    """{table: (rows, order-free hash of all columns but times)} over both lakes. It tells nothing of anybody."""
    require(home, "read", place=NATION)
    digests = {}
    with working_within(), Warehouse(home) as warehouse:
        warehouse.attach_restricted()
        for table, entry in sorted(stored_datasets().items()):
            columns = ", ".join(f'"{name}"' for name in column_types(entry) if name not in NOT_CONTENT)
            sql = f'SELECT count(*), coalesce(bit_xor(md5_number(CAST(row({columns}) AS VARCHAR))), 0), coalesce(sum(hash(row({columns})) % 1000003), 0) FROM {store_of(entry)}."{table}"'
            count, mixed, summed = warehouse.one(sql)
            digests[table] = (count, f"{mixed}-{summed}")
    return digests

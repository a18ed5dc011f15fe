"""Identifiers for a check, where it needs them: only what it concludes may leave, never a name or a date of birth.

A check sees `death_identity` where the context has that relation (tests, files), else the restricted store of the home
where the account may read it; the store writes an audit line. Otherwise there is none, and what rests on it cannot be judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.quality.context import CheckContext


@contextlib.contextmanager
def identities(context: CheckContext, table: str = "death_identity") -> Iterator[str | None]:
    """The name of the relation with identifiers for the time inside, None where they may not or cannot be read."""
    if context.has(table):
        yield f'"{table}"'
    elif context.home is None or not may_read_identifiers(context.home):
        yield None
    else:
        with restricted_store(context.con, context.home):
            yield f'restricted."{table}"'


def may_read_identifiers(home: Path) -> bool:
    """Whether the current account may, and the key of the store is there."""
    from tkyt_analysis.access.decision import NATION, decide
    from tkyt_analysis.access.door import current_account
    from tkyt_analysis.errors import TkytError
    from tkyt_analysis.warehouse.keys import read_restricted_keys

    try:
        return decide(current_account(home), "read_identifiers", place=NATION).allowed and bool(
            read_restricted_keys(home)
        )
    except TkytError:
        return False


@contextlib.contextmanager
def restricted_store(con: duckdb.DuckDBPyConnection, home: Path) -> Iterator[None]:
    """The restricted store attached to a connection for the time inside; opening it is audited."""
    from tkyt_analysis.access.door import require_restricted_store
    from tkyt_analysis.warehouse.lake import attach_restricted, attached, restricted_lock

    if attached(con, "restricted"):
        yield
        return
    require_restricted_store(home)
    with restricted_lock(home):
        attach_restricted(con, home)
        try:
            yield
        finally:
            con.execute("DETACH restricted")

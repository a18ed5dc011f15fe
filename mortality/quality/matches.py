"""The same person on another list, for tests that compare what two offices wrote (see `matching`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mortality.quality.records import death_records

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

OTHER_LIST = "LEFT JOIN other_list o ON o.own_id = r.death_id"


def prepare_other_lists(context: CheckContext, rule: Rule | None = None) -> None:
    """Make `other_list`: own_id, and source, death_date, birth_year, birth_kind, sex, days_lived of the same person elsewhere.

    Empty where no records were matched (table `death_match`): nothing can then be judged.
    """
    con = context.con
    death_records(context)
    if con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'other_list'").fetchone():
        return
    matches = (
        """
        JOIN death_match a ON a.record_id = x.death_id JOIN death_match b ON b.person_id = a.person_id AND b.record_id <> a.record_id
        JOIN death_record y ON y.death_id = b.record_id AND y.source <> x.source
        """
        if context.has("death_match")
        else "JOIN death_record y ON false"
    )
    con.execute(
        f"""
        CREATE OR REPLACE TABLE other_list AS
        SELECT x.death_id AS own_id, y.source, y.death_date, y.birth_year, y.birth_kind, y.sex, y.age_years
        FROM death_record x {matches}
        """
    )

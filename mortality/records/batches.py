"""From the read lines of a register or line list to its batches: the record, and beside it everything that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from mortality.documents.causes import cause_notes, cause_rows
from mortality.records.as_written import as_written_batches
from mortality.records.corrections import correction_batches
from mortality.records.places import place_columns
from tkyt_analysis.ingest.door import Batch

if TYPE_CHECKING:
    from mortality.register_records import RegisterRows


def record_batches(
    rows: RegisterRows, unit_ids: pd.Series, quarantined: pd.DataFrame, notes: pd.DataFrame, *, headers: dict[str, str]
) -> Iterator[Batch]:
    """`death`, `death_identity`, `death_cause` (where the lines carry a chain of causes), `death_as_written`, and
    `record_replacement` of lines that correct an earlier record.

    unit_ids : the unit of each line that lands, index: that of the lines; quarantined, notes : those of the lines
    headers : {field: heading as written}
    """
    landed = unit_ids.index
    deaths = rows.deaths.loc[landed].assign(unit_id=unit_ids)
    found, lost = place_columns(
        rows.places.loc[landed], deaths["death_date"], unit_ids, header=headers.get("death_place", "death_place")
    )
    where = deaths[["record_key", "sheet", "row_number"]]
    causes = _causes(rows, where)
    more = [cause_notes(causes, headers)] if len(causes) else []
    sheet = str(where["sheet"].iloc[0] or "") if len(where) and where["sheet"].notna().any() else ""
    added = [part.assign(sheet=sheet) for part in (lost, *more) if len(part)]
    said = pd.concat([notes, *added], ignore_index=True) if added else notes
    deaths = deaths.assign(**{name: found[name] for name in found}).reset_index(drop=True)
    yield Batch("death", deaths, quarantined, said, received=len(deaths) + len(quarantined))
    yield Batch("death_identity", rows.identities.loc[landed].reset_index(drop=True), counts=False)
    if len(causes):
        yield Batch("death_cause", causes.reset_index(drop=True), counts=False)
    yield from as_written_batches(rows.written, where)
    yield from correction_batches(rows.corrections, landed)


def _causes(rows: RegisterRows, where: pd.DataFrame) -> pd.DataFrame:
    if rows.causes.empty or where.empty:
        return pd.DataFrame()
    causes = cause_rows(rows.causes.loc[where.index], where["record_key"])
    beside = where.loc[causes.index]
    return causes.assign(sheet=beside["sheet"], row_number=beside["row_number"])

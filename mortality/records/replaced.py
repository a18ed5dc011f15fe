"""Which death records no longer count: the one SQL helper of releases, checks and matching.

The table is the warehouse's (`record_replacement`), so that the rooms which do not know of deaths leave them out as well.
"""

from tkyt_analysis.warehouse.replaced import RECORDS, counts_sql, replaced_records_sql

__all__ = ["RECORDS", "counts_sql", "replaced_records_sql"]

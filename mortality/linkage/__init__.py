"""Record linkage: which records are about one person (Splink on DuckDB, names and dates as Viet Nam writes them)."""

from mortality.linkage.comparisons import reasons_of
from mortality.linkage.link import LinkRun, link_records

__all__ = ["LinkRun", "link_records", "reasons_of"]

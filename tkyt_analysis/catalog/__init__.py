"""What we know about the data before any code: `data_catalog/` as frozen objects."""

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.loader import catalog_problems, catalog_version, load_entries, load_entry

__all__ = ["catalog_problems", "catalog_version", "load_entries", "load_entry", "read_codelist"]

"""What we know about the data before any code: `data_catalog/` as frozen objects."""

from tkyt_analysis.catalog.codelists import read_codelist

__all__ = ["read_codelist"]

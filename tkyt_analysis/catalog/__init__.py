"""What we know about the data before any code: `data_catalog/` as frozen objects."""

from typing import Any

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.loader import catalog_problems, catalog_version, load_entries, load_entry

__all__ = ["catalog_problems", "catalog_version", "load_entries", "load_entry", "read_codelist", "search"]  # noqa: F822


def __getattr__(name: str) -> Any:
    """`tk.catalog.search`, which belongs to the interface for notebooks and looks into the open release too."""
    if name == "search":
        from tkyt_analysis.api.doors import search

        return search
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The TKYT workbench: health statistics of Viet Nam, from received files to published figures.

In a notebook:  import tkyt_analysis as tk;  tk.open();  tk.indicator("crude_death_rate", by=["province", "year"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tkyt_analysis.api.doors import (
        columns,
        deaths,
        explain,
        explore,
        indicator,
        open,
        population,
        report,
        reporting,
        run,
        sql,
        tables,
        values,
    )
    from tkyt_analysis.api.table import read_table

__version__ = "0.1.0"

_DOORS = frozenset((
    "columns", "deaths", "explain", "explore", "indicator", "open", "population", "report", "reporting", "run", "sql",
    "tables", "values",
))  # fmt: skip
__all__ = [  # noqa: F822 - some come through __getattr__
    "catalog", "columns", "deaths", "explain", "explore", "indicator", "open", "population", "read_table", "release",
    "report", "reporting", "run", "sql", "tables", "values",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The interface for notebooks (docs/phan_tich.md), each part brought in when it is first used."""
    from importlib import import_module

    if name in _DOORS:
        return getattr(import_module("tkyt_analysis.api.doors"), name)
    if name == "catalog":
        return import_module("tkyt_analysis.catalog")
    if name == "read_table":
        return import_module("tkyt_analysis.api.table").read_table
    if name == "release":
        return import_module("tkyt_analysis.api.opening").current()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Figures for people: one way from a release to a number, whoever asks (tk, the explorer, notebooks, reports)."""

from __future__ import annotations

from typing import Any

from tkyt_analysis.cube.model import DIMENSIONS, NATION, TOTAL, UNKNOWN, Figures, Measure, View, view_from

__all__ = [
    "DIMENSIONS", "NATION", "TOTAL", "UNKNOWN", "Figures", "Measure", "View", "evaluate", "measures", "members", "view_from",
]  # fmt: skip
_LATER = {"evaluate": "figures", "measures": "figures", "members": "names"}


def __getattr__(name: str) -> Any:
    """`evaluate`, `measures`, `members` bring pandas with them: only when they are used."""
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f"tkyt_analysis.cube.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

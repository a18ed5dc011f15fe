"""Sentences about agreement, for page, command and notebook."""

from __future__ import annotations

from mortality.coder.agreement import Kappa
from tkyt_analysis.labels import format_number, label


def kappa_sentence(one: Kappa, language: str | None = None) -> str:
    """ "Three characters: kappa 0.81 (0.74–0.88), the same for 85 % of 200 records"; or that it cannot be assessed."""
    level = label(f"coder.level.{one.level}", language)
    records = format_number(one.records, 0, language)
    if one.status != "ok":
        return label("coder.kappa.not_assessable", language, level=level, records=records)
    values = {name: format_number(getattr(one, name), 2, language) for name in ("kappa", "lower", "upper")}
    agreed = format_number(100 * one.agreed, 0, language)
    return label("coder.kappa", language, level=level, records=records, agreed=agreed, **values)

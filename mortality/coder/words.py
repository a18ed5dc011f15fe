"""Words for rules, shares and agreement: for page, command and notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tkyt_analysis.labels import all_labels, format_number, label

if TYPE_CHECKING:
    from mortality.coder.agreement import Kappa


def rule_words(rule: str, language: str | None = None) -> str:
    """The rule of a decision in words; a rule without words of its own as it is called."""
    name = rule.removeprefix("dictionary:")
    if name == "total":
        return label("coder.total", language)
    if name.startswith("learnt:"):
        return f"{rule_words(name.removeprefix('learnt:'), language)} ({label('coder.rule.learnt', language)})"
    known = (f"coder.rule.{one}" for one in (name, name.removesuffix("_context"), "_".join(name.split("_")[:2])))
    key = next((one for one in known if one in all_labels()), "")
    words = label(key, language) if key else name
    return f"{words} ({label('coder.rule.by_context', language)})" if name.endswith("_context") else words


def share_words(row: Any, language: str | None = None) -> str:
    """ "85 % (78–90)" of a row of `accepted_first`."""
    share, low, high = (format_number(100 * value, 0, language) for value in (row.share, row.lower, row.upper))
    return f"{share} % ({low}–{high})"


def kappa_sentence(one: Kappa, language: str | None = None) -> str:
    """ "Three characters: kappa 0.81 (0.74–0.88), the same for 85 % of 200 records"; or that it cannot be assessed."""
    level = label(f"coder.level.{one.level}", language)
    records = format_number(one.records, 0, language)
    if one.status != "ok":
        return label("coder.kappa.not_assessable", language, level=level, records=records)
    values = {name: format_number(getattr(one, name), 2, language) for name in ("kappa", "lower", "upper")}
    agreed = format_number(100 * one.agreed, 0, language)
    return label("coder.kappa", language, level=level, records=records, agreed=agreed, **values)

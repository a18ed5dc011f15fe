"""The truth card as a page of the documentation, Vietnamese first."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.labels import format_number, label

_LANGUAGES = ("vi", "en")
_SHARES = ("recall", "precision", "coverage")
_COLUMNS = ("kind", "planted", "found", *_SHARES, "false_alarms_per_1000", "seeds")


def page_of_card(card: pd.DataFrame) -> str:
    """Markdown: what the figures mean, then for each panel a table of every check and kind of error."""
    parts = [f"# {label('truth_card.title', 'vi')} / {label('truth_card.title', 'en')}"]
    for language in _LANGUAGES:
        parts += [label("truth_card.text", language), label("truth_card.reading", language)]
    for panel, rows in card.groupby("panel", sort=True):
        parts.append(f"## {_panel_title(str(panel), 'vi')} / {_panel_title(str(panel), 'en')}")
        parts.append(_table(rows))
    return "\n\n".join(parts) + "\n"


def _panel_title(panel: str, language: str) -> str:
    titles = read_codelist("truth_card_panels").set_index("panel")
    return str(titles.loc[panel, f"title_{language}"]) if panel in titles.index else panel


def _table(rows: pd.DataFrame) -> str:
    rules, kinds = load_entries("rules"), read_codelist("defect_kinds").set_index("kind")
    heads = [label("truth_card.check", "vi"), *(label(f"truth_card.{name}", "vi") for name in _COLUMNS)]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 3) + "---|"]
    for row in rows.to_dict("records"):
        rule = rules.get(row["check"])
        title = f"{rule.title['vi']} (`{row['check']}`)" if rule else f"`{row['check']}`"
        kind = f"{row['kind']} {kinds.loc[row['kind'], 'title_vi']}" if row["kind"] in kinds.index else str(row["kind"])
        lines.append("| " + " | ".join([title, kind, *(_figure(row, name) for name in _COLUMNS[1:])]) + " |")
    return "\n".join(lines)


def _figure(row: dict[str, object], name: str) -> str:
    value = row[name]
    if name == "seeds" or not isinstance(value, int | float):
        return str(value)
    if value != value:
        return "–"
    if name in _SHARES:
        return format_number(100 * value, 1, "vi") + " %"
    return format_number(value, 0 if name in ("planted", "found") else 2, "vi")

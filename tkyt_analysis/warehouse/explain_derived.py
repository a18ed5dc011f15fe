"""What else a release makes of a figure: smoothed rates, trends, expected deaths. Every table with a `figure_id` can say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tkyt_analysis.labels import all_labels, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

MOST = 24  # rows told per table


def derived_rows(release: Release, figure_id: str) -> list[dict[str, Any]]:
    """Rows of the release's other tables that were made of the figure: their columns (missing: None), and `table`."""
    found = release.query(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE column_name = 'figure_id' "
        "AND table_schema = 'main' AND table_name <> 'indicator_value' ORDER BY table_name"
    )
    rows: list[dict[str, Any]] = []
    for table in found["table_name"]:
        if f"explain.derived.{table}" in all_labels():
            lines = release.query(f'SELECT * FROM "{table}" WHERE figure_id = ? ORDER BY ALL LIMIT {MOST}', [figure_id])
            lines = lines.astype(object).where(lines.notna(), None)
            rows += [{"table": table, **row} for row in lines.to_dict("records")]
    return rows


def derived_sentences(rows: list[dict[str, Any]], decimals: int, language: str) -> list[str]:
    """One line per row with a figure; of a table's rows without one, one line per reason."""
    lines = []
    for row in rows:
        if row["status"] == "not_assessable":
            reason = label(row["reason"] if row["reason"] in all_labels() else "verdict.not_assessable", language)
            name = label(f"api.table.{row['table']}", language)
            lines.append(label("explain.derived.none", language, table=name, reason=reason))
        else:
            shown = {name: _shown(value, decimals, language) for name, value in row.items()}
            lines.append(label(f"explain.derived.{row['table']}", language, **shown))
    return list(dict.fromkeys(lines))


def _shown(value: Any, decimals: int, language: str) -> str:
    if value is None:
        return "–"
    return format_number(value, decimals, language) if isinstance(value, float) else str(value)

"""Walk a published figure back: release → warehouse snapshot → rows → places in received files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels, current_language, format_number, label
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.warehouse.explain_derived import derived_rows, derived_sentences
from tkyt_analysis.warehouse.release import Release

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Indicator

WITHHELD = "…"  # stands for the name of a file that the account may not know


@dataclass(frozen=True)
class Explanation:
    """A figure, its passport, and the received rows of its numerator and denominator.

    rows : part (numerator | denominator), file_name, sheet, row_number, what (one sentence without identifiers)
    derived : rows of other tables of the release that were made of the figure (smoothed, trend, expected), with their `table`
    """

    figure: dict[str, Any]
    passport: dict[str, Any]
    rows: pd.DataFrame
    counts: dict[str, int]
    derived: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self, most: int) -> dict[str, Any]:
        return {
            "figure": self.figure,
            "passport": self.passport,
            "counts": self.counts,
            "rows": self.rows.head(most).to_dict("records"),
            "derived": self.derived,
        }

    def sentences(self, most: int) -> list[str]:
        language = current_language()
        figure, indicator = self.figure, load_entry("indicators", self.figure["indicator_id"])
        lines = [
            label(
                "explain.figure",
                language,
                figure=figure["figure_id"],
                title=indicator.title[language],
                value=_value(figure, indicator, language),
                place=figure["unit_name"],
                period=figure["period_id"],
            ),
            label(
                "explain.formula",
                language,
                definition=indicator.definition[language],
                numerator=format_number(figure["numerator"], 0, language),
                denominator=format_number(figure["denominator"], 0, language),
                method=figure["method"] or "–",
            ),
            *derived_sentences(self.derived, indicator.decimals, language),
            label("explain.passport", language, **self.passport),
        ]
        for part, count in self.counts.items():
            if not count:
                lines.append(label(f"explain.no_{part}", language))
                continue
            lines.append(label(f"explain.{part}", language, count=format_number(count, 0, language)))
            shown = self.rows[self.rows["part"] == part].head(most)
            for row in shown.itertuples():
                lines.append(
                    "  "
                    + label(
                        "explain.row",
                        language,
                        file=row.file_name,
                        sheet=row.sheet or "–",
                        row=row.row_number,
                        what=row.what,
                    )
                )
            if count > len(shown):
                lines.append(
                    "  " + label("explain.more", language, count=format_number(count - len(shown), 0, language))
                )
        return lines


def _value(figure: dict[str, Any], indicator: Indicator, language: str) -> str:
    """ "6,3 trên 1.000 trẻ đẻ sống (khoảng tin cậy 95 %: 2,3 – 13,7)"; why not where there is no figure."""
    if figure["value"] != figure["value"] or figure["value"] is None:
        reason = figure.get("reason")
        return label(reason if reason in all_labels() else "verdict.not_assessable", language)
    value = f"{format_number(figure['value'], indicator.decimals, language)} {indicator.unit[language]}"
    if figure["lower"] != figure["lower"] or figure["lower"] is None:  # a count has no limits
        return value
    low, high = (format_number(figure[name], indicator.decimals, language) for name in ("lower", "upper"))
    return f"{value} ({label('explain.interval', language, low=low, high=high)})"


def explain(home: Path, figure_id: str, *, release_id: str | None = None) -> Explanation:
    """The explanation of a figure of a release (default: the current one). Unknown figures are an InputError.

    An account sees figures of its own units only; the names of files that hold other units' rows too are withheld.
    """
    release = Release(home, release_id)
    figure = find_figure(release, figure_id)
    manifest = release.manifest
    passport = {
        "release": release.release_id,
        **{name: manifest[name] for name in ("snapshot", "catalog_version", "code_version", "data_as_of")},
    }
    indicator = load_entry("indicators", figure["indicator_id"])
    found = []
    with scoped_warehouse(home, release.account, as_of=int(manifest["snapshot"])) as view:
        for part, quantity in (("numerator", indicator.numerator), ("denominator", indicator.denominator)):
            reference = parts("explainers").get(quantity)
            if reference:
                found.append(load_object(reference)(view.warehouse, {**figure, "part": part}).assign(part=part))
        known = view.own_file_names()
    rows = (
        pd.concat(found, ignore_index=True)
        if found
        else pd.DataFrame(columns=["part", "file_name", "sheet", "row_number", "what"])
    )
    if known is not None:
        rows = rows.assign(file_name=rows["file_name"].where(rows["file_name"].isin(known), WITHHELD))
    counts = {part: int((rows["part"] == part).sum()) for part in ("numerator", "denominator")}
    return Explanation(figure, passport, rows, counts, derived_rows(release, figure_id))


def find_figure(release: Release, figure_id: str) -> dict[str, Any]:
    """The row of `indicator_value` with this id, with the unit's name."""
    if not release.has("indicator_value"):
        raise InputError("error.no_figures", release=release.release_id)
    rows = release.query(
        "SELECT v.*, coalesce(u.name, v.unit_id) AS unit_name FROM indicator_value v "
        "LEFT JOIN organisation_unit u USING (unit_id) WHERE figure_id = ?",
        [figure_id],
    )
    if rows.empty:
        near = release.query("SELECT figure_id FROM indicator_value WHERE status = 'ok' ORDER BY figure_id LIMIT 1")
        example = near["figure_id"].iloc[0] if len(near) else "–"
        raise InputError("error.no_such_figure", figure=figure_id, release=release.release_id, example=example)
    return rows.iloc[0].to_dict()

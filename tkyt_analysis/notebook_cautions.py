"""“Điều cần cẩn trọng”: what to be careful about with figures, computed from them and from the release, never typed.

Sentences come from the marks of the figures (the cube's remarks), the reports behind them, causes and ages of deaths,
open findings, the reform of 2025, and the date up to which data were received.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from tkyt_analysis.cube.model import NATION, NOT_ASSESSABLE, TOTAL, UNKNOWN, Figures, View
from tkyt_analysis.labels import current_language, format_date, format_number, label

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.warehouse.release import Release

REFORM = datetime.date(2025, 7, 1)
DEATHS = "death"  # the data set behind measures of registered deaths
WORDY = 0.01  # shares of unknown causes, ages and sexes below this are not worth a sentence


@dataclass(frozen=True)
class Cautions:
    """Sentences; in a notebook they show as a list under their heading."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(one)}</li>" for one in self.sentences)
        title, how = escape(label("notebook.cautions")), escape(label("notebook.cautions.how"))
        return f'<section class="tk-cautions"><h2>{title}</h2><p>{how}</p><ul>{items}</ul></section>'

    def __repr__(self) -> str:
        return "\n".join([label("notebook.cautions"), *(f"– {one}" for one in self.sentences)])


def cautions(*asked: Any) -> Cautions:
    """What to be careful about with everything that a notebook showed.

    asked : questions, pictures, tables of figures, figures; empty ones count too
    """
    found = [one for one in map(_figures_of, asked) if one is not None]
    release = _release_of(asked)
    stands_in = any(getattr(one, "country", False) for one in asked)
    lines = [label("notebook_country.caution")] if stands_in else []
    lines += _remarks(found)
    if release is not None and found:
        for view, datasets in _distinct(found):
            lines += _about_reports(found, datasets)
            lines += _about_deaths(release, view) if DEATHS in datasets else []
            lines += _about_findings(release, view, datasets)
            lines += _about_reform(release, view)
            lines += _about_the_end(release, view)
    unique = tuple(dict.fromkeys(lines))
    return Cautions(unique or (label("notebook.caution.none"),))


def _figures_of(asked: Any) -> Figures | None:
    if isinstance(asked, Figures):
        return asked
    about = getattr(asked, "about", None)
    question = getattr(asked, "question", None) or (about.question if about is not None else None) or asked
    found = getattr(question, "figures", None)
    return found if isinstance(found, Figures) else None


def _release_of(asked: Iterable[Any]) -> Release | None:
    """The release behind the first question, else the one that is open."""
    for one in asked:
        question = getattr(one, "question", None) or one
        workbench = getattr(question, "workbench", None)
        if workbench is not None:
            found: Release = workbench.release
            return found
    from tkyt_analysis.api.opening import current

    return current().release


def _remarks(found: list[Figures]) -> Iterator[str]:
    """What the cube remarks on each; with the name of the figures where there are several."""
    from tkyt_analysis.explorer.titles import listing

    for figures in found:
        titles = listing([one.title[current_language()] for one in figures.measures.values()], most=2)
        for remark in figures.remarks:
            yield label("notebook.caution.of", None, measure=titles, said=remark) if len(found) > 1 else remark


def _distinct(found: list[Figures]) -> list[tuple[View, frozenset[str]]]:
    """Each place and period once, with the data sets asked for there."""
    asked: dict[tuple[str, str, str], tuple[View, frozenset[str]]] = {}
    for figures in found:
        view = figures.view
        datasets = frozenset(one.dataset for one in figures.measures.values() if one.dataset)
        key = (view.place, view.period, view.geography)
        asked[key] = (view, (asked[key][1] if key in asked else frozenset()) | datasets)
    return list(asked.values())


def _about_reports(found: list[Figures], datasets: frozenset[str]) -> Iterator[str]:
    """The share of due reports that arrived, over all figures that reports stand behind."""
    for figures in found:
        rows = figures.rows
        cells = rows[(rows[list(figures.view.by)] != TOTAL).all(axis=1)] if figures.view.by else rows
        due, came = cells["expected"].sum(), cells["received"].sum()
        if due > 0 and came < due:
            yield label("notebook.caution.reports", None, share=_percent(came / due), missing=_count(due - came))
    if DEATHS in datasets:
        yield label("notebook.caution.registration")


def _about_deaths(release: Release, view: View) -> Iterator[str]:
    """How many deaths have no cause, age or sex, and how many rest on ill-defined causes."""
    for dimension in ("cause", "age_group", "sex"):
        rows = _deaths_by(release, view, dimension)
        total = rows["value"].sum()
        share = rows.loc[rows[dimension] == UNKNOWN, "value"].sum() / total if total else 0.0
        if share >= WORDY:
            yield label(f"notebook.caution.unknown_{dimension}", None, share=_percent(share), deaths=_count(total))
    yield from _about_ill_defined(release, view)


def _deaths_by(release: Release, view: View, dimension: str) -> pd.DataFrame:
    from tkyt_analysis import cube

    asked = View(("deaths",), (dimension,), view.place, view.geography, view.period)
    return cube.evaluate(release, asked).rows


def _about_ill_defined(release: Release, view: View) -> Iterator[str]:
    from tkyt_analysis import cube

    if "ill_defined_share" not in cube.measures(release):
        return
    asked = View(("ill_defined_share",), (), view.place, view.geography, view.period)
    rows = cube.evaluate(release, asked).rows
    known = rows[rows["status"] != NOT_ASSESSABLE]
    if len(known) and known["value"].iloc[0] > 0:
        row = known.iloc[0]
        yield label(
            "notebook.caution.ill_defined",
            None,
            share=format_number(row["value"], 1),
            low=format_number(row["lower"], 1),
            high=format_number(row["upper"], 1),
        )


def _about_findings(release: Release, view: View, datasets: frozenset[str]) -> Iterator[str]:
    """Open questions to the units of the place, on the data sets of the figures, within the period."""
    if not release.has("finding") or not datasets:
        return
    rules = _rules_on_deaths() if DEATHS in datasets else []
    rows = release.query(
        f"SELECT severity, period_id, count(*) AS findings FROM finding WHERE rule_id <> 'report_missing' AND {_inside(view)} "
        "AND (list_contains(?, dataset_id) OR list_contains(?, rule_id)) GROUP BY 1, 2",
        [*_inside_values(view), sorted(datasets), rules],
    )
    rows = rows[_within(rows["period_id"], view.period)]
    errors, others = (
        int(rows.loc[is_error, "findings"].sum())
        for is_error in (rows["severity"] == "error", rows["severity"] != "error")
    )
    if errors or others:
        yield label("notebook.caution.findings", None, errors=_count(errors), others=_count(others))


def _rules_on_deaths() -> list[str]:
    """Rules that look at registers of deaths: their findings name no data set."""
    from tkyt_analysis.catalog import load_entries

    return [one.id for one in load_entries("rules").values() if DEATHS in one.applies_to]


def _within(periods: pd.Series, asked: str) -> pd.Series:
    """Whether each period id lies in the period of a view; periods that are not told belong to all."""
    from tkyt_analysis.cube.plan import window_of
    from tkyt_analysis.reference.periods import period_windows

    window = window_of(asked)
    if window.first is None:
        return periods.notna()
    windows = period_windows([one for one in periods.unique() if one])
    inside = (windows["period_start"].astype("str").str[:10] <= window.last) & (
        windows["period_end"].astype("str").str[:10] >= window.first
    )
    return periods.isin({"", *windows.loc[inside, "period_id"]})


def _about_reform(release: Release, view: View) -> Iterator[str]:
    """Communes divided in July 2025: their earlier figures cannot be told apart between the new communes."""
    if not release.has("place") or not _reaches_over_reform(release, view):
        return
    rows = release.query(
        "SELECT count(*) FILTER (WHERE moved) AS divided, count(*) AS communes FROM place "
        f"WHERE level = 'commune' AND unit_id LIKE 'VN2024:%' AND {_inside(view)}",
        _inside_values(view),
    )
    divided, communes = int(rows["divided"].iloc[0]), int(rows["communes"].iloc[0])
    if communes:
        key = "notebook.caution.divided" if divided else "notebook.caution.reform"
        yield label(key, None, divided=_count(divided), communes=_count(communes), date=format_date(REFORM))


def _reaches_over_reform(release: Release, view: View) -> bool:
    """Whether figures of one side of the reform stand on units of the other."""
    from tkyt_analysis.cube.plan import window_of

    window = window_of(view.period)
    day = REFORM.isoformat()
    if view.geography == "VN2024":
        return window.last is None or window.last >= day
    return window.first is None or window.first < day


def _about_the_end(release: Release, view: View) -> Iterator[str]:
    """A period that had not ended when the last data were received is not whole."""
    from tkyt_analysis.cube.plan import window_of

    last, received = window_of(view.period).last, str(release.manifest["data_as_of"])[:10]
    if last and received and received <= last:
        day = datetime.date.fromisoformat(received)
        yield label(
            "notebook.caution.not_whole",
            None,
            date=format_date(day),
            last=format_date(datetime.date.fromisoformat(last)),
        )


_COLUMNS = ("unit_id", "commune", "province", "district_2024", "commune_2024", "province_2024", "region", "region_2024")


def _inside(view: View) -> str:
    """SQL: the unit lies in the place of the view."""
    if view.place == NATION:
        return "TRUE"
    return f"unit_id IN (SELECT unit_id FROM place WHERE ? IN ({', '.join(_COLUMNS)}))"


def _inside_values(view: View) -> list[str]:
    return [] if view.place == NATION else [view.place]


def _percent(share: float) -> str:
    return format_number(100 * float(share), 1)


def _count(value: float) -> str:
    return format_number(float(value), 0)

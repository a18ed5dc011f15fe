"""What outbreak detection is given: series, the watched ones of them, their place and event, the share of Tết."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.series_panel import Panel, panel_of
from tkyt_analysis.errors import InputError

_PLACES = ("unit_id", "province_id", "province", "area", "unit")
_EVENTS = ("watch_id", "element_id", "event", "cause", "disease")


def read_panel(
    events: object,
    by: str | Sequence[str],
    period: Any,
    value: str | None,
    population: str | None,
    gaps: str,
    frequency: int | None,
) -> Panel:
    """The series with their population; where gaps="zero", a period without a row has the population between its neighbours."""
    extra = [population] if population else []
    panel = panel_of(events, by=by, value=value, time=period, frequency=frequency, gaps=gaps, extra=extra)
    if population and population not in panel.columns:
        raise InputError("error.surveillance_population")
    if population and gaps == "zero":  # a period without an event has no row: the population of its neighbours
        people = pd.DataFrame(panel.columns[population].T).interpolate(limit_direction="both").to_numpy().T
        panel.columns[population] = people
    return panel


def watched_only(panel: Panel, watch: pd.DataFrame | None) -> tuple[Panel, list[str]]:
    """The series of watched events, and the events that are left out."""
    if watch is None:
        return panel, []
    watch = as_table(watch)
    column = event_column(panel)
    missing = [name for name in ("watch_id", "season", "least") if name not in watch]
    if missing:
        found = ", ".join(map(str, watch.columns))
        raise InputError("error.outbreak_watch", missing=", ".join(missing), found=found)
    kept = panel.keys[column].isin(watch["watch_id"]).to_numpy(dtype=bool)
    left = sorted(map(str, panel.keys[column][~kept].unique()))
    if not kept.any():
        raise InputError(
            "error.outbreak_none_watched", found=", ".join(left[:5]), known=", ".join(watch["watch_id"][:5])
        )
    keys = panel.keys[kept].reset_index(drop=True)
    columns = {name: values[kept] for name, values in panel.columns.items()}
    return Panel(keys, panel.counts[kept], panel.times, panel.listed[kept], columns), left


def event_column(panel: Panel) -> str:
    """The column that names the event."""
    found = next((name for name in _EVENTS if name in panel.keys), None)
    if found is None:
        raise InputError(
            "error.outbreak_event_column", expected=", ".join(_EVENTS), found=", ".join(panel.keys.columns)
        )
    return found


def place_column(panel: Panel, place: str | None) -> str | None:
    """The column of the place; None where there is a single series without a name."""
    if place is not None and place not in panel.keys:
        raise InputError("error.outbreak_place", place=place, found=", ".join(panel.keys.columns) or "–")
    known = [name for name in _PLACES if name in panel.keys]
    first = next(iter(name for name in panel.keys if name not in _EVENTS), None)
    return place or next(iter(known), first)


def groups_of(panel: Panel, event: list[str]) -> npt.NDArray[np.intp]:
    """Number of the event of each series."""
    if not event:
        return np.zeros(len(panel.counts), dtype=np.intp)
    return panel.keys.groupby(event, sort=True, dropna=False).ngroup().to_numpy(dtype=np.intp)


def judged(panel: Panel, last: int | None) -> npt.NDArray[np.intp]:
    """Places of the judged periods: the last ones, a year by default."""
    number = min(panel.times.frequency, panel.periods) if last is None else last
    if not 1 <= number <= panel.periods:
        raise InputError("error.surveillance_range", found=f"last {last}", last=panel.periods)
    return np.arange(panel.periods - number, panel.periods, dtype=np.intp)


def tet_share(panel: Panel) -> Numbers:
    """Share of the days around Tết in each period (0 for periods without dates or longer than a month)."""
    if panel.times.dates is None or panel.times.frequency not in (12, 52):
        return np.zeros(panel.periods)
    from tkyt_analysis.analysis.trend.calendar_regressors import tet_regressors

    return tet_regressors(panel.times.names(), windows={"tet": (-1, 5)})["tet"].to_numpy()

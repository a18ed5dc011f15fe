"""Which past weeks a monitored week is compared with: windows around the same date of earlier years, seasonal periods between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.farrington_control import FarringtonControl
from tkyt_analysis.analysis.trend.weeks import Times
from tkyt_analysis.errors import UsageError


@dataclass(frozen=True)
class Window:
    """The past of one monitored period.

    rows : places of the past periods on the axis; now : place of the monitored one
    season : seasonal period of each row (1 … no_periods; the windows are the last); time : distance of each row to now
    scale : what the column of time in the design is divided by
    """

    rows: npt.NDArray[np.intp]
    now: int
    season: npt.NDArray[np.intp]
    time: Numbers
    seasons: int
    scale: float

    @property
    def columns(self) -> int:
        """Columns of the design without a trend."""
        return len(self.levels)

    @property
    def levels(self) -> npt.NDArray[np.intp]:
        """Seasonal periods that occur, the windows' last."""
        return np.union1d(self.season, [self.seasons])

    def design(self, *, trend: bool) -> Numbers:
        """(rows, columns): a column per seasonal period, then time (0 at the monitored period)."""
        dummies = (self.season[:, None] == self.levels[None, :]).astype(float)
        return np.column_stack([dummies, self.time / self.scale]) if trend else dummies

    def now_row(self, *, trend: bool) -> Numbers:
        """The row of the design for the monitored period."""
        row = (self.levels == self.seasons).astype(float)
        return np.append(row, 0.0) if trend else row


def default_range(times: Times, control: FarringtonControl) -> npt.NDArray[np.intp]:
    """Places that have enough history, as the R functions choose them."""
    first = times.frequency * control.b + (-control.w if control.classic else control.w + 1)
    return np.arange(max(first, 1) - 1, len(times), dtype=np.intp)


def window_of(times: Times, now: int, control: FarringtonControl) -> Window | str:
    """The past of a period, or the reason (label key) why there is none."""
    references = reference_places(times, now, control.b)
    if control.classic:
        return _classic(times, now, references, control)
    if (references < 0).any() or references[-1] - control.w < -1:
        return "reason.history_too_short"
    season = np.zeros(now + 1, dtype=np.intp)
    _fill_seasons(season, references, control)
    season[max(now - control.left_out, 0) :] = 0
    rows = np.flatnonzero(season)
    if not len(rows):
        return "reason.history_too_short"
    return _window(times, rows, now, season[rows], control)


def _window(
    times: Times, rows: npt.NDArray[np.intp], now: int, season: npt.NDArray[np.intp], control: FarringtonControl
) -> Window:
    """Time runs in days over the first step where the series is dated and not classic (months are not of one length)."""
    axis = np.arange(len(times), dtype=float)
    if times.dates is not None and not control.classic:
        days = times.dates.astype("datetime64[D]").astype(float)
        axis = days / (days[1] - days[0])
    return Window(rows, now, season, axis[rows] - axis[now], control.no_periods, float(times.frequency))


def reference_places(times: Times, now: int, b: int) -> npt.NDArray[np.intp]:
    """Places of the same date 0, 1 … b years before (-1 where the axis does not reach): weeks by the nearest same weekday."""
    if times.dates is None:
        places = now - times.frequency * np.arange(b + 1)
        return np.where(places >= 0, places, -1)
    days = _years_before(times.dates[now], b)
    if times.frequency == 52:
        first = times.dates[0].astype("datetime64[D]").astype(np.int64)
        places = np.floor((days.astype(np.int64) - first) / 7 + 0.5).astype(np.intp)  # the nearest: never halfway
        return np.where((places >= 0) & (places < len(times)), places, -1)
    found = np.searchsorted(times.dates, days)
    held = np.minimum(found, len(times) - 1)
    return np.where(times.dates[held] == days, held, -1)


def _years_before(day: np.datetime64, b: int) -> npt.NDArray[np.datetime64]:
    """The day and the same date of b earlier years; 29 February becomes 1 March (as R's seq by year)."""
    month = day.astype("datetime64[M]")
    inside = (day.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    months = month - 12 * np.arange(b + 1)
    return months.astype("datetime64[D]") + inside.astype("timedelta64[D]")


def _fill_seasons(season: npt.NDArray[np.intp], references: npt.NDArray[np.intp], control: FarringtonControl) -> None:
    """Number the periods of each year: the window around the reference is the last, the weeks between are shared out.

    What cannot be shared evenly goes to the first periods after the window.
    """
    w, last = control.w, control.no_periods
    season[max(references[0] - w, 0) :] = last
    for later, place in zip(references[:-1], references[1:], strict=True):
        season[max(place - w, 0) : place + w + 1] = last
        if last > 1:
            between = later - place - 2 * w - 1
            if between < last - 1:
                raise UsageError("error.surveillance_periods", found=last, weeks=int(between))
            whole, rest = divmod(int(between), last - 1)
            lengths = np.full(last - 1, whole)
            lengths[:rest] += 1
            season[place + w + 1 : later - w] = np.repeat(np.arange(1, last), lengths)


def _classic(times: Times, now: int, references: npt.NDArray[np.intp], control: FarringtonControl) -> Window | str:
    """Windows of algo.farrington: only what exists is used."""
    if times.dates is None:
        centres = now - times.frequency * np.arange(1, control.b + 1)
    else:
        centres = references[1:][references[1:] >= 0]
        if len(centres) < control.b and times.frequency == 52:
            centres = _unclipped(times, now, control.b)
    rows = np.unique((centres[:, None] + np.arange(-control.w, control.w + 1)[None, :]).ravel())
    rows = rows[(rows >= 0) & (rows < now)]
    if not len(rows):
        return "reason.history_too_short"
    return _window(times, rows, now, np.ones(len(rows), dtype=np.intp), control)


def _unclipped(times: Times, now: int, b: int) -> npt.NDArray[np.intp]:
    """Reference places, also before the first period of the axis."""
    assert times.dates is not None
    days = _years_before(times.dates[now], b)[1:]
    return np.floor((days - times.dates[0]).astype(np.int64) / 7 + 0.5).astype(np.intp)

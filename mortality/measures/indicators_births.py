"""Indicators over live births: infants, newborns, births and mothers.

Births are so few in one commune-year that only the entry's minimum level gets a figure, and every figure has its interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.indicator_figures import with_rate
from mortality.measures.indicator_frame import GROUP, MODELLED, NOT_ASSESSABLE, OK, TOTAL, counts
from mortality.tabulation.definitions import counted_in, load_definition

NEONATAL_DAYS, EARLY_NEONATAL_DAYS = 28, 7  # completed days below which a death is one
NO_BIRTHS, NO_FETAL_DEATHS = "reason.live_births_unknown", "reason.fetal_deaths_unknown"


def _joined(frame: pd.DataFrame, given: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """The frame with the column `name` of a table by unit and year, and by sex where it says one (else: of all)."""
    table = given if given is not None else pd.DataFrame(columns=[*GROUP, name])
    if "sex" not in table:
        table = table.assign(sex=TOTAL)
    table = table[[*GROUP, name]].astype({name: "float64"})
    return frame.merge(table, on=GROUP, how="left", validate="one_to_one")


def _rates(
    entry: Any, frame: pd.DataFrame, events: Any, births: pd.Series, *, method: str, limits: str = "byar_exact"
) -> pd.DataFrame:
    rows = with_rate(frame, events, births, per=entry.per, method=method, limits=limits)
    reason = np.where(births.isna(), NO_BIRTHS, rows["reason"])
    return rows.assign(reason=reason, population_source="live_births", population_status=OK)


def per_live_births(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, live_births: pd.DataFrame | None = None, **_: Any
) -> pd.DataFrame:
    """Deaths of the entry's ages per live births of the same year; not assessable where births are unknown."""
    joined = _joined(frame, live_births, "live_births")
    return _rates(entry, joined, counts(deaths, joined, GROUP), joined["live_births"], method="crude")


def _younger_than(deaths: pd.DataFrame, frame: pd.DataFrame, days: int) -> pd.DataFrame:
    """known: deaths younger than `days`; unknown: deaths below one year whose days are not known; younger: known, and of
    the unknown the share that infants with known days have."""
    age_days = pd.to_numeric(deaths.get("age_days", pd.Series(np.nan, deaths.index)), errors="coerce")
    infant = (deaths["age_years"] < 1) | (age_days < days)
    known = counts(deaths[infant & (age_days < days)], frame, GROUP).astype(float)
    placed = counts(deaths[infant & age_days.notna()], frame, GROUP).astype(float)
    unknown = counts(deaths[infant & age_days.isna()], frame, GROUP).astype(float)
    share = (known / placed).where(placed > 0)
    return pd.DataFrame(
        {
            "known": known,
            "unknown": unknown,
            "infants": placed + unknown,
            "younger": known + (unknown * share).where(unknown > 0, 0.0),
        }
    )


def _of_newborns(
    entry: Any,
    frame: pd.DataFrame,
    young: pd.DataFrame,
    births: pd.Series,
    *,
    method: str,
    more: pd.Series | float = 0.0,
) -> pd.DataFrame:
    """Rates of newborns. Where days are not known for some infants, they are shared out as the known ones (status modelled)
    and the interval reaches from none of them to all of them, each with its Poisson limit."""
    rows = _rates(entry, frame, young["younger"] + more, births, method=method)
    none = _rates(entry, frame, young["known"] + more, births, method=method)
    every = _rates(entry, frame, young["known"] + young["unknown"] + more, births, method=method)
    shared = young["unknown"] > 0
    note = (young["unknown"] / young["infants"].where(young["infants"] > 0)).map(
        lambda share: f";unknown_days={share:.1%}_shared_out"
    )
    impossible = shared & young["younger"].isna()
    reason = rows["reason"].mask(impossible & births.notna(), "reason.days_of_age_unknown")
    return rows.assign(
        lower=none["lower"],
        upper=every["upper"],
        method=rows["method"] + note.where(shared, ""),
        status=rows["status"].mask(shared & (rows["status"] == OK), MODELLED).mask(impossible, NOT_ASSESSABLE),
        reason=reason,
    )


def neonatal(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, live_births: pd.DataFrame | None = None, **_: Any
) -> pd.DataFrame:
    """Deaths before 28 completed days per live births."""
    joined = _joined(frame, live_births, "live_births")
    young = _younger_than(deaths, joined, NEONATAL_DAYS)
    return _of_newborns(entry, joined, young, joined["live_births"], method="neonatal")


def perinatal(
    entry: Any,
    deaths: pd.DataFrame,
    frame: pd.DataFrame,
    *,
    live_births: pd.DataFrame | None = None,
    fetal_deaths: pd.DataFrame | None = None,
    **_: Any,
) -> pd.DataFrame:
    """Fetal deaths and deaths before 7 completed days per all births, live and dead."""
    joined = _joined(_joined(frame, live_births, "live_births"), fetal_deaths, "fetal_deaths")
    young = _younger_than(deaths, joined, EARLY_NEONATAL_DAYS)
    births = joined["live_births"] + joined["fetal_deaths"]
    rows = _of_newborns(entry, joined, young, births, method="perinatal", more=joined["fetal_deaths"])
    no_fetal = joined["fetal_deaths"].isna() & joined["live_births"].notna()
    return rows.assign(reason=rows["reason"].mask(no_fetal, NO_FETAL_DEATHS))


def maternal_ratio(
    entry: Any,
    deaths: pd.DataFrame,
    frame: pd.DataFrame,
    *,
    code: str,
    live_births: pd.DataFrame | None = None,
    **_: Any,
) -> pd.DataFrame:
    """Maternal deaths per 100,000 live births with exact Poisson limits, however few: for all, as mothers have one sex."""
    frame = frame[frame["sex"] == TOTAL].reset_index(drop=True)
    joined = _joined(frame, live_births, "live_births")
    mothers = deaths[counted_in(deaths, load_definition(entry.cause_definition), entry.cause_measure, code=code)]
    return _rates(
        entry, joined, counts(mothers, joined, GROUP), joined["live_births"], method="maternal", limits="exact"
    )

"""A high figure of a watched event that others confirm is a shock, not an error of the data: findings against outbreak signals.

Not part of a check run: it takes stored findings and the release table `outbreak_signal` and says which questions about high
figures need not be put to the commune as questions about an error. Nothing is taken away without somebody else's word: an
extra digit in one commune raises the sum of its province too, and must not vouch for itself.
"""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.analysis.groups import require_columns
from tkyt_analysis.quality.ranking import CERTAIN

HIGH, SHOCK = "error_high", "shock"
_OWN_SHARE = 0.5  # most of the province's excess that may be the figure itself
_FINDING = ["verdict", "severity", "unit_id", "period_id", "element_id", "value", "expected"]
_SIGNAL = ["unit_id", "watch_id", "period_id", "alarm", "extent", "neighbours", "excess"]


def with_shocks(
    findings: pd.DataFrame, signals: pd.DataFrame, *, watch: pd.DataFrame, elements: pd.DataFrame, units: pd.DataFrame
) -> pd.DataFrame:
    """The findings, verdict and explanation `shock` where a high figure belongs to a confirmed outbreak of its province and month.

    Parameters
    ----------
    findings : the finding table; signals : `outbreak_signal`; watch : `watched_events()`
    elements : element_id, watch_id: which element counts which watched event; units : unit_id, province_id (of 2025)

    All of it must hold: verdict error_high and not a certainty (severity error); an alarm of the event in the province and month;
    somebody else's word: many provinces share it (extent shared, both), a neighbouring province has it too, or another source
    about the same subject (deaths, case list, form) has an alarm there; and the figure itself is at most half of the excess.
    """
    require_columns(findings, _FINDING)
    require_columns(signals, _SIGNAL)
    rows = findings[["unit_id", "period_id", "element_id"]].assign(own=findings["value"] - findings["expected"])
    rows = rows.assign(row=range(len(rows)), high=(findings["verdict"] == HIGH) & (findings["severity"] != CERTAIN))
    rows = rows[rows["high"]].merge(elements[["element_id", "watch_id"]], on="element_id")
    rows = rows.merge(units.drop_duplicates("unit_id")[["unit_id", "province_id"]], on="unit_id")
    rows = rows.merge(
        confirmed(signals, watch), left_on=["province_id", "watch_id", "period_id"], right_on=["unit_id", "watch_id", "period_id"]
    )  # fmt: skip
    told = rows.loc[rows["own"] <= _OWN_SHARE * rows["excess"], "row"]
    shock = pd.Series(range(len(findings)), index=findings.index).isin(set(told))
    explanation = findings["explanation"] if "explanation" in findings else pd.Series("", index=findings.index)
    return findings.assign(verdict=findings["verdict"].mask(shock, SHOCK), explanation=explanation.mask(shock, SHOCK))


def confirmed(signals: pd.DataFrame, watch: pd.DataFrame) -> pd.DataFrame:
    """unit_id, watch_id, period_id, excess of the alarms that somebody else confirms."""
    alarms = signals[signals["alarm"].astype(bool)].merge(
        watch[["watch_id", "subject", "kind"]], on="watch_id", suffixes=("", "_listed")
    )
    kind = "kind_listed" if "kind_listed" in alarms else "kind"
    sources = alarms.groupby(["unit_id", "subject", "period_id"])[kind].transform("nunique")
    others = alarms["extent"].isin(["shared", "both"]) | (alarms["neighbours"].fillna(0) > 0) | (sources > 1)
    return alarms.loc[others, ["unit_id", "watch_id", "period_id", "excess"]].reset_index(drop=True)

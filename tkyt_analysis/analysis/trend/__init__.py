"""Trends of rates and counts: joinpoints, breakpoints, models of counts, expected and excess deaths.

The public names stand in `_HOMES`; each is imported from its own module when it is first asked for, so that
`import tkyt_analysis.analysis.trend` stays light. No module may bear the name of a public function: it would hide it.
"""

from __future__ import annotations

from tkyt_analysis.analysis.lazy_names import lazy_names

_HOMES = {
    # joinpoint regression
    "JoinpointResult": "joinpoint_regression",
    "compare_joinpoints": "joinpoint_pairs",
    "joinpoint": "joinpoint_regression",
    "joinpoint_picture": "joinpoint_drawing",
    # models of counts
    "count_trend": "count_models",
    "series_breaks": "series_marks",
    "known_vintages": "series_marks",
    "breakpoints": "breakpoint_models",
    "segmented": "breakpoint_models",
    "BreakpointResult": "breakpoint_tables",
    "binomial_joinpoint": "logistic_joinpoint",
    "BinomialJoinpointResult": "logistic_joinpoint",
    "stl_decomposition": "seasonal",
    "harmonic_trend": "harmonic_models",
    "HarmonicResult": "harmonic_models",
    "holt_winters": "smoothing_models",
    "HoltWintersResult": "smoothing_models",
    # surveillance
    "farrington": "farrington_detection",
    "farrington_flexible": "farrington_detection",
    "complete_periods": "series_panel",
    "count_by_period": "series_panel",
    "season_week": "weeks",
    "cusum": "euromomo_scores",
    "euromomo": "euromomo_baseline",
    "backtest_summary": "nowcast_backtesting",
    "delay_distribution": "nowcasting",
    "nowcast": "nowcasting",
    "nowcast_backtest": "nowcast_backtesting",
    "nowcast_picture": "surveillance_drawing",
    "surveillance_picture": "surveillance_drawing",
    "LagTriangle": "reporting_lags",
    "lag_triangle": "reporting_lags",
    # outbreaks and shocks
    "detect_outbreaks": "outbreaks",
    "shared_events": "outbreaks",
    "outbreak_probability": "outbreak_ranking",
    "watched_events": "watched",
    # expected and excess deaths
    "compute_expected": "expected",
    "excess_cumulative": "excess_curve",
    "excess_deaths": "excess",
    "excess_model": "excess_curve",
    "excess_picture": "excess_drawing",
    "heat_regressor": "calendar_regressors",
    "interval_excess": "excess_curve",
    "lunar_new_year": "calendar_regressors",
    "tet_regressors": "calendar_regressors",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)

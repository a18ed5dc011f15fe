"""Continuous breakpoints, binomial joinpoints and seasonal models beside R."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.trend import (
    binomial_joinpoint,
    breakpoints,
    harmonic_trend,
    holt_winters,
    stl_decomposition,
)

PSI, APC, RSS = 0.1, 0.05, 1e-6
PRINTED = 1e-6  # their slopes have five digits
TAU, COEFFICIENT = 0.05, 1e-3
STL, GLM, THETA = 1e-4, 1e-6, 1e-3


@reference_case("segmented_nci_sample_both", topic="trends")
def segmented_sample(folder: Path) -> Iterator[pd.DataFrame]:
    """R segmented with three breakpoints on NCI's sample data: places, changes per year, average change."""
    theirs = {name: pd.read_csv(folder / f"expected_{name}.csv") for name in ("psi", "apc", "slope", "aapc")}
    ours = breakpoints(pd.read_csv(folder / "input.csv"), n_breakpoints=len(theirs["psi"]))
    yield compare("psi", ours.breakpoints["psi"], theirs["psi"]["Est."], tolerance=PSI)
    yield compare("psi standard error", ours.breakpoints["se"], theirs["psi"]["St.Err"], tolerance=PSI / 100)
    columns = {"Est.": "", "CI(95%).l": "lower", "CI(95%).u": "upper"}
    for their, mine in columns.items():
        yield compare(f"apc {their}", ours.segments[mine or "apc"], theirs["apc"][their], tolerance=APC)
        slope = f"slope_{mine}" if mine else "slope"
        yield compare(f"slope {their}", ours.segments[slope], theirs["slope"][their], tolerance=PRINTED)
    average = ours.aapc.loc[0, ["slope", "se", "slope_lower", "slope_upper"]]
    yield compare("average slope " + theirs["aapc"]["stat"], average, theirs["aapc"]["value"], tolerance=PRINTED)
    fit = pd.read_csv(folder / "fit.csv")
    yield compare("rss", ours.fits["rss"], fit["rss"], tolerance=RSS, relative=True)
    yield compare("df", ours.fits["df"], fit["df"], tolerance=0)


@reference_case("ljr_kcm_binomial_joinpoint", topic="trends")
def logistic_joinpoint(folder: Path) -> Iterator[pd.DataFrame]:
    """R ljr: logistic trend without and with one joinpoint."""
    table = pd.read_csv(folder / "input.csv")
    theirs, likelihood = (pd.read_csv(folder / f"expected{part}.csv") for part in ("", "_weighted_loglik"))
    for k, expected in theirs.groupby("model"):
        ours = binomial_joinpoint(
            events=table["Count"], population=table["Population"], time=table["Year"] + 0.5, joinpoints=int(str(k))
        )
        place = expected["term"].eq("tau").to_numpy()
        value = ours.coefficients["value"]
        yield compare(
            expected["term"][~place], value[~place], expected["value"][~place], tolerance=COEFFICIENT, relative=True
        )
        yield compare("tau", value[place], expected["value"][place], tolerance=TAU)
        chosen = ours.models.loc[ours.models["chosen"], "weighted_loglik"]
        yield compare("wlik", chosen, likelihood.query("model == @k")["wlik"], tolerance=1e-9, relative=True)


@reference_case("uk_lung_deaths_seasonal", topic="trends")
def lung_deaths(folder: Path) -> Iterator[pd.DataFrame]:
    """Base R's stl, glm and HoltWinters and MASS::glm.nb on monthly deaths."""
    deaths = pd.read_csv(folder / "input.csv").set_index("month")["deaths_total"]
    yield from _decomposition(deaths, pd.read_csv(folder / "expected_stl.csv"))
    other = pd.read_csv(folder / "expected_misc.csv").iloc[0]
    theirs = pd.read_csv(folder / "expected_coef.csv")
    quasi = harmonic_trend(deaths, harmonics=2)
    binomial = harmonic_trend(deaths, harmonics=1, model="negative_binomial")
    for name, ours in (("quasipoisson_2harm", quasi), ("negbin_1harm", binomial)):
        expected = theirs[theirs["model"] == name]
        for their, mine in (("estimate", "estimate"), ("se", "se")):
            names = name + " " + expected["term"] + " " + their
            yield compare(names, ours.coefficients[mine], expected[their], tolerance=GLM)
    for mine in ("dispersion", "deviance"):
        yield compare(mine, quasi.series[mine], other[mine], tolerance=GLM, relative=True)
    for their, mine, tolerance in (
        ("nb_theta", "theta", THETA),
        ("nb_theta_se", "theta_se", THETA),
        ("nb_loglik", "loglik", GLM),
    ):
        yield compare(their, binomial.series[mine], other[their], tolerance=tolerance, relative=True)
    smooth = holt_winters(deaths, seasonal="multiplicative").parameters
    for name in ("alpha", "beta", "gamma"):
        yield compare(f"hw_{name}", smooth[name], other[f"hw_{name}"], tolerance=THETA, relative=True)


def _decomposition(deaths: pd.Series, theirs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    plain = stl_decomposition(deaths)
    logs = stl_decomposition(deaths, s_window=13, robust=True, log=True)
    for part in ("seasonal", "trend", "remainder"):
        yield compare(part, plain[part], theirs[part], tolerance=STL, relative=True)
        yield compare(f"log {part}", logs[part], theirs[f"log_{part}"], tolerance=STL, relative=True)

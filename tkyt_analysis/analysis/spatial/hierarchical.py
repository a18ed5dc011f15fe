"""Relative risks and rates of small areas under a hierarchical model: BYM2 and its relatives, with exceedance probabilities.

Each area borrows strength from its neighbours and from the whole map, as much as the data ask for. What comes out is a model's
answer (status "modelled"), with limits and with what the chains say about themselves; chains that disagree give no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, as_numbers
from tkyt_analysis.analysis.spatial.hierarchical_graph import SCALINGS, Directions, directions
from tkyt_analysis.analysis.spatial.hierarchical_input import (
    expected_or_share,
    read_covariates,
    read_events,
    standardised,
    why_not,
)
from tkyt_analysis.analysis.spatial.hierarchical_models import MODELS, model_of, priors_of
from tkyt_analysis.analysis.spatial.hierarchical_sampling import Chains, Data, Sampling, sample_chains
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.option_words import option_word

MODELLED = "modelled"
LIKELY, CERTAIN = 0.80, 0.95
EVIDENCE = ("raised", "probably_raised", "lowered", "probably_lowered", "unclear")
_WORDS = {"car": "icar", "besag": "icar", "bym_carbayes": "bym", "s_carbym": "bym", "s_carleroux": "leroux"}


def bym2_rate(
    events: Any,
    expected: npt.ArrayLike | None = None,
    neighbours: Any = None,
    *,
    population: npt.ArrayLike | None = None,
    covariates: Any = None,
    areas: Any = None,
    model: str = "bym2",
    priors: str | Mapping[str, tuple[Any, ...]] = "half_normal",
    scaling: str = "component",
    islands: str = "independent",
    draws: int = 1_000,
    warmup: int = 500,
    chains: int = 4,
    rounds: int = 3,
    target_accept: float = 0.95,
    seed: int = 1,
    threshold: float = 1.0,
    confidence: float = 0.95,
    per: float = 100_000,
    unconverged: str = "blank",
    progress: bool = False,
) -> pd.DataFrame:
    """Smoothed relative risk of each area: events ~ Poisson(expected · risk), log risk = level + covariates + map.

    Parameters
    ----------
    events : counts by area, or a table with columns area, events, expected and/or population; a missing count is predicted
        from the neighbours
    expected : expected events (standardised for age and sex); without it in proportion to `population`
    neighbours : any form that `spatial_weights` reads; links hold in both directions. Islands are welcome: their part is
        independent and has the same variance as that of the others
    covariates : areas × k numbers, or the names of columns of the table
    model : "bym2" (default), "bym" (as CARBayes S.CARbym, with priors="carbayes"), "leroux", "icar", "iid"
    priors : "half_normal" (σ ~ N⁺(0, 1), ρ ~ Beta(½, ½): Morris et al., Spat Spatiotemporal Epidemiol 2019;31:100301), "pc"
        (P(σ > 1) = 0.01, P(ρ < ½) = ⅔: Riebler et al. 2016), "carbayes" (inverse gamma(1, 0.01), flat level), or your own:
        {"sigma": ("half_normal", 0.5), "rho": ("beta", 1, 1), "level": ("normal", 5), …}
    scaling : of the ICAR part: "component" (each connected piece by itself), "map", "none"
    draws, warmup, chains, rounds : draws of each chain; up to `rounds` times as many while R-hat is 1.01 or more
    islands : "independent", or for "icar" also "level" (they have the level of the map, as car.normal of GeoBUGS)
    threshold : exceedance is P(relative risk > threshold)
    unconverged : "blank" (no figures where chains disagree) or "show" (figures with status not_assessable)

    Returns
    -------
    One row per area, in the order given: area, events, expected, smr, relative_risk (posterior mean), median, lower, upper,
    sd, exceedance, evidence ("raised" P ≥ 0.95, "probably_raised" P ≥ 0.80, likewise "lowered", else "unclear"), structured
    (its neighbours' part on the log scale), island, [population, rate, rate_lower, rate_upper per `per`], method, status
    ("modelled", or "not_assessable"), reason.
    `attrs["sampling"]`: r_hat, ess_bulk, ess_tail, divergences, chains, draws; `attrs["parameters"]`: name → mean, lower,
    upper; `attrs["fit"]`: dic, p_d, waic, p_w. `sampling_report(table)` says it in words.
    """
    model, scaling = _word("model", model, MODELS), _word("scaling", scaling, SCALINGS)
    islands = _word("islands", islands, ("independent", "level"))
    _require_sampling(draws, warmup, chains, rounds, confidence)
    table = read_events(events, expected, population, areas)
    x, names = read_covariates(covariates, events, len(table))
    if model != "iid" and neighbours is None:
        raise InputError("error.bym_neighbours")
    n = len(table)
    reason = why_not(table)
    table["expected"] = expected_or_share(table, reason)
    method = f"{model};priors={priors if isinstance(priors, str) else 'given'};scaling={scaling};seed={seed}"
    if reason.eq("").sum() < 2 or not table.loc[reason.eq(""), "events"].sum() > 0:
        blank = reason.mask(reason.eq(""), "reason.bym_nothing_to_learn")
        return _blank(table, blank, method)
    ids = list(table["area"]) if table.attrs["named"] else None
    graph = directions([[] for _ in range(n)] if model == "iid" else neighbours, ids, n, scaling=scaling)
    usable = reason.eq("").to_numpy()
    data = Data(
        np.where(usable, table["events"], np.nan), np.where(usable, table["expected"].fillna(0), 0.0), standardised(x)
    )
    sampling = Sampling(chains, draws, warmup, rounds, seed, target_accept, progress)
    found = sample_chains(data, graph, model_of(model, graph, islands=islands), priors_of(priors), sampling)
    return _answer(table, found, graph, data, reason, x, names, method, threshold, confidence, per, unconverged)


def _word(option: str, value: str, known: tuple[str, ...]) -> str:
    found = option_word(value, known, _WORDS)
    if found not in known:
        raise UsageError("error.scan_option", option=option, found=value, known=", ".join(known))
    return str(found)


def _require_sampling(draws: int, warmup: int, chains: int, rounds: int, confidence: float) -> None:
    for option, value, least in (
        ("draws", draws, 4),
        ("warmup", warmup, 1),
        ("chains", chains, 1),
        ("rounds", rounds, 1),
    ):
        if value < least:
            raise UsageError("error.scan_option", option=option, found=value, known=f"≥ {least}")
    if not 0 < confidence < 1:
        raise UsageError("error.scan_option", option="confidence", found=confidence, known="0 < … < 1")


def _blank(table: pd.DataFrame, reason: pd.Series, method: str) -> pd.DataFrame:
    empty = dict.fromkeys(["smr", "relative_risk", "median", "lower", "upper", "sd", "exceedance"], np.nan)
    words = {"evidence": "", "method": method, "status": NOT_ASSESSABLE, "reason": reason}
    answer = table.drop(columns="population").assign(**empty, **words)
    answer.attrs["sampling"] = {"converged": False}
    return answer


def _answer(
    table: pd.DataFrame, found: Chains, graph: Directions, data: Data, reason: pd.Series, x: Numbers, names: list[str],
    method: str, threshold: float, confidence: float, per: float, unconverged: str,
) -> pd.DataFrame:  # fmt: skip
    """The table of `bym2_rate` from the chains."""
    log_risk = found.log_risk.reshape(-1, len(table))
    tails = [(1 - confidence) / 2, 0.5, (1 + confidence) / 2]
    lower, median, upper = np.exp(np.quantile(log_risk, tails, axis=0))
    risk = np.exp(log_risk)
    exceedance = (log_risk > np.log(threshold)).mean(axis=0)
    answer = table.drop(columns="population").assign(
        smr=table["events"] / table["expected"].where(table["expected"] > 0),
        relative_risk=risk.mean(axis=0), median=median, lower=lower, upper=upper, sd=risk.std(axis=0, ddof=1),
        exceedance=exceedance, evidence=evidence(exceedance), structured=found.structured, island=graph.island,
    )  # fmt: skip
    if table["population"].notna().any():
        answer = _with_rate(answer, table["population"], per)
    answer = answer.assign(method=method + _said(graph, found), **_status(reason, found.diagnostics))
    if unconverged == "blank":
        answer = _blanked(answer)
    answer.attrs["sampling"] = found.diagnostics
    answer.attrs["parameters"] = _parameters(found, x, names, tails)
    answer.attrs["fit"] = information_criteria(log_risk, data)
    return answer


def _with_rate(answer: pd.DataFrame, population: pd.Series, per: float) -> pd.DataFrame:
    """Rates per `per` persons: relative risk × expected / population."""
    scale = per * answer["expected"] / population.where(population > 0)
    rates = {"rate": "relative_risk", "rate_lower": "lower", "rate_upper": "upper"}
    return answer.assign(population=population, **{name: scale * answer[of] for name, of in rates.items()})


def _said(graph: Directions, found: Chains) -> str:
    """What the method string adds: islands, one-sided links and the diagnostics."""
    d = found.diagnostics
    parts = [f"islands={int(graph.island.sum())}"] if graph.island.any() else []
    parts += [f"one_sided_links={graph.symmetrised}"] if graph.symmetrised else []
    parts += [f"r_hat={d['r_hat']:.3f}", f"ess={d['ess_bulk']:.0f}", f"divergences={d['divergences']}"]
    return ";" + ";".join(parts)


def _status(reason: pd.Series, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """Predicted areas are modelled and say so; without people, or with chains that disagree, nothing is assessable."""
    predicted = reason.eq("reason.bym_events_missing")
    status = np.where(reason.eq("") | predicted, MODELLED, NOT_ASSESSABLE)
    if diagnostics["converged"]:
        return {"status": status, "reason": reason}
    return {"status": NOT_ASSESSABLE, "reason": reason.mask(status == MODELLED, "reason.bym_not_converged")}


def _blanked(answer: pd.DataFrame) -> pd.DataFrame:
    """No figure where nothing is assessable."""
    figures = [
        name for name in ("relative_risk", "median", "lower", "upper", "sd", "exceedance", "structured", "rate",
                          "rate_lower", "rate_upper") if name in answer
    ]  # fmt: skip
    without = answer["status"].eq(NOT_ASSESSABLE)
    answer[figures] = answer[figures].mask(without)
    answer["evidence"] = answer["evidence"].mask(without, "")
    return answer


def evidence(exceedance: npt.ArrayLike, *, likely: float = LIKELY, certain: float = CERTAIN) -> npt.NDArray[np.str_]:
    """Words of an exceedance probability (label("evidence.…")); Richardson et al., Environ Health Perspect 2004;112:1016-25."""
    p = as_numbers(exceedance)
    return np.select(
        [p >= certain, p >= likely, p <= 1 - certain + 1e-12, p <= 1 - likely + 1e-12], EVIDENCE[:4], EVIDENCE[4]
    )


def evidence_label(word: str, language: str | None = None) -> str:
    """What a word of the column `evidence` is called on a map; "" for areas without an answer."""
    return label(f"evidence.{word}", language) if word else ""


def _parameters(found: Chains, x: Numbers, names: list[str], tails: list[float]) -> dict[str, dict[str, float]]:
    """Mean and limits of the level (log risk where covariates are 0), σ, ρ …, and coefficients per unit of covariate."""
    draws = {name: values for name, values in found.parameters.items() if name != "beta"}
    if names:
        spread = x.std(axis=0)
        slopes = found.parameters["beta"] / np.where(spread > 0, spread, 1.0)
        draws["level"] = draws["level"] - slopes @ x.mean(axis=0)
        draws |= {f"coefficient {name}": slopes[..., number] for number, name in enumerate(names)}
    lines = {}
    for name, values in draws.items():
        lower, median, upper = np.quantile(values, tails)
        lines[name] = {
            "mean": float(values.mean()), "median": float(median), "lower": float(lower), "upper": float(upper),
            "sd": float(values.std(ddof=1)),
        }  # fmt: skip
    return lines


def information_criteria(log_risk: Numbers, data: Data) -> dict[str, float]:
    """DIC (Spiegelhalter 2002: deviance at the mean of the fitted events) and WAIC (Watanabe 2010), with their penalties."""
    from scipy.special import gammaln, logsumexp

    seen = data.seen
    events, fitted = data.events[seen], data.expected[seen] * np.exp(log_risk[:, seen])
    log_density = events * np.log(fitted) - fitted - gammaln(events + 1)
    at_mean = fitted.mean(axis=0)
    deviance_at_mean = -2 * float((events * np.log(at_mean) - at_mean - gammaln(events + 1)).sum())
    p_d = float(-2 * log_density.sum(axis=1).mean()) - deviance_at_mean
    p_w = float(log_density.var(axis=0, ddof=1).sum())
    predictive = float((logsumexp(log_density, axis=0) - np.log(len(log_density))).sum())
    return {"dic": deviance_at_mean + 2 * p_d, "p_d": p_d, "waic": -2 * (predictive - p_w), "p_w": p_w}


def sampling_report(table: pd.DataFrame, language: str | None = None) -> str:
    """What the chains say about themselves, in one or two sentences: to be printed under every table and map."""
    d = table.attrs.get("sampling", {})
    if "r_hat" not in d:
        return label("bym.no_sampling", language)
    numbers = {
        name: format_number(d[name], 0, language) for name in ("chains", "draws", "ess_bulk", "ess_tail", "divergences")
    }
    worst = format_number(d["r_hat"], 3, language)
    return label("bym.converged" if d["converged"] else "bym.not_converged", language, r_hat=worst, **numbers)

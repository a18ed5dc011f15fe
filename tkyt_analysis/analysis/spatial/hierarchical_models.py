"""Hierarchical models of relative risk: how the variance of each direction of the map depends on a few parameters.

bym2      σ²·((1 − ρ) + ρ·scaled ICAR variance)   Riebler et al., Stat Methods Med Res 2016;25:1145-65
bym       σ² + τ²·ICAR variance (not scaled)      Besag, York & Mollié, Ann Inst Stat Math 1991;43:1-20; CARBayes S.CARbym
leroux    τ² / (ρ·λ + 1 − ρ)                      Leroux, Lei & Breslow 2000; CARBayes S.CARleroux
icar      τ²·ICAR variance;   iid   σ²

Independent and structured parts are added up in the variance and never sampled apart, so half as many unknowns remain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.spatial.hierarchical_graph import Directions
from tkyt_analysis.errors import UsageError

MODELS = ("bym2", "bym", "leroux", "icar", "iid")
# Named sets of priors: parameter → (distribution, its numbers).
PRIORS: dict[str, dict[str, tuple[Any, ...]]] = {
    "half_normal": {
        "sigma": ("half_normal", 1.0), "rho": ("beta", 0.5, 0.5), "sigma2": ("inverse_gamma", 1.0, 0.01),
        "tau2": ("inverse_gamma", 1.0, 0.01), "level": ("normal", 5.0),
    },
    "pc": {
        "sigma": ("pc", 1.0, 0.01), "rho": ("pc_mixing", 0.5, 2 / 3), "sigma2": ("pc_variance", 1.0, 0.01),
        "tau2": ("pc_variance", 1.0, 0.01), "level": ("normal", 10.0),
    },
    "carbayes": {
        "sigma": ("half_normal", 1.0), "rho": ("beta", 1.0, 1.0), "sigma2": ("inverse_gamma", 1.0, 0.01),
        "tau2": ("inverse_gamma", 1.0, 0.01), "level": ("normal", 316.227766),
    },
}  # fmt: skip
_PARAMETERS = {
    "bym2": ("sigma", "rho"), "bym": ("sigma2", "tau2"), "leroux": ("tau2", "rho"), "icar": ("tau2",), "iid": ("sigma",),
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The unknowns of a model and the variance that they give each direction.

    variance(parameters, xp) → (whole variance, its spatially structured part) of the `used` directions; xp is numpy or
    jax.numpy
    used : directions that the model lets vary. The level of a map in one piece is left to the intercept, as CARBayes does;
        where a map has several pieces, each may have its own level (levels : which of `used` these are)
    """

    name: str
    parameters: tuple[str, ...]
    variance: Callable[[Mapping[str, Any], Any], tuple[Any, Any]]
    used: npt.NDArray[np.intp]
    levels: npt.NDArray[np.bool_]


def model_of(name: str, graph: Directions, *, islands: str = "independent") -> Model:
    """The model `name` on a map; islands : "independent", or "level" (no part of their own in "icar", as GeoBUGS)."""
    alone, values = graph.of_island, graph.eigenvalues
    level = (values <= 0) & ~alone
    keep_levels = name != "icar" and level.sum() > 1
    dropped = alone & (name == "icar") & (islands == "level") & (values <= 0)
    used = np.flatnonzero((~level | keep_levels) & ~dropped)
    alone, values, scaled = alone[used], values[used], graph.structured[used]
    icar = np.where(values > 0, 1 / np.where(values > 0, values, 1.0), 0.0)
    neighbourly = np.where(alone, 0.0, 1.0)  # an island has no neighbours to be like
    ones = np.ones(len(used))

    def variance(p: Mapping[str, Any], xp: Any) -> tuple[Any, Any]:
        if name == "bym2":
            part = p["sigma"] ** 2 * p["rho"] * scaled
            return p["sigma"] ** 2 * (1 - p["rho"]) + part, part * neighbourly
        if name == "bym":
            return p["sigma2"] + p["tau2"] * icar, p["tau2"] * icar
        if name == "leroux":
            whole = p["tau2"] / (p["rho"] * values + 1 - p["rho"])
            return whole, whole * neighbourly
        if name == "icar":
            whole = p["tau2"] * np.where(alone, 1.0, icar)
            return whole, whole * neighbourly
        return p["sigma"] ** 2 * ones, 0.0 * p["sigma"] * ones

    return Model(name, _PARAMETERS[name], variance, used, level[used])


def priors_of(priors: str | Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The named set, or the default one with the caller's own distributions in place."""
    if isinstance(priors, str):
        if priors not in PRIORS:
            raise UsageError("error.scan_option", option="priors", found=priors, known=", ".join(PRIORS))
        return PRIORS[priors]
    known = PRIORS["half_normal"]
    wrong = [name for name in priors if name not in known]
    if wrong:
        raise UsageError("error.scan_option", option="priors", found=", ".join(wrong), known=", ".join(known))
    return known | dict(priors)


def draw_parameter(name: str, prior: tuple[Any, ...], graph: Directions) -> Any:
    """A numpyro sample of one parameter under its prior; UsageError for a distribution that is not known."""
    import numpyro
    import numpyro.distributions as dist

    kind, *numbers = prior
    simple = {
        "half_normal": dist.HalfNormal, "beta": dist.Beta, "inverse_gamma": dist.InverseGamma, "exponential": dist.Exponential,
        "gamma": dist.Gamma, "half_cauchy": dist.HalfCauchy, "uniform": dist.Uniform,
    }  # fmt: skip
    if kind in simple:
        return numpyro.sample(name, simple[kind](*numbers))
    if kind == "normal":
        return numpyro.sample(name, dist.Normal(0.0, numbers[0]))
    if kind == "pc":  # P(value > U) = a
        return numpyro.sample(name, dist.Exponential(-np.log(numbers[1]) / numbers[0]))
    if kind == "pc_variance":  # the same for the standard deviation, of which this is the square
        root = numpyro.sample(f"root_{name}", dist.Exponential(-np.log(numbers[1]) / numbers[0]))
        return numpyro.deterministic(name, root**2)
    if kind == "pc_mixing":
        return _pc_mixing(name, float(numbers[0]), float(numbers[1]), graph)
    raise UsageError(
        "error.scan_option", option=f"priors[{name}]", found=kind, known=", ".join([*simple, "normal", "pc"])
    )


def _pc_mixing(name: str, upper: float, probability: float, graph: Directions) -> Any:
    """Penalised complexity prior of the mixing share: P(ρ < upper) = probability (Simpson et al., Stat Sci 2017;32:1-28).

    The distance from ρ = 0 is √(2·KLD), with KLD of the scaled model from the independent one; it has an exponential
    distribution cut at the distance of ρ = 1.
    """
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from scipy.optimize import brentq

    excess = np.where(graph.of_island, 0.0, graph.structured - 1)

    def distance(rho: Any, xp: Any) -> Any:
        return xp.sqrt(xp.sum(rho * excess - xp.log1p(rho * excess)) + 1e-12)

    far, near = float(distance(1 - 1e-6, np)), float(distance(upper, np))

    def cumulative(rate: float) -> float:
        return float(np.expm1(-rate * near) / np.expm1(-rate * far)) - probability

    low, high = 1e-6, 1e3
    rate = brentq(cumulative, low, high) if cumulative(low) * cumulative(high) < 0 else low
    rho = numpyro.sample(name, dist.Uniform(0.0, 1.0))
    slope = jax.grad(lambda value: distance(value, jnp))(rho)
    numpyro.factor(f"pc_{name}", -rate * distance(rho, jnp) + jnp.log(jnp.abs(slope) + 1e-300))
    return rho

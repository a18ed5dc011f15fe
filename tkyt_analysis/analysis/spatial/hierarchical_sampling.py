"""Sampling of the hierarchical models by NUTS (numpyro), and what the chains say about themselves.

Each direction of the map is sampled partly centred: fully where its data tell more than its prior, not at all where they
tell nothing (Papaspiliopoulos, Roberts & Sköld, Stat Sci 2007;22:59-73), so the sampler moves freely with one case per area
and with a hundred thousand. The level and the covariates are centres too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.spatial.chain_diagnostics import ess_bulk, ess_tail, r_hat
from tkyt_analysis.analysis.spatial.hierarchical_graph import Directions
from tkyt_analysis.analysis.spatial.hierarchical_models import Model, draw_parameter
from tkyt_analysis.errors import ProcessingError

R_HAT_LIMIT = 1.01
Priors = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Data:
    """events : NaN where nothing was seen (the area is predicted); expected : where 0 the events do not count
    covariates : areas × k, each of mean 0 and standard deviation 1
    """

    events: Numbers
    expected: Numbers
    covariates: Numbers

    @property
    def seen(self) -> Any:
        """Areas whose events enter the likelihood."""
        return np.isfinite(self.events) & (self.expected > 0)


@dataclass(frozen=True)
class Sampling:
    """How long and how carefully is sampled; further rounds of `draws` follow while R-hat is above 1.01."""

    chains: int
    draws: int
    warmup: int
    rounds: int
    seed: int
    target_accept: float
    progress: bool = False


@dataclass(frozen=True)
class Chains:
    """Draws of all chains.

    log_risk : chains × draws × areas; parameters : name → chains × draws ("beta": × covariates)
    structured : posterior mean of the structured part of each area (log scale)
    diagnostics : chains, draws, warmup, r_hat, ess_bulk, ess_tail (the worst of all unknowns), divergences, converged
    """

    log_risk: Numbers
    parameters: dict[str, Numbers]
    structured: Numbers
    diagnostics: dict[str, Any]


def sample_chains(data: Data, graph: Directions, model: Model, priors: Priors, sampling: Sampling) -> Chains:
    """Chains of log relative risks; the same seed gives the same draws on the same machine."""
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_uniform

    centring = _centring(data, graph, model)
    with jax.enable_x64(True):
        kernel = NUTS(
            _model_function(data, graph, model, priors, centring),
            target_accept_prob=sampling.target_accept,
            init_strategy=init_to_uniform(radius=1.0),
        )
        mcmc = MCMC(
            kernel,
            num_warmup=sampling.warmup,
            num_samples=sampling.draws,
            num_chains=sampling.chains,
            chain_method="vectorized",
            progress_bar=sampling.progress,
        )
        key, blocks = jax.random.PRNGKey(sampling.seed), []
        for _ in range(sampling.rounds):
            try:
                mcmc.run(key, extra_fields=("diverging",))
            except (RuntimeError, FloatingPointError) as problem:
                raise ProcessingError("error.bym_sampling", problem=str(problem).splitlines()[0]) from problem
            blocks.append(_block(mcmc))
            found = _gathered(blocks, data, graph, model, centring, sampling.warmup)
            if found.diagnostics["converged"]:
                break
            mcmc.post_warmup_state = mcmc.last_state
            key = mcmc.last_state.rng_key
    return found


def _centring(data: Data, graph: Directions, model: Model) -> Numbers:
    """0 (not centred) to 1 (centred) for each direction: the data's share of what is known about it."""
    counts = np.where(data.seen, np.nan_to_num(data.events) + 0.5, 0.0)
    expected = np.where(data.seen, data.expected, 1.0)
    risk = np.log(np.where(data.seen, counts, 1.0) * expected.sum() / (expected * max(counts.sum(), 1.0)))
    noise = np.mean(1 / counts[data.seen]) if data.seen.any() else 1.0
    spread = max(float(risk[data.seen].var()) - noise, 0.02) if data.seen.any() else 0.02
    information = spread * (0.3 + 0.7 * graph.structured) * (counts @ graph.vectors**2)
    share = (information / (1 + information))[model.used]
    return np.where(model.levels, 0.0, share)  # the variance of a level may vanish: never centred


def _model_function(
    data: Data, graph: Directions, model: Model, priors: Priors, centring: Numbers
) -> Callable[[], None]:
    """The numpyro model: log risk = level + covariates + map."""

    def function() -> None:
        import jax.numpy as jnp
        import numpyro
        import numpyro.distributions as dist

        vectors, centred = jnp.asarray(graph.vectors[:, model.used]), jnp.asarray(centring)
        seen = np.flatnonzero(data.seen)
        parameters = {name: draw_parameter(name, priors[name], graph) for name in model.parameters}
        fixed = draw_parameter("level", priors["level"], graph) * jnp.ones(len(data.events))
        if data.covariates.shape[1]:
            prior = dist.Normal(0.0, priors["level"][1]).expand([data.covariates.shape[1]]).to_event(1)
            fixed = fixed + jnp.asarray(data.covariates) @ numpyro.sample("beta", prior)
        spread = jnp.sqrt(model.variance(parameters, jnp)[0])
        centre = vectors.T @ fixed
        v = numpyro.sample("v", dist.Normal(centred * centre, spread**centred).to_event(1))
        log_risk = fixed + vectors @ (spread ** (1 - centred) * (v - centred * centre))
        mean = jnp.asarray(data.expected[seen]) * jnp.exp(log_risk[seen])
        numpyro.sample("events", dist.Poisson(mean), obs=jnp.asarray(data.events[seen]))

    return function


def _block(mcmc: Any) -> dict[str, Numbers]:
    """Draws of one run by name, chains first, with the marks of divergent steps."""
    block = {name: np.asarray(values) for name, values in mcmc.get_samples(group_by_chain=True).items()}
    block["diverging"] = np.asarray(mcmc.get_extra_fields(group_by_chain=True)["diverging"])
    return block


def _gathered(
    blocks: list[dict[str, Numbers]], data: Data, graph: Directions, model: Model, centring: Numbers, warmup: int
) -> Chains:
    """Log risks from the draws of all rounds, and their diagnostics."""
    draws = {name: np.concatenate([block[name] for block in blocks], axis=1) for name in blocks[0]}
    vectors = graph.vectors[:, model.used]
    parameters = {name: draws[name] for name in (*model.parameters, "level", "beta") if name in draws}
    shaped = {name: parameters[name][..., None] for name in model.parameters}
    fixed = draws["level"][..., None] * np.ones(len(vectors))
    if "beta" in draws:
        fixed = fixed + draws["beta"] @ data.covariates.T
    variance, part = model.variance(shaped, np)
    effect = np.sqrt(variance) ** (1 - centring) * (draws["v"] - centring * (fixed @ vectors))
    structured = vectors @ (effect * part / variance).mean(axis=(0, 1))
    log_risk = fixed + effect @ vectors.T
    known = [values if values.ndim == 3 else values[..., None] for values in parameters.values()]
    diagnostics = _diagnostics(np.concatenate([log_risk, *known], axis=2), draws["diverging"], warmup)
    return Chains(log_risk, parameters, structured, diagnostics)


def _diagnostics(unknowns: Numbers, diverging: Numbers, warmup: int) -> dict[str, Any]:
    worst = float(np.max(r_hat(unknowns)))
    bulk, tail = float(np.min(ess_bulk(unknowns))), float(np.min(ess_tail(unknowns)))
    return {
        "chains": unknowns.shape[0],
        "draws": unknowns.shape[1],
        "warmup": warmup,
        "r_hat": worst,
        "ess_bulk": bulk,
        "ess_tail": tail,
        "divergences": int(diverging.sum()),
        "converged": worst < R_HAT_LIMIT,
    }

"""How complete a register is, from how lists of the same deaths overlap (capture–recapture).

`capture_recapture` takes counts of capture histories for any number of areas at once: two lists give Chapman's
estimate, three lists the log-linear models, with the choice among them shown. Lists that depend on each other, deaths that
no list can catch and pairs that were not recognised all move the estimate; the interval covers chance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mortality.measures.completeness.capture_fits import MODELS, TWO_LISTS, in_common, list_totals, log_linear
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
OK, NOT_ASSESSABLE = "ok", "not_assessable"
TOO_FEW_IN_COMMON, EMPTY_LIST, NO_MODEL = "too_few_in_common", "empty_list", "no_model_fits"
ROBSON_REGIER = 7  # in common; with fewer Chapman's bias can pass 5 %: Robson & Regier, Trans. Am. Fish. Soc. 93 (1964)
AVERAGE, CHOICES = "average", ("best", "average")


@dataclass(frozen=True)
class CaptureEstimate:
    """What the lists say together; arrays over the areas.

    estimate, lower, upper : all deaths, seen or not; NaN where status is not "ok" (reason: too_few_in_common, empty_list,
    no_model_fits); observed : on any list; completeness : (areas, lists), each list's share of the estimate
    model : the model that was chosen ("chapman" or a name of MODELS), or "average"
    models : {model: {"estimate", "lower", "upper", "aic"}} of every model that was fitted
    lowest, highest : of the estimates of the models nearly as good as the chosen one (AIC within 2)
    """

    estimate: Numbers
    lower: Numbers
    upper: Numbers
    observed: Numbers
    completeness: Numbers
    status: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    model: npt.NDArray[np.str_]
    lowest: Numbers
    highest: Numbers
    models: dict[str, dict[str, Numbers]] = field(default_factory=dict)

    @property
    def value(self) -> Numbers:
        """The estimate, under the name that other measures use."""
        return self.estimate

    @property
    def method(self) -> npt.NDArray[np.str_]:
        """The estimator: "capture_recapture;" and the model."""
        return np.char.add("capture_recapture;", self.model.astype(str))


def capture_recapture(
    histories: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    minimum_in_common: int = ROBSON_REGIER,
    correction: float = 0.0,
    models: Sequence[str] = tuple(MODELS),
    choice: str = "best",
    two_lists: str = "chapman",
) -> CaptureEstimate:
    """All deaths of an area, those on no list included, from how often lists of them overlap.

    histories : (…, 2^k) counts for k = 2 or 3 lists. Position h counts the deaths on exactly the lists whose bit is set in
        h: for two lists [–, only 1, only 2, both]; for three [–, 1, 2, 1+2, 3, 1+3, 2+3, all]. Position 0, the unseen, is
        not read and may be left out (3 or 7 counts)
    confidence : two-sided level of the limits
    minimum_in_common : deaths on two lists or more below which nothing is estimated
    correction : added to each seen history of three lists before fitting; 0.25 is Evans & Bonett's small-sample correction
    models : which of MODELS to choose from
    choice : "best", the model with the smallest AIC (the simpler one of equals), whose limits do not know that it was chosen;
        "average", all models by their Akaike weights (`averaged_models`): limits that know of the choice, for publishing
    two_lists : "chapman", or "petersen" (n1 n2 / m with the variance of Chandra Sekar & Deming; biased in small numbers)

    Two lists: Chapman's estimate (n1 + 1)(n2 + 1)/(m + 1) − 1 and Seber's variance. Three: Poisson log-linear models
    fitted by maximum likelihood to the seven seen cells; the unseen cell is their prediction. Limits: Chao's log
    transformation of the unseen, so that the lower one is never below what was seen.

    Source: Chapman, Univ. California Publ. Statistics 1 (1951): 131–160; Seber (1982), p. 60; Fienberg, Biometrika 59 (1972):
    591–603; Chao, Biometrics 43 (1987): 783–791; Evans & Bonett, Biometrics 50 (1994): 1207–1212.
    """
    table = _histories(histories)
    if (table[..., 1:] < 0).any() or np.isnan(table[..., 1:]).any():
        raise InputError("error.capture_counts")
    flat = np.concatenate([np.zeros_like(table[..., :1]), table[..., 1:]], axis=-1).reshape(-1, table.shape[-1])
    two_lists = option_word(two_lists, TWO_LISTS, {"lincoln_petersen": "petersen", "lincoln": "petersen"})
    if two_lists not in TWO_LISTS:
        raise UsageError(
            "error.completeness_option", option="two_lists", found=two_lists, expected=", ".join(TWO_LISTS)
        )
    fits = {two_lists: TWO_LISTS[two_lists](flat)} if flat.shape[1] == 4 else log_linear(flat, models, correction)
    if choice not in CHOICES:
        raise UsageError("error.completeness_option", option="choice", found=choice, expected=", ".join(CHOICES))
    result = _chosen(flat, fits, confidence, minimum_in_common)
    if choice == AVERAGE and len(fits) > 1:
        result = _averaged(result, confidence)
    return _shaped(result, table.shape[:-1])


def _histories(histories: npt.ArrayLike) -> Numbers:
    """The counts with the place of the unseen in front."""
    try:
        table = np.asarray(histories, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.capture_counts") from None
    if table.ndim == 0 or table.shape[-1] not in (3, 4, 7, 8):
        raise InputError("error.capture_histories", found=table.shape[-1] if table.ndim else 0)
    return np.concatenate([np.zeros_like(table[..., :1]), table], axis=-1) if table.shape[-1] in (3, 7) else table


def averaged_models(
    found: CaptureEstimate, *, confidence: float = 0.95, limits_of: float = 0.95
) -> tuple[Numbers, Numbers, Numbers]:
    """All deaths, lower, upper as the mean of the models that were fitted, each weighted by its AIC: exp(−AIC/2).

    found : of `capture_recapture`, whose limits are of confidence `limits_of`. The mean and the variance (of each model, and
    between them) are those of the logarithm of the unseen deaths; missing where `found` is. One model: its own limits.

    Source: Buckland, Burnham & Augustin, Biometrics 53 (1997): 603–618.
    """
    from statistics import NormalDist

    models = list(found.models.values())
    seen = found.observed
    with np.errstate(all="ignore"):
        unseen = np.stack([one["estimate"] - seen for one in models])
        spread = np.stack([np.log((one["upper"] - seen) / (one["estimate"] - seen)) for one in models])
        spread = spread / NormalDist().inv_cdf((1 + limits_of) / 2)
        aic = np.stack([one["aic"] for one in models])
        fits = (unseen > 1e-9) & np.isfinite(spread) & np.isfinite(aic)
        weight = np.where(fits, np.exp(-(aic - np.where(fits, aic, np.inf).min(axis=0)) / 2), 0.0)
        weight = weight / weight.sum(axis=0)
        logs = np.where(fits, np.log(unseen), 0.0)
        mean = (weight * logs).sum(axis=0)
        variance = (weight * (np.where(fits, spread, 0.0) ** 2 + (logs - mean) ** 2)).sum(axis=0)
        half = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(variance)
        values = [seen + np.exp(mean + sign * half) for sign in (0, -1, 1)]
    none = ~fits.any(axis=0)
    whole = (found.estimate, found.lower, found.upper)
    value, lower, upper = (np.where(none, own, new) for own, new in zip(whole, values, strict=True))
    known = found.status == OK
    return np.where(known, value, np.nan), np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def _averaged(found: CaptureEstimate, confidence: float) -> CaptureEstimate:
    """The models' mean in place of the best one. Limits of the best model alone held the truth in 85 % of practice provinces."""
    estimate, lower, upper = averaged_models(found, confidence=confidence, limits_of=confidence)
    share = found.completeness * (found.estimate / estimate)[..., None]
    model = np.where(found.status == OK, AVERAGE, "")
    return replace(found, estimate=estimate, lower=lower, upper=upper, completeness=share, model=model)


# ---------------------------------------------------------------------------------- choice and limits


def _chosen(
    flat: Numbers, fits: dict[str, dict[str, Numbers]], confidence: float, minimum_in_common: int
) -> CaptureEstimate:
    names = np.array(list(fits))
    observed, totals = flat[:, 1:].sum(axis=1), list_totals(flat)
    shown = {name: _with_limits(fit, observed, confidence) for name, fit in fits.items()}
    aic = np.stack([fit["aic"] for fit in fits.values()])
    best = np.argmin(np.round(aic, 9), axis=0)
    area = np.arange(len(flat))
    taken = {key: np.stack([one[key] for one in shown.values()])[best, area] for key in ("estimate", "lower", "upper")}
    reason = np.select(
        [
            (totals == 0).any(axis=1),
            in_common(flat) < minimum_in_common,
            ~np.isfinite(taken["estimate"]) | ~np.isfinite(aic[best, area]),
        ],
        [EMPTY_LIST, TOO_FEW_IN_COMMON, NO_MODEL],
        "",
    )
    ok = reason == ""
    values = {key: np.where(ok, value, np.nan) for key, value in taken.items()}
    lowest, highest = _among_the_best(shown, aic, best, area)
    return CaptureEstimate(
        **values,
        observed=observed,
        completeness=totals / values["estimate"][:, None],
        status=np.where(ok, OK, NOT_ASSESSABLE),
        reason=reason,
        model=np.where(ok, names[best], ""),
        lowest=np.where(ok, lowest, np.nan),
        highest=np.where(ok, highest, np.nan),
        models=shown,
    )


def _with_limits(fit: dict[str, Numbers], observed: Numbers, confidence: float) -> dict[str, Numbers]:
    """Chao's limits: seen + unseen / c … seen + unseen × c."""
    from statistics import NormalDist

    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    unseen = np.maximum(fit["estimate"] - observed, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.exp(quantile * np.sqrt(np.log1p(fit["variance"] / unseen**2)))
    spread = np.where(unseen > 0, spread, 1.0)
    return {
        "estimate": fit["estimate"],
        "lower": observed + unseen / spread,
        "upper": observed + unseen * spread,
        "aic": fit["aic"],
    }


def _among_the_best(
    shown: dict[str, dict[str, Numbers]], aic: Numbers, best: npt.NDArray[np.int_], area: npt.NDArray[np.int_]
) -> tuple[Numbers, Numbers]:
    estimates = np.stack([one["estimate"] for one in shown.values()])
    near = (aic <= aic[best, area] + 2) & np.isfinite(estimates)
    return (
        np.where(near, estimates, np.inf).min(axis=0),
        np.where(near, estimates, -np.inf).max(axis=0),
    )


def _shaped(result: CaptureEstimate, shape: tuple[int, ...]) -> CaptureEstimate:
    """The arrays in the shape of the areas that were given."""
    parts = {
        name: getattr(result, name).reshape(shape)
        for name in ("estimate", "lower", "upper", "observed", "status", "reason", "model", "lowest", "highest")
    }
    models = {name: {key: value.reshape(shape) for key, value in one.items()} for name, one in result.models.items()}
    completeness = result.completeness.reshape(*shape, result.completeness.shape[-1])
    return CaptureEstimate(**parts, completeness=completeness, models=models)

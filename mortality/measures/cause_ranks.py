"""Leading causes with the range of ranks that chance allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.tabulation.deaths_given import number_of_deaths, require_columns
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.proportions import proportion
from tkyt_analysis.errors import InputError, UsageError

Numbers = npt.NDArray[np.float64]
DEFAULT_LIST = "who_mortality_list_1"
NOT_RANKED = ("gap", "unknown")  # codes outside the list, deaths without a code
SEED, BLOCK = 20260101, 2_000_000


def leading_causes(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
    cause_list: str | None = DEFAULT_LIST,
    top: int | None = 10,
    not_ranked: Sequence[str] = NOT_RANKED,
    draws: int = 1000,
    seed: int = SEED,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The causes with most deaths in each group, each with the interval of its rank.

    cause_list : the list whose items are ranked; None: the column `code` holds causes already (such as `cause` of `redistribute`)
    top : so many ranks, None for all; not_ranked : items that get no rank (residual and ill-defined ones)
    The rank interval is that of `draws` sets of deaths, each cause drawn as Gamma(deaths) (Poisson counts); equal numbers are
    ranked in the order of the causes. Returns `by`, rank, cause, deaths, total (all deaths of the group), share, lower, upper
    (Wilson), rank_lower, rank_upper, method, status, reason.
    """
    by = names_of(by)
    if draws < 1:
        raise UsageError("error.rank_draws", found=draws)
    require_columns(deaths.columns, [*by, code])
    wide = _wide(deaths, list(by), code, deaths_column, cause_list)
    total = wide.sum(axis=1).to_numpy(float)
    ranked = wide[[name for name in wide.columns if name not in not_ranked]]
    counts = ranked.to_numpy(float)
    rank, lower, upper = ranks(counts), *rank_limits(counts, draws=draws, seed=seed, confidence=confidence)
    keep = (counts > 0) & (rank <= (top or counts.shape[1]))
    row, column = np.nonzero(keep)
    order = np.lexsort((rank[row, column], row))
    row, column = row[order], column[order]
    shares = proportion(counts[row, column], total[row], confidence=confidence).rename(columns={"events": "deaths"})
    shares.insert(0, "cause", ranked.columns.to_numpy(dtype=object)[column])
    shares.insert(0, "rank", rank[row, column])
    at = shares.columns.get_loc("method")
    shares.insert(at, "rank_lower", lower[row, column])
    shares.insert(at + 1, "rank_upper", upper[row, column])
    names = wide.index[row].to_frame(index=False)[list(by)] if by else pd.DataFrame(index=shares.index)
    method = f"Wilson; ranks of {draws} draws"
    return pd.concat([names.reset_index(drop=True), shares.assign(method=method)], axis=1)


def ranks(counts: Numbers) -> npt.NDArray[np.int64]:
    """(…, causes) rank of each cause, 1 for the most deaths; equal ones in the order of the causes."""
    order = np.argsort(-counts, axis=-1, kind="stable")
    rank = np.empty(counts.shape, np.int64)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(1, counts.shape[-1] + 1), counts.shape), axis=-1)
    return rank


def rank_limits(
    counts: Numbers, *, draws: int = 1000, seed: int = SEED, confidence: float = 0.95
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(groups, causes) lowest and highest rank within the confidence; groups are taken in blocks so that memory stays flat."""
    random, tail = np.random.default_rng(seed), (1 - confidence) / 2
    size = max(1, BLOCK // max(1, draws * counts.shape[1]))
    lower, upper = np.ones(counts.shape, np.int64), np.ones(counts.shape, np.int64)
    for start in range(0, len(counts), size):
        part = counts[start : start + size]
        drawn = ranks(random.standard_gamma(part, (draws, *part.shape)))
        ends = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
        lower[start : start + size], upper[start : start + size] = ends.astype(np.int64)
    return lower, upper


def _wide(
    deaths: pd.DataFrame, by: list[str], code: str, deaths_column: str | None, cause_list: str | None
) -> pd.DataFrame:
    """One row per group, one column per cause."""
    cause = deaths[code].fillna("unknown").astype("str").replace("", "unknown")
    if cause_list is not None:
        from mortality.tabulation.cause_lists import load_cause_list

        cause = load_cause_list(cause_list).item_of(deaths[code])
    number = number_of_deaths(deaths, deaths_column)
    if not (number >= 0).all():
        raise InputError("error.redistribution_counts")
    counted = deaths[by].assign(_cause=cause, _deaths=number)
    if not by:
        counted = counted.assign(_all="")
    return counted.groupby([*(by or ["_all"]), "_cause"], dropna=False)["_deaths"].sum().unstack("_cause", fill_value=0)

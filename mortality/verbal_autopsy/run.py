"""One run from interviews to tables: causes with codes, fractions, what the consistency rules changed, what fed the indicators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.causes import cause_titles, concerns_hiv, item_titles, who_item, with_codes
from mortality.verbal_autopsy.csmf import fractions_with_limits
from mortality.verbal_autopsy.indicators import Indicators, indicator_names
from mortality.verbal_autopsy.interva import LEVELS, interva
from mortality.verbal_autopsy.probability_base import require_probability_base
from tkyt_analysis.errors import InputError

LIKELIHOOD_DECIMALS = 6


@dataclass(frozen=True)
class Causes:
    """
    summary : as `interva` gives it, likelihoods rounded; table : the same with WHO items and ICD-10 codes
    changes : id, pass, indicator, change, because; empty for results that came from elsewhere
    withheld : deaths left out because a cause of theirs is HIV and the account has no right to know
    """

    summary: pd.DataFrame
    table: pd.DataFrame
    changes: pd.DataFrame
    withheld: int = 0


def choose_level(name: str, given: str | None, found: set[str]) -> str:
    """The level that was given, else the one that all interviews name. Raises InputError where neither tells."""
    if given:
        return given
    if len(found) == 1:
        return next(iter(found))
    key = "error.verbal_autopsy_no_level" if not found else "error.verbal_autopsy_levels"
    raise InputError(key, name=name, found=", ".join(sorted(found)), expected=", ".join(LEVELS))


def causes_of(indicators: Indicators, *, hiv: str, malaria: str) -> Causes:
    """The probable causes by InterVA-5. Raises ProcessingError where the probability base is not at hand."""
    base = require_probability_base()
    result = interva(indicators.table(), base, hiv=hiv, malaria=malaria)
    numbers = result.summary.columns[result.summary.dtypes.eq(float)]
    summary = result.summary.assign(**{name: result.summary[name].round(LIKELIHOOD_DECIMALS) for name in numbers})
    changes = result.changes.assign(id=indicators.ids[result.changes["row"].astype(int)])
    return Causes(
        summary,
        with_codes(summary, **_sex_and_age(indicators)),
        changes[["id", "pass", "indicator", "change", "because"]],
    )


def _sex_and_age(indicators: Indicators) -> dict[str, np.ndarray]:
    """{"sex": "male", "female" or "", "newborn": whether below 28 days} of each interview."""
    names = list(indicator_names())
    male, female, newborn = (indicators.answers[:, names.index(name)] == 1 for name in ("i019a", "i019b", "i022g"))
    return {"sex": np.where(male, "male", np.where(female, "female", "")), "newborn": newborn}


def causes_from_results(summary: pd.DataFrame, indicators: Indicators | None = None) -> Causes:
    """Causes that another program found (`read_results`), with codes.

    indicators : the interviews that they were found from, joined by id: they tell sex and age, which the results do not.
    """
    known: dict[str, np.ndarray] = {"sex": np.full(len(summary), ""), "newborn": np.zeros(len(summary), dtype=bool)}
    if indicators is not None:
        people = pd.DataFrame(_sex_and_age(indicators), index=pd.Index(indicators.ids))
        people = people[~people.index.duplicated()].reindex(summary["id"])
        known = {"sex": people["sex"].fillna("").to_numpy(), "newborn": people["newborn"].eq(True).to_numpy()}
    table = with_codes(summary, **known)
    return Causes(summary, table, pd.DataFrame(columns=["id", "pass", "indicator", "change", "because"]))


def without_hiv(causes: Causes) -> Causes:
    """The same without the deaths of which HIV is a probable cause; `withheld` says how many."""
    shown = ~concerns_hiv(causes.table).to_numpy()
    kept = causes.table.loc[shown, "id"]
    return Causes(
        causes.summary[shown].reset_index(drop=True),
        causes.table[shown].reset_index(drop=True),
        causes.changes[causes.changes["id"].isin(kept)].reset_index(drop=True),
        withheld=int((~shown).sum()),
    )


def fractions_table(causes: Causes, *, replicates: int, seed: int) -> pd.DataFrame:
    """cause, va_code, title, fraction, lower, upper, deaths: every cause of the list, then Undetermined."""
    table = fractions_with_limits(causes.summary, cause_titles(), replicates=replicates, seed=seed)
    nobody = np.full(len(table), "")
    item = who_item(table["cause"], sex=nobody, newborn=np.zeros(len(table), dtype=bool))
    table.insert(1, "va_code", item)
    table.insert(2, "title", item_titles(item))
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """A CSV that appears only when it is whole."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        table.to_csv(unfinished, index=False, lineterminator="\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise InputError("error.verbal_autopsy_target", file=path, why=error.strerror or "") from error
    finally:
        unfinished.unlink(missing_ok=True)

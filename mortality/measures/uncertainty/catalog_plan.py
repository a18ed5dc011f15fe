"""Packages of the catalog on the axes of a table of deaths by ICD-10 code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.uncertainty.draws import Numbers
from mortality.measures.uncertainty.evidence import EvidencePlan
from mortality.measures.uncertainty.frame import Frame
from mortality.measures.uncertainty.packages import DirichletPlan, Plan, SharePackage


@dataclass(frozen=True)
class Causes:
    """The frame whose causes are redistributed by `plan`, and under which item each is shown.

    items : names; item : (causes,) number of the item, or None where causes are shown as they are
    """

    frame: Frame
    plan: Plan | None
    items: tuple[str, ...]
    item: npt.NDArray[np.intp] | None = None


def causes_of(
    frame: Frame, redistribution: str | Iterable[SharePackage] | None, *, cause_list: str | None, spread: float
) -> Causes:
    """redistribution : None, packages of `SharePackage`, or the id of a set of packages in the catalog, whose causes are ICD-10
    codes, shown by the items of `cause_list` (None: by code)."""
    if redistribution is None:
        return Causes(frame, None, frame.causes)
    if not isinstance(redistribution, str):
        packages = tuple(redistribution)
        return Causes(frame, DirichletPlan(packages) if packages else None, frame.causes)
    return _by_catalog(frame, redistribution, cause_list, spread)


def _by_catalog(frame: Frame, name: str, cause_list: str | None, spread: float) -> Causes:
    from mortality.measures.redistribution_rules import redistribution_rules

    rules = redistribution_rules(frame.causes, name, sexes=frame.sexes, ages=frame.ages, cause_list=cause_list)
    place = rules.class_of(pd.Series(frame.causes, dtype="str"))
    classes = replace(frame, causes=rules.causes, counts=_summed(frame.counts, place, len(rules.causes)))
    items = tuple(dict.fromkeys(rules.items))
    item = np.array([items.index(one) for one in rules.items], dtype=np.intp)
    return Causes(classes, EvidencePlan(_known(classes.counts), rules, spread=spread), items, item)


def _summed(counts: Numbers, place: npt.NDArray[np.int64], size: int) -> Numbers:
    return np.asarray(counts @ np.eye(size)[place], dtype=float)


def _known(counts: Numbers) -> Numbers:
    return np.where(np.isfinite(counts) & (counts >= 0), counts, 0.0)
